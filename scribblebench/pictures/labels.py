"""Label maps: a pixel's value is its class. Only files in which that is certain are read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scribblebench.core.errors import UserError
from scribblebench.pictures.opening import opened, png_kind
from scribblebench.pictures.palette import voc_palette
from scribblebench.pictures.photographs import has_transparency, is_turned

Labels = NDArray[np.uint8]

_GREY = 0
_EXPECTED = "Labels are class indices in an 8-bit grey or palette PNG."
_VOC = voc_palette().reshape(-1).tolist()
_VOC_LABELS = {tuple(colour): label for label, colour in enumerate(voc_palette().tolist())}
_FIRST_INDICES = "Map the colours to class indices first, and save those as an 8-bit grey PNG."


def read_labels(source: Path | bytes) -> Labels:
    """Read a label map from a PNG: grey or palette of at most 8 bits, or colours with r = g = b.

    Samples of 1, 2 and 4 bits are indices like those of 8; wider ones must fit into 0 to 255.

    Args:
        source: the file, or its bytes.

    Returns:
        uint8 (height, width), the values as they are stored.

    Raises:
        UserError: not a PNG, damaged, animated, turned by EXIF, transparent, with colours in place of
            labels, with VOC's colours in another order, or with values above 255.
    """
    where = str(source) if isinstance(source, Path) else "label map"
    with opened(source, "label map") as picture:
        kind = png_kind(source)
        if kind is None:
            raise UserError(f"{where} is a {picture.format} file: such files may change labels. {_EXPECTED}")
        if getattr(picture, "n_frames", 1) > 1:
            raise UserError(f"{where} holds {getattr(picture, 'n_frames', 0)} pictures. {_EXPECTED}")
        if is_turned(picture):
            raise UserError(f"{where} is turned by its EXIF orientation. Store it upright, without EXIF.")
        return _indices(picture, *kind, where)


def is_plain(path: Path) -> bool:
    """Tell whether a label map is an 8-bit grey or palette PNG, which every program reads alike.

    Raises:
        UserError: the file is missing.
    """
    with opened(path, "label map") as picture:
        return png_kind(path) in ((8, 0), (8, 3)) and not has_transparency(picture)


def _indices(picture: Image.Image, bits: int, kind: int, where: str) -> Labels:
    if picture.mode in ("P", "1"):
        labels = np.array(picture, dtype=np.uint8)
        _refuse_shuffled(picture.getpalette() or [], labels, where)
        return labels
    if picture.mode == "L":
        # Pillow spreads 2 and 4 bits over 0 to 255.
        return np.array(picture, dtype=np.uint8) // np.uint8(255 // (2**bits - 1))
    if picture.mode.startswith("I") and kind == _GREY:
        return _narrowed(np.asarray(picture), f"{where}: {bits}-bit grey, mode {picture.mode}")
    if bits > 8:
        raise UserError(f"{where}: {bits}-bit colours, mode {picture.mode}. {_EXPECTED}")
    if picture.mode in ("LA", "RGB", "RGBA"):
        return _grey_of_colours(picture, f"{where}: mode {picture.mode}")
    raise UserError(f"{where}: mode {picture.mode}. {_EXPECTED}")


def _refuse_shuffled(palette: list[int], labels: Labels, where: str) -> None:
    """Look whether a palette of VOC's colours has them in VOC's order.

    Whoever turns a picture of colours into a palette gets them by how common they are, image by image.
    """
    if palette == _VOC[: len(palette)]:
        return
    values = np.flatnonzero(np.bincount(labels.reshape(-1)))
    colours = np.array(palette, dtype=np.uint8).reshape(-1, 3)
    if not len(values) or values.max() >= len(colours):
        return
    shown = [tuple(colour) for colour in colours[values].tolist()]
    meant = [_VOC_LABELS.get(colour, -1) for colour in shown]
    grey = all(len(set(colour)) == 1 for colour in shown)
    wrong = [(value, label) for value, label in zip(values.tolist(), meant, strict=True) if value != label]
    if wrong and -1 not in meant and not grey:
        value, label = wrong[0]
        raise UserError(
            f"{where}: the value {value} has the colour that PASCAL VOC gives {label}, so its palette is in "
            "another order. Save the class indices that are meant as an 8-bit grey PNG."
        )


def _narrowed(values: NDArray[np.integer], where: str) -> Labels:
    largest = int(values.max())
    if largest > 255 or int(values.min()) < 0:
        raise UserError(f"{where}, and the value {largest} is no label from 0 to 255. {_EXPECTED}")
    return values.astype(np.uint8)


def _grey_of_colours(picture: Image.Image, where: str) -> Labels:
    if has_transparency(picture):
        raise UserError(f"{where} with transparent pixels. {_EXPECTED}")
    colours = np.asarray(picture.convert("RGB"))
    red, green, blue = np.moveaxis(colours, 2, 0)
    if (red == green).all() and (green == blue).all():
        return np.array(red, dtype=np.uint8)
    packed = np.unique(colours.reshape(-1, 3), axis=0)
    whose = ", PASCAL VOC's" if all(tuple(colour) in _VOC_LABELS for colour in packed.tolist()) else ""
    raise UserError(f"{where}, {len(packed)} colours{whose} in place of labels. {_FIRST_INDICES}")
