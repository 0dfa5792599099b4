"""One training step of the baseline and of RW + SS against the formulation they are published in.

    python benchmarks/step.py                                # seven minutes on two cores
    python benchmarks/step.py --device cuda --batch 8 --output-stride 16

The reference is written out here from the paper: explicit n x n matrices P and T, logits of every class
at every pixel, two forward passes, float32, torch's default layout and plain Adam. Ours is the trainer's
own step, in float32 and in bfloat16. All start from the same weights and see the same noise, with 3 % of
its pixels labelled; reference and ours are held to the same loss before they are timed.

Seconds are medians of interleaved steps: forward, losses, backward and optimiser. Memory is what the
first step adds to the peak of a fresh process, gradients and Adam's moments with it. ``floor_share`` is
the time that our step's counted operations would take at the speed of a large matrix product of the same
type, over the time that it takes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import measuring  # first: it sets how threads wait, which torch reads when it is imported
import msgspec
import torch
from eigenspace import soft_eigenspace
from torch import Tensor
from torch.nn import functional

from scribblebench.core.cards import MethodCard, ProtocolCard
from scribblebench.core.library import Library
from scribblebench.loading.augment import Batch
from scribblebench.nn.network import Network, build_network
from scribblebench.ops.transforms import Flip, computing_matrices
from scribblebench.training.build import make_terms
from scribblebench.training.efficiency import IGNORE, count_flops, noise
from scribblebench.training.loop import Trainer

CLASSES, WEIGHT = 21, 1.0
METHODS = ("baseline", "rw-ss")
PRECISIONS = {"ours_float32": "float32", "ours_bf16": "bf16"}
FORMS = ("reference", *PRECISIONS)
Action = Callable[[], Tensor]


@dataclass(frozen=True)
class Case:
    """A network, what it is to learn in, and a batch for it."""

    protocol: ProtocolCard
    method: MethodCard
    network: Network
    batch: Batch


def card_of(name: str) -> MethodCard:
    """Read a method's card; self-supervision acts from the start, and flips."""
    card = Library().method(name)
    losses = [
        msgspec.structs.replace(
            term, starts=0.0, ramp=0.0, weight=WEIGHT, options={**term.options, "transform": "flip"}
        )
        if term.part == "self_supervision"
        else term
        for term in card.losses
    ]
    return msgspec.structs.replace(card, losses=tuple(losses))


def make(name: str, precision: str, args: argparse.Namespace) -> Case:
    """Build a method's network with random weights, and a batch of noise."""
    settings = {
        key: getattr(args, key) for key in ("batch", "crop", "output_stride", "backbone", "head_width")
    }
    settings |= {"precision": precision, "dropout": 0.0, "augmentation.rotation": 0}  # no padding, either
    protocol = Library().protocol("efficiency", settings)
    method = card_of(name)
    network = build_network(protocol, method, CLASSES, seed=0).to(args.device).train()
    batch = next(noise(protocol, CLASSES, torch.device(args.device)).epoch(0))
    return Case(protocol, method, network, batch)


def ours(case: Case) -> Action:
    """Take the trainer's own step, at the very end of a run, where every loss acts."""
    network = case.network.to(memory_format=torch.channels_last)
    batches = noise(case.protocol, CLASSES, case.batch.images.device)
    trainer = Trainer(network, make_terms(case.method), batches, case.protocol)
    return lambda: trainer.step(case.batch, case.protocol.epochs, 0)[0]["loss"]


def reference(case: Case) -> Action:
    """Take the step as it is published."""
    optimizer = torch.optim.Adam(case.network.parameters(), lr=1e-7)
    walks = hasattr(case.network.head, "walk")

    def step() -> Tensor:
        loss = (of_walk if walks else of_baseline)(case.network, case.batch)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimizer.step()
        return loss.detach()

    return step


def of_baseline(network: Network, batch: Batch) -> Tensor:
    """Partial cross-entropy of logits at every pixel."""
    head: Any = network.head
    return cross_entropy(head.classifier(head.reduction(network.trunk(batch.images))), batch)


def cross_entropy(logits: Tensor, batch: Batch) -> Tensor:
    """Upsample logits to every pixel, and take the labelled ones' mean cross-entropy."""
    full = functional.interpolate(logits, batch.labels.shape[-2:], mode="bilinear", align_corners=True)
    return functional.cross_entropy(full, batch.labels, ignore_index=IGNORE)


def of_walk(network: Network, batch: Batch) -> Tensor:
    """Eq. 2 to 9 of the paper, with P, T_r and T_c as matrices."""
    head: Any = network.head
    before, energies = energies_of(network, batch.images)
    walked = torch.softmax(energies, dim=-1) @ head.walk.value(rows(before))
    after = head.walk.alpha * walked.mT.reshape(before.shape) + before
    with torch.no_grad():
        _, target = energies_of(network, batch.images.flip(-1))
        left, right = computing_matrices(Flip(), *before.shape[-2:])
        mapped = left.to(target) @ target @ right.to(target)
    return cross_entropy(head.classifier(after), batch) + WEIGHT * soft_eigenspace(energies, mapped)


def energies_of(network: Network, images: Tensor) -> tuple[Tensor, Tensor]:
    """Return f^{L-1} and the energies between its cells, (batch, n, n)."""
    head: Any = network.head
    before = head.reduction(network.trunk(images))
    return before, head.walk.query(rows(before)) @ head.walk.key(rows(before)).mT


def rows(maps: Tensor) -> Tensor:
    """(batch, channels, h, w) to (batch, h * w, channels)."""
    return maps.flatten(2).mT


def action(form: str, name: str, args: argparse.Namespace) -> Action:
    """Build one form of a method's step."""
    case = make(name, PRECISIONS.get(form, "float32"), args)
    return reference(case) if form == "reference" else ours(case)


def peak_mb(form: str, name: str, args: argparse.Namespace) -> float:
    """Measure what a step adds to this, a fresh process."""
    small = argparse.Namespace(**{**vars(args), "crop": 8 * args.output_stride + 1})
    action(form, name, small)()  # threads and libraries allocate on first use
    step = action(form, name, args)
    return measuring.added_mb(step, args.device)


def speed(dtype: torch.dtype, device: str) -> float:
    """Operations a second of a large matrix product."""
    square = torch.randn(2048, 2048, device=device).to(dtype)
    seconds = []
    for _ in range(5):
        if device == "cuda":
            torch.cuda.synchronize()
        since = time.perf_counter()
        square @ square
        if device == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - since)
    return float(2 * 2048**3 / min(seconds))


def report(name: str, args: argparse.Namespace) -> None:
    """Print seconds, memory and ratios of one method."""
    actions = {form: action(form, name, args) for form in FORMS}
    losses = {form: float(step()) for form, step in actions.items()}  # the first call allocates, too
    error = abs(losses["ours_float32"] / losses["reference"] - 1)
    assert error < 1e-4, f"{name}: ours differs from the reference by {error}: {losses}"
    operations = count_flops(actions["ours_float32"])
    times = measuring.medians(actions, args)
    memories = measuring.peaks(FORMS, args, *_again(args), f"--method={name}")
    floors = {"ours_float32": torch.float32, "ours_bf16": torch.bfloat16}
    for form in FORMS:
        line = {"seconds": times[form], "memory_mb": memories[form]}
        if form in floors:
            line["time_ratio"] = times[form] / times["reference"]
            line["memory_ratio"] = memories[form] / memories["reference"]
            line["floor_share"] = operations / speed(floors[form], args.device) / times[form]
        print(_line(name, form, line), flush=True)


def _line(name: str, form: str, figures: Mapping[str, float]) -> str:
    return " ".join([f"{name} {form}", *(f"{key}={value:.3f}" for key, value in figures.items())])


def _again(args: argparse.Namespace) -> list[str]:
    names = ("crop", "output_stride", "backbone", "head_width")
    return [f"--{name.replace('_', '-')}={getattr(args, name)}" for name in names]


def options(parser: argparse.ArgumentParser, methods: Sequence[str] = METHODS) -> None:
    """Add what a step depends on."""
    parser.add_argument("--crop", type=int, default=465)
    parser.add_argument("--output-stride", type=int, default=8)
    parser.add_argument("--backbone", default="resnet50")
    parser.add_argument("--head-width", type=int, default=512)
    parser.add_argument("--method", choices=methods, help="only this one")


def main() -> None:
    """Parse the command line and measure."""
    args = measuring.arguments(__doc__, FORMS, options=options, repeats=3)
    for name in [args.method] if args.method else METHODS:
        if args.peak:
            print(peak_mb(args.peak, name, args))
        else:
            report(name, args)


if __name__ == "__main__":
    main()
