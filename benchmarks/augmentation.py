"""Augmented crops a second: ours, and the chain of OpenCV calls of the authors' loader, image by image.

    python benchmarks/augmentation.py --data-dir VOC2012/JPEGImages

Crops of 465, the paper's ranges. The chain is theirs in order: zoom, rotate, blur, mirror, pad and crop,
normalise. It is timed on decoded photographs (as ours are), and with the decoding that it does for every
image in every epoch. It runs in as many threads as ours. Without --data-dir the photographs are noise, and
decoding is not timed. Needs OpenCV: pip install opencv-python-headless.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import measuring  # before torch: it sets how threads wait, which is read at its import
import numpy as np
import torch
from crops import IGNORE, SIDE, batches_of, labels_of, paths_of, photographs
from numpy.typing import NDArray

from scribblebench.core.seeds import rng
from scribblebench.ops.colour import MEAN, STD

Read = Callable[[], NDArray[np.uint8]]


def chain(
    read: Read, labels: NDArray[np.uint8], u: NDArray[np.float64]
) -> tuple[NDArray[np.float32], object]:
    """Make one crop as the authors' loader does, with OpenCV."""
    image: NDArray[Any] = read().astype(np.float32)
    scale = 0.5 + 1.5 * u[0]
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    label = cv2.resize(labels, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
    mean = [255 * value for value in MEAN]
    if u[1] < 0.5:
        height, width = label.shape
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 20 * u[2] - 10, 1)
        image = cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=mean)
        label = cv2.warpAffine(label, matrix, (width, height), flags=cv2.INTER_NEAREST, borderValue=IGNORE)
    if u[3] < 0.5:
        image = cv2.GaussianBlur(image, (5, 5), 0)
    if u[4] < 0.5:
        image, label = cv2.flip(image, 1), cv2.flip(label, 1)
    height, width = label.shape
    tall, wide = max(SIDE - height, 0), max(SIDE - width, 0)
    sides = (tall // 2, tall - tall // 2, wide // 2, wide - wide // 2)
    image = cv2.copyMakeBorder(image, *sides, cv2.BORDER_CONSTANT, value=mean)
    label = cv2.copyMakeBorder(label, *sides, cv2.BORDER_CONSTANT, value=IGNORE)
    top, left = (int(v * (n - SIDE + 1)) for v, n in zip(u[5:7], label.shape, strict=True))
    image = image[top : top + SIDE, left : left + SIDE]
    normalised = (image / 255 - np.array(MEAN, np.float32)) / np.array(STD, np.float32)
    return np.ascontiguousarray(normalised.transpose(2, 0, 1)), label[
        top : top + SIDE, left : left + SIDE
    ].copy()


def _decoded(path: Path) -> NDArray[np.uint8]:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert image is not None
    return image.astype(np.uint8, copy=False)


def main() -> None:
    """Parse the command line and measure."""
    args = measuring.arguments(__doc__, batch=8, pictures=True)
    cv2.setNumThreads(1)
    count, device = 4 * args.batch, torch.device(args.device)
    paths = paths_of(args.data_dir, count)
    decoded, readers = photographs(paths, count), [partial(_decoded, path) for path in paths]
    labels = [labels_of(image.shape[:2], index) for index, image in enumerate(decoded)]
    batches = batches_of(decoded, args.batch, device, device)
    pool = ThreadPoolExecutor(args.threads)

    def theirs(reads: Sequence[Read]) -> None:
        draws = (rng("chain", i).random(7) for i in range(len(reads)))
        deque(pool.map(chain, reads, labels, draws), maxlen=0)

    actions: dict[str, measuring.Action] = {
        "ours": lambda: deque(batches.epoch(0), maxlen=0),
        "chain": partial(theirs, [image.copy for image in decoded]),
    }
    if readers:
        actions["chain with decoding"] = partial(theirs, readers)
    times = measuring.medians(actions, args)
    for name, seconds in times.items():
        print(f"{name}: {len(decoded) / seconds:.0f} samples/s")
    print(
        " ".join(
            f"ours_over_{name.replace(' ', '_')}={times[name] / times['ours']:.2f}"
            for name in times
            if name != "ours"
        )
    )


if __name__ == "__main__":
    main()
