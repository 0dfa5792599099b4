"""Samples a second of training: fed with photographs, and with one batch that is there already.

    python benchmarks/feeding.py --data-dir VOC2012/JPEGImages
    python benchmarks/feeding.py --data-dir VOC2012/JPEGImages --device cuda --batch 8 --output-stride 16

The step is the trainer's own, in bfloat16. Photographs are decoded beforehand, as they are in training; on a
CUDA device they lie on it, and once more in the processor's memory (``from_host``). A share near 1 of the
constant batch's speed says that the step never waits for its data. ``hours_a_cell`` is what the paper's
epochs on VOC's 10,582 images would take at the speed of ``fed``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial

import measuring  # before torch: it sets how threads wait, which is read at its import
import step
import torch
from crops import batches_of, paths_of, photographs

from scribblebench.core.library import Library
from scribblebench.loading.batches import Batches
from scribblebench.training.build import make_terms
from scribblebench.training.loop import Trainer

METHODS = ("baseline", "rw", "rw-ss")
VOC_IMAGES = 10_582


def fed(trainer: Trainer, batches: Batches, last: int) -> None:
    """Train one epoch on its batches."""
    for batch in batches.epoch(0):
        trainer.step(batch, last, 0)


def constant(trainer: Trainer, batches: Batches, last: int) -> None:
    """Take as many steps on one batch."""
    batch = next(iter(batches.epoch(0)))
    for _ in range(len(batches)):
        trainer.step(batch, last, 0)


def actions_of(name: str, args: argparse.Namespace) -> dict[str, Callable[[], None]]:
    """Return what is timed of one method."""
    case, device = step.make(name, "bf16", args), torch.device(args.device)
    decoded = photographs(paths_of(args.data_dir, args.images), args.images)
    places = {"fed": device} if args.device == "cpu" else {"fed": device, "from_host": torch.device("cpu")}
    made = {form: batches_of(decoded, args.batch, device, kept) for form, kept in places.items()}
    network = case.network.to(memory_format=torch.channels_last)
    trainer = Trainer(network, make_terms(case.method), made["fed"], case.protocol)
    last = case.protocol.epochs  # every loss acts
    found = {form: partial(fed, trainer, batches, last) for form, batches in made.items()}
    return {"constant": partial(constant, trainer, made["fed"], last), **found}


def options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own options."""
    step.options(parser, METHODS)
    parser.add_argument("--images", type=int, help="photographs of an epoch (default: four batches)")


def main() -> None:
    """Parse the command line and measure."""
    args = measuring.arguments(__doc__, pictures=True, options=options, repeats=3)
    args.images = args.images or 4 * args.batch
    for name in [args.method] if args.method else METHODS:
        actions = actions_of(name, args)
        for action in actions.values():
            action()
        times = measuring.medians(actions, args)
        speed = {form: args.images / seconds for form, seconds in times.items()}
        constant_speed = speed.pop("constant")
        line = [f"constant={constant_speed:.2f}", *(f"{form}={each:.2f}" for form, each in speed.items())]
        line += [f"{form}_share={each / constant_speed:.3f}" for form, each in speed.items()]
        hours = VOC_IMAGES * Library().protocol("paper").epochs / speed["fed"] / 3600
        print(
            f"{name} stride={args.output_stride} samples/s:", *line, f"hours_a_cell={hours:.2f}", flush=True
        )


if __name__ == "__main__":
    main()
