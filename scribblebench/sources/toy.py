"""The toy dataset: 300 generated sea-floor scenes in VOC layout, with masks, strokes, boxes and clicks."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scribblebench.core.cards import Layout
from scribblebench.core.errors import UserError
from scribblebench.core.files import building, to_json, write_atomic
from scribblebench.scribbles.png import encode_labels
from scribblebench.scribbles.xml import write_xml
from scribblebench.sources.kinds.toy import NOTE
from scribblebench.store.lock import wait_lock

if TYPE_CHECKING:
    from scribblebench.sources.toy_marks import Json

GENERATOR = 3
"""Raised whenever a pixel, a stroke or a mark changes, so that older folders are made anew."""

SPLITS = {"train": 200, "val": 100}
TAGS = ("background", "fish", "starfish", "shell", "turtle", "eel")
LAYOUT = Layout(image_suffix=".png")
_SEED = 0


def ensure_toy(root: Path = Path("data/toy/source")) -> Path:
    """Generate the toy dataset if it is not there, or was made by another version of the generator.

    Takes some seconds; several processes may call it at once.

    Args:
        root: folder of the dataset, in VOC layout.

    Returns:
        ``root``.

    Raises:
        UserError: ``root`` holds something else, or cannot be written.
    """
    if _is_current(root):
        return root
    if root.exists() and not (root / NOTE).is_file():
        raise UserError(
            f"{root} holds something other than the toy dataset. Move it, or give another folder."
        )
    with wait_lock(root.with_name(f".{root.name}.lock")):
        if not _is_current(root):
            _make_anew(root)
    return root


def _is_current(root: Path) -> bool:
    try:
        note = json.loads((root / NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(note == _note())


def _note() -> dict[str, object]:
    return {"dataset": "toy", "generator": GENERATOR, "seed": _SEED, "splits": SPLITS}


def _make_anew(root: Path) -> None:
    of_images: dict[str, list[Json]] = {}
    with building(root) as aside:
        for split, ids in toy_ids().items():
            write_atomic(aside / LAYOUT.lists / f"{split}.txt", "".join(f"{i}\n" for i in ids))
            of_images |= {image: write_image(aside, image) for image in ids}
        write_atomic(aside / LAYOUT.clicks, json.dumps(of_images) + "\n")
        write_atomic(aside / NOTE, to_json(_note()))
        if root.exists():
            shutil.rmtree(root)


def ensure_excerpt(root: Path, train: int = 16, val: int = 8) -> Path:
    """Write a few toy scenes as a dataset of its own, with strokes for the training images alone.

    Args:
        root: folder to make, in VOC layout.
        train: how many images to train on.
        val: how many to score.

    Returns:
        ``root``.

    Raises:
        UserError: ``root`` exists, or cannot be written.
    """
    if root.exists():
        raise UserError(f"{root} exists. Give another name, or move it.")
    with building(root) as aside:
        for split, count in (("train", train), ("val", val)):
            ids = toy_ids()[split][:count]
            write_atomic(aside / LAYOUT.lists / f"{split}.txt", "".join(f"{i}\n" for i in ids))
            for image in ids:
                write_image(aside, image)
                if split != "train":
                    (aside / LAYOUT.strokes / f"{image}.xml").unlink()
    return root


def toy_ids() -> dict[str, list[str]]:
    """Names of the images of each split.

    >>> toy_ids()["val"][:2]
    ['val_000', 'val_001']
    """
    return {split: [f"{split}_{i:03d}" for i in range(count)] for split, count in SPLITS.items()}


def write_image(root: Path, image: str) -> list[Json]:
    """Write photograph, mask, strokes and boxes of one scene; its name alone decides what is in it.

    Returns:
        The clicks on it: those of all images are in one file.
    """
    # Only here: whoever finds the scenes drawn need not wait for what draws them.
    from scribblebench.sources.toy_hand import annotate
    from scribblebench.sources.toy_marks import boxes_xml, clicks
    from scribblebench.sources.toy_scene import make_scene

    scene = make_scene(_SEED, image)
    strokes = annotate(scene, _SEED, image)
    write_atomic(root / LAYOUT.images / f"{image}{LAYOUT.image_suffix}", _png(scene.image), durable=False)
    write_atomic(root / LAYOUT.masks / f"{image}.png", encode_labels(scene.mask), durable=False)
    write_atomic(root / LAYOUT.strokes / f"{image}.xml", write_xml(strokes, TAGS), durable=False)
    write_atomic(root / LAYOUT.boxes / f"{image}.xml", boxes_xml(scene, image, TAGS), durable=False)
    return clicks(scene, _SEED, image)


def _png(pixels: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", compress_level=3)
    return buffer.getvalue()
