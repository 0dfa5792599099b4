"""Labels that strokes are spread to, against the masks of photographs.

    python benchmarks/propagation.py --data-dir VOC2012 --images 40 --seed 0

Draws training photographs, spreads their strokes in each way, and prints mIoU, the background's IoU and the
accuracy of what is labelled, the share that is, all in percent, and the medians of seconds and of processor
seconds a photograph. ``sure`` keeps labels of a probability of at least 0.9. The killed walk's nodes are
those of the loss, Grady's walker has half of the resolution.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import measuring  # noqa: F401  it sets how threads wait, which torch reads when it is imported
import numpy as np
import torch
from numpy.typing import NDArray
from skimage.segmentation import random_walker

from scribblebench.core.cards import convert
from scribblebench.core.library import Library
from scribblebench.core.seeds import rng
from scribblebench.losses.rawks import Rawks
from scribblebench.ops.colour import normalise
from scribblebench.ops.step import Output, Step
from scribblebench.pictures.photographs import read_photograph
from scribblebench.propagation import PROPAGATIONS
from scribblebench.scribbles.draw import draw
from scribblebench.sources.folder import open_dataset
from scribblebench.store.confusion import confusion, iou

IGNORE, CLASSES = 255, 21
Labels = NDArray[np.uint8]
Rule = Callable[[NDArray[np.uint8], Labels], Labels]
Case = tuple[NDArray[np.uint8], Labels, Labels]  # photograph, strokes, mask


def cases(folder: Path, count: int, seed: int) -> list[Case]:
    """Draw training photographs with their strokes and masks."""
    dataset = open_dataset(Library().dataset("voc2012"), folder)
    ids = dataset.ids("train")
    drawn = rng("propagation", seed).choice(len(ids), count, replace=False)
    return [
        (
            read_photograph(dataset.image_path(image)),
            draw(dataset.annotation(image), ignore_index=IGNORE),
            dataset.mask(image),
        )
        for image in (ids[index] for index in drawn)
    ]


def strokes_alone(picture: NDArray[np.uint8], strokes: Labels) -> Labels:
    """Spread nothing."""
    del picture
    return strokes


def scribblesup(options: dict[str, float], picture: NDArray[np.uint8], strokes: Labels) -> Labels:
    """ScribbleSup's first cut."""
    return PROPAGATIONS.build("scribblesup", options, "a benchmark")(picture, strokes, IGNORE, None)


def killed_walk(
    least: float, options: dict[str, float], picture: NDArray[np.uint8], strokes: Labels
) -> Labels:
    """The likeliest class of RAWKS's walk where its probability is at least ``least``."""
    height, width = strokes.shape
    images = normalise(torch.from_numpy(picture).permute(2, 0, 1)[None])
    labels = torch.from_numpy(strokes).long()[None]
    output = Output(images, logits=torch.zeros(1, CLASSES, 1, 1))
    valid = torch.ones_like(labels, dtype=torch.bool)
    step = Step(images, labels, valid, output, _no_second_pass, IGNORE, lambda name: 0.5)
    walk, taught = convert(options, Rawks, "a benchmark").walk(step)
    share, winner = (part[0].numpy() for part in (walk * taught[:, None]).max(dim=1))
    sure = np.where(share >= least, winner, IGNORE).astype(np.uint8)
    rows, columns = (
        np.rint(np.linspace(0, nodes - 1, side)).astype(int)
        for nodes, side in zip(sure.shape, (height, width), strict=True)
    )
    return np.where(strokes == IGNORE, sure[rows[:, None], columns], strokes)


def _no_second_pass(*_: object, **__: object) -> Output:
    raise NotImplementedError("the walk looks once")


def grady(least: float, picture: NDArray[np.uint8], strokes: Labels) -> Labels:
    """The likeliest class of Grady's random walker at half the resolution."""
    small = strokes[::2, ::2]
    present = np.unique(small[small != IGNORE])
    if len(present) < 2:
        return np.full_like(strokes, present[0] if len(present) else IGNORE)
    seeds = np.where(small == IGNORE, 0, np.searchsorted(present, small) + 1)
    share = random_walker(
        picture[::2, ::2], seeds, beta=1000, mode="cg_j", channel_axis=2, return_full_prob=True
    )
    labels = np.where(share.max(axis=0) >= least, present[share.argmax(axis=0)], IGNORE).astype(np.uint8)
    full = labels.repeat(2, axis=0).repeat(2, axis=1)[: strokes.shape[0], : strokes.shape[1]]
    return np.where(strokes == IGNORE, full, strokes)


def measure(rule: Rule, data: list[Case]) -> str:
    """Spread the strokes of all photographs, and describe what came of it."""
    matrix = np.zeros((CLASSES, CLASSES), dtype=np.int64)
    seconds, processor, share = [], [], []
    for picture, strokes, mask in data:
        start, busy = time.perf_counter(), time.process_time()
        labels = rule(picture, strokes)
        seconds.append(time.perf_counter() - start)
        processor.append(time.process_time() - busy)
        said = labels != IGNORE
        share.append(said.mean())
        matrix += confusion(np.where(said, labels, 0), np.where(said, mask, IGNORE), CLASSES, IGNORE)
    found = 100 * iou(matrix)
    return (
        f"miou={np.nanmean(found):.1f} background={found[0]:.1f} "
        f"accuracy={100 * np.trace(matrix) / matrix.sum():.1f} labelled={100 * np.mean(share):.1f} "
        f"seconds={statistics.median(seconds):.3f} processor={statistics.median(processor):.3f}"
    )


LEAST = {"": 1e-9, " sure": 0.9}
WALKS = {"no boundaries": {"contrast": 1e9}, "all": {}, "survival 1e-6": {"survival": 1e-6}}
RULES: dict[str, Rule] = {
    "strokes": strokes_alone,
    **{
        f"scribblesup total={total:g}": partial(scribblesup, {"total": total})
        for total in (1, 3, 10, 30, 100)
    },
    **{
        f"killed walk, {name}{sure}": partial(killed_walk, least, options)
        for name, options in WALKS.items()
        for sure, least in LEAST.items()
    },
    **{f"grady{sure}": partial(grady, least) for sure, least in LEAST.items()},
}


def main() -> None:
    """Parse the command line and print a line for each rule."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-dir", type=Path, required=True, help="a folder in VOC's layout")
    parser.add_argument("--images", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0, help="which photographs are drawn")
    parser.add_argument("--only", default="", help="only rules whose name starts so")
    args = parser.parse_args()
    torch.set_num_threads(1)
    data = cases(args.data_dir, args.images, args.seed)
    for name, rule in RULES.items():
        if name.startswith(args.only):
            print(f"{name}: {measure(rule, data)}", flush=True)


if __name__ == "__main__":
    main()
