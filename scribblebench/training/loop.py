"""One training: epochs of steps, each step the sum of the losses that act by then."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

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
        self.protocol = protocol
        self.device = next(network.parameters()).device
        self.memory: dict[str, Tensor] = {}
        self._schedule = SCHEDULES[protocol.schedule]
        self.enter(terms, batches, (0, protocol.epochs))
        self.begin_anew()

    def enter(self, terms: Sequence[Term], batches: Batches, schedule: tuple[int, int]) -> None:
        """Train with these losses and images from now on.

        Args:
            terms: the losses.
            batches: the images and labels.
            schedule: first epoch of the learning-rate schedule, and the one behind its last.
        """
        self.terms, self.batches, self._window = terms, batches, schedule

    def begin_anew(self, weights: Mapping[str, Tensor] | None = None) -> None:
        """Forget the optimiser's moments and the losses' memory, and put weights in place where given."""
        if weights is not None:
            self.network.load_state_dict(weights)
        self.memory.clear()
        self.optimizer = make_optimizer(
            self.protocol.optimizer, self.network.backbone_parameters(), self.network.head_parameters()
        )

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
        rate = self._rate(epoch, index)
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
        set_rate(self.optimizer, self._rate(epoch, index))
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

    def _rate(self, epoch: int, index: int) -> float:
        first, behind = self._window
        return self._schedule((epoch - first + index / len(self.batches)) / (behind - first))

    def _see(self, batch: Batch, output: Output, epoch: int, index: int) -> Step:
        return Step(
            images=batch.images,
            labels=batch.labels,
            valid=batch.valid,
            output=output,
            forward=self._second_branch,
            ignore_index=self.batches.ignore_index,
            draw=lambda name: uniform("step", self.batches.seed, epoch, index, name),
            ids=batch.ids,
            tags=batch.tags,
            read_told=batch.read_told,
            epoch=epoch,
            memory=self.memory,
            averaged=self._averaged,
        )

    @torch.no_grad()
    def _second_branch(
        self, images: Tensor, until: Until = "logits", update_statistics: bool = False
    ) -> Output:
        keep = contextlib.nullcontext() if update_statistics else frozen_statistics(self.network)
        with keep, autocast(self.device, self.protocol.precision):
            output: Output = self.network(images, until)
        return output

    @torch.no_grad()
    def _averaged(self, images: Tensor, decay: float) -> Output:
        average = follow(self.memory, self.network, decay)
        self.network.eval()
        with autocast(self.device, self.protocol.precision):
            output: Output = torch.func.functional_call(self.network, average, (images,))
        self.network.train()
        return output


def follow(memory: dict[str, Tensor], network: nn.Module, decay: float) -> dict[str, Tensor]:
    """Move the average of a network's states, which lives in the memory, towards what it is now.

    Args:
        memory: of the training; empty before the first call, when the average is the network itself.
        network: the network.
        decay: how much of the average stays; counters follow at once.

    Returns:
        The average by the network's own names.
    """
    average: dict[str, Tensor] = {}
    for name, now in network.state_dict().items():
        # One layout, whatever the network's: a file keeps none, and sums are rounded by it.
        start = now.detach().clone(memory_format=torch.contiguous_format)
        kept = memory.setdefault(f"average.{name}", start)
        if kept.is_floating_point():
            kept.lerp_(now.detach(), 1 - decay)
        else:
            kept.copy_(now)
        average[name] = kept
    return average


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


def logits_of(network: Network, precision: str) -> Callable[[Tensor], Tensor]:
    """Return what computes a network's logits, (batch, 3, h, w) to (batch, classes, cells, cells)."""
    device = next(network.parameters()).device

    def logits(images: Tensor) -> Tensor:
        with autocast(device, precision):
            output: Tensor = network(images).logits
        return output

    return logits


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
