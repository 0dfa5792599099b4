"""The toy's training scenes with validation scenes that nobody has scored yet, for a result that counts.

    python benchmarks/fresh_scenes.py fresh --count 200
    scribblebench run --grid shrink --protocol toy-long --data-dir fresh --seeds 10,11,12

Settings are tried, and the program is shown, on the toy's own 100 validation scenes; after that their scores
are no longer quite those of unseen images.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from scribblebench.core.files import building, write_atomic
from scribblebench.sources.toy import LAYOUT, toy_ids, write_image


def fresh_scenes(out: Path, count: int) -> None:
    """Make the folder, in VOC layout."""
    splits = {"train": toy_ids()["train"], "val": [f"fresh_{i:04d}" for i in range(count)]}
    with building(out) as aside:
        for split, ids in splits.items():
            write_atomic(aside / LAYOUT.lists / f"{split}.txt", "".join(f"{i}\n" for i in ids))
            for image in ids:
                write_image(aside, image)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=200, help="validation scenes")
    given = parser.parse_args()
    fresh_scenes(given.out, given.count)
