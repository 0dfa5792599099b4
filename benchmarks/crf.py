"""The dense CRF on one photograph of about 500 x 375 with 21 classes, against the public C++ implementation.

    python benchmarks/crf.py --data-dir VOC2012

Ours and pydensecrf2 take turns on the same photographs, with probabilities as a network would give them.
Medians of seconds a photograph, with all that has to be made once a photograph. Without ``--data-dir``,
painted pictures. ``crf_ratio`` is ours over pydensecrf2, which has one thread; ``equal_labels`` is the
share of pixels. The first such line is the exact CRF with ``--threads`` threads, then with one; the third
filters pixels in groups. ``processor`` is the time of all threads, ``calling`` that of the one that waits for
the others at most a moment: where other programs hold the cores, it shows what free ones would take.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import measuring  # noqa: F401  it sets how threads wait, which torch reads when it is imported
import msgspec
import photographs
import torch
from torch import Tensor

from scribblebench.refine.dense_crf import PRESETS, DenseCrf, Grouping

Case = tuple[Tensor, Tensor]  # probabilities and picture
Refine = Callable[[Tensor, Tensor], Tensor]


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-dir", type=Path, help="a folder in VOC's layout")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="urss")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--photographs", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3, help="rounds over the photographs")
    return parser.parse_args()


def cases(args: argparse.Namespace) -> list[Case]:
    """Make the probabilities of each photograph."""
    if args.data_dir is None:
        scenes = [photographs.synthetic(375, 500, seed) for seed in range(args.photographs)]
    else:
        scenes = list(photographs.of_voc(args.data_dir, "val", args.photographs))
    return [(photographs.probabilities(mask, seed), picture) for seed, (picture, mask) in enumerate(scenes)]


def with_threads(count: int, crf: DenseCrf) -> Refine:
    """Run the refiner with a number of threads."""

    def refine(probabilities: Tensor, picture: Tensor) -> Tensor:
        torch.set_num_threads(count)
        return crf(probabilities, picture)

    return refine


class Clock:
    """Seconds of one way to refine: on the wall, of all threads' processors, of the calling thread's."""

    def __init__(self, refine: Refine) -> None:
        self.refine = refine
        self.wall: list[float] = []
        self.processor: list[float] = []
        self.calling: list[float] = []

    def labels(self, case: Case) -> Tensor:
        """Refine once, on the clock."""
        wall, processor, calling = time.perf_counter(), time.process_time(), time.thread_time()
        refined = self.refine(*case)
        self.wall.append(time.perf_counter() - wall)
        self.processor.append(time.process_time() - processor)
        self.calling.append(time.thread_time() - calling)
        return refined.argmax(dim=0)

    def processors(self) -> str:
        """Return the medians of processor time."""
        return (
            f"processor={statistics.median(self.processor):.3f} calling={statistics.median(self.calling):.3f}"
        )


def main() -> None:
    """Measure in turns and print a line for each way."""
    args = arguments()
    crf = PRESETS[args.preset]
    grouped = msgspec.structs.replace(crf, grouping=Grouping())
    ways = {
        "exact": (args.threads, crf),
        "exact_one_thread": (1, crf),
        "grouped": (args.threads, grouped),
    }
    clocks = {name: Clock(with_threads(*way)) for name, way in ways.items()}
    public = Clock(lambda given, picture: photographs.public_crf(crf, given, picture))
    data = cases(args)
    equal: dict[str, list[float]] = {name: [] for name in clocks}
    for clock in clocks.values():
        clock.refine(*data[0])  # not on the clock: the first call of a process loads code
    for case in data * args.repeats:
        expected = public.labels(case)
        for name, clock in clocks.items():
            equal[name].append(float((clock.labels(case) == expected).float().mean()))
    theirs = statistics.median(public.wall)
    print(f"pydensecrf2: preset={args.preset} seconds={theirs:.3f} {public.processors()}")
    for name, clock in clocks.items():
        ours = statistics.median(clock.wall)
        print(
            f"{name}: crf_ratio={ours / theirs:.3f} equal_labels={statistics.mean(equal[name]):.6f} "
            f"threads={ways[name][0]} seconds={ours:.3f} {clock.processors()}"
        )


if __name__ == "__main__":
    main()
