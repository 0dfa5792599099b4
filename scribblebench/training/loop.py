"""One training: epochs of steps, each step the sum of the losses that act by then."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from scribblebench.core.cards import LossTerm, ProtocolCard
from scribblebench.core.errors import UserError
from scribblebench.core.seeds import integer_seed, uniform
from scribblebench.core.tracebacks import inside
from scribblebench.loading.augment import Batch
from scribblebench.loading.batches import Batches
from scribblebench.nn.network import Network, Until, frozen_statistics
from scribblebench.ops.diagnostics import diagnose
from scribblebench.ops.step import Loss, LossValue, Output, Step
from scribblebench.training.optimizer import SCHEDULES, make_optimizer, set_rate

# Raise it when equal cards, data and seeds would give other weights than before.
RULE = 1
# Columns of the curve that the trainer writes itself.
RESERVED = ("epoch", "rate", "loss")


@dataclass(frozen=True)
class Term:
    """A loss and when it acts."""

    card: LossTerm
    loss: Loss


class Trainer:
    """The network, its optimiser and the losses of one run.

    Args:
        network: on its device.
        terms: the losses of the method.
        batches: the training split.
        protocol: rates, schedule, precision.
    """

    def __init__(
        self, network: Network, terms: Sequence[Term], batches: Batches, protocol: ProtocolCard
    ) -> None:
        self.network = network
        self.terms = terms
        self.batches = batches
        self.protocol = protocol
        self.optimizer = make_optimizer(
            protocol.optimizer, network.backbone_parameters(), network.head_parameters()
        )
        self.device = next(network.parameters()).device
        self._schedule = SCHEDULES[protocol.schedule]

    def epoch(self, epoch: int) -> dict[str, float]:
        """Train one epoch and return its means.

        Raises:
            UserError: the loss is no longer finite.
        """
        self.network.train()
        means = Means()
        with seeded(self.device, integer_seed("epoch", self.batches.seed, epoch)):
            for index, batch in enumerate(self.batches.epoch(epoch)):
                logs, output = self.step(batch, epoch, index)
                means.add(logs)
        rate = self._schedule(self._progress(epoch, index))
        curve = {"epoch": float(epoch + 1), "rate": rate, **means.values()}
        if not math.isfinite(curve["loss"]):
            wrong = [term.card.part for term in self.terms if not math.isfinite(curve.get(term.card.part, 0))]
            where = f" (from {', '.join(wrong)})" if wrong else ""
            raise UserError(
                f"The loss is {curve['loss']} in epoch {epoch + 1}{where}. Lower the learning rate."
            )
        if output.energies is not None and output.alpha is not None:
            curve |= {"alpha": float(output.alpha.detach()), **diagnose(output.energies.detach())}
        return curve

    def step(self, batch: Batch, epoch: int, index: int) -> tuple[dict[str, Tensor], Output]:
        """Take the ``index``-th step of an epoch; return what is logged, and what the network gave."""
        progress = self._progress(epoch, index)
        set_rate(self.optimizer, self._schedule(progress))
        with autocast(self.device, self.protocol.precision):
            output = self.network(batch.images)
        step = self._see(batch, output, epoch, index)
        total = torch.zeros((), device=self.device)
        logs: dict[str, Tensor] = {}
        for term in self.terms:
            if progress >= term.card.starts:
                with inside(f"the loss '{term.card.part}'"):
                    answer = _accepted(term.loss(step))
                    total = total + term.card.weight_at(progress) * answer.value
                    logs |= {term.card.part: answer.value.detach(), **answer.logs}
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.optimizer.step()
        return {"loss": total.detach(), **logs}, output

    def _progress(self, epoch: int, index: int) -> float:
        return (epoch + index / len(self.batches)) / self.protocol.epochs

    def _see(self, batch: Batch, output: Output, epoch: int, index: int) -> Step:
        return Step(
            images=batch.images,
            labels=batch.labels,
            valid=batch.valid,
            output=output,
            forward=self._second_branch,
            ignore_index=self.batches.ignore_index,
            draw=lambda name: uniform("step", self.batches.seed, epoch, index, name),
        )

    @torch.no_grad()
    def _second_branch(
        self, images: Tensor, until: Until = "logits", update_statistics: bool = False
    ) -> Output:
        keep = contextlib.nullcontext() if update_statistics else frozen_statistics(self.network)
        with keep, autocast(self.device, self.protocol.precision):
            output: Output = self.network(images, until)
        return output


def _accepted(answer: LossValue) -> LossValue:
    """Look whether a loss answers as losses do; a user's own may give anything.

    Raises:
        TypeError: it does not: without a gradient, nothing would be learned from it.
    """
    value = getattr(answer, "value", None)
    if not (isinstance(answer, LossValue) and isinstance(value, Tensor) and value.ndim == 0):
        raise TypeError("a loss returns a LossValue of a scalar tensor")
    if not value.requires_grad:
        raise TypeError("the value has no gradient, so that nothing would be learned from it")
    for name, logged in answer.logs.items():
        if name in RESERVED or not (isinstance(logged, Tensor) and logged.ndim == 0):
            raise TypeError(f"the log {name!r} is no scalar tensor, or has a name of the trainer's own")
    return answer


@dataclass
class Means:
    """Running means of logged scalars, kept on the device until the epoch ends."""

    sums: dict[str, Tensor] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, logs: dict[str, Tensor]) -> None:
        """Add one step."""
        for name, value in logs.items():
            self.sums[name] = self.sums.get(name, torch.zeros_like(value)) + value
            self.counts[name] = self.counts.get(name, 0) + 1

    def values(self) -> dict[str, float]:
        """Return the mean of each scalar over the steps that logged it."""
        return {name: float(total) / self.counts[name] for name, total in self.sums.items()}


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Run matrix products in bfloat16 where the protocol says so."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")


@contextlib.contextmanager
def seeded(device: torch.device, seed: int) -> Iterator[None]:
    """Seed torch's generators for a block (dropout needs them) and put them back behind it."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        yield
