"""Split a dataset's training images in two, so that settings are chosen without the validation images.

    python benchmarks/hold_out.py data/toy/source held-out --count 40
    scribblebench run --grid tries --cards benchmarks/tries --data-dir held-out

The new folder links to the old one's files; its ``val`` list holds every k-th training image, its ``train``
list the others.
"""

from __future__ import annotations

import argparse
from pathlib import Path

LISTS = Path("ImageSets/SegmentationAug")


def hold_out(source: Path, out: Path, count: int) -> tuple[int, int]:
    """Make the folder; return the sizes of the two lists."""
    ids = (source / LISTS / "train.txt").read_text(encoding="utf-8").split()
    held = set(ids[:: max(1, len(ids) // count)][:count])
    (out / LISTS).mkdir(parents=True)
    for entry in source.iterdir():
        if entry.name != LISTS.parts[0]:
            (out / entry.name).symlink_to(entry.resolve())
    splits = {"train": [i for i in ids if i not in held], "val": [i for i in ids if i in held]}
    for split, members in splits.items():
        (out / LISTS / f"{split}.txt").write_text("\n".join(members) + "\n", encoding="utf-8")
    return len(splits["train"]), len(splits["val"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=40, help="images held out")
    given = parser.parse_args()
    print("{} images to train on, {} held out".format(*hold_out(given.source, given.out, given.count)))
