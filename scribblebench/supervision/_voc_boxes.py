"""Boxes from the XML of PASCAL VOC: ``<object>`` with ``<name>`` and ``<bndbox>``."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

import numpy as np
from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from scribblebench.core.errors import UserError
from scribblebench.scribbles.mark import Mark, box
from scribblebench.scribbles.repair import FARTHEST
from scribblebench.sources.readers import check_size

CUT = "boxes that reach over the image's edge, cut off"
EMPTY = "boxes without a pixel in the image, left out"
_SIDES = ("xmin", "ymin", "xmax", "ymax")
_MEND = "Mend the file."


def read_boxes(
    path: Path, class_of: Callable[[str], int | None], size: tuple[int, int]
) -> tuple[tuple[Mark, ...], Counter[str]]:
    """Read the boxes of one image. VOC counts pixels from 1, marks from 0.

    Args:
        path: the file.
        class_of: class index of a name.
        size: width and height of the photograph.

    Returns:
        The boxes, inside the photograph, and the repairs that they needed.

    Raises:
        UserError: missing or malformed, of another size than the photograph, or an object has no class or no
            box.
    """
    root = _parse(path)
    if root.find("size") is not None:
        width, height = (int(_number(root, f"size/{name}", str(path))) for name in ("width", "height"))
        check_size(path, (width, height), size)
    repairs: Counter[str] = Counter()
    boxes = [
        _box(element, class_of, f"{path}: object {number}", size, repairs)
        for number, element in enumerate(root.findall("object"), 1)
    ]
    return tuple(mark for mark in boxes if mark is not None), repairs


def _parse(path: Path) -> Element:
    try:
        root: Element = ElementTree.fromstring(path.read_bytes(), forbid_dtd=True)
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror}). Fetch it, or take its id off the list."
        ) from error
    except DefusedXmlException as error:
        raise UserError(f"{path}: document types and entities are refused. Remove them.") from error
    except (ParseError, ValueError, LookupError) as error:
        raise UserError(f"{path}: malformed XML ({' '.join(str(error).split())}). {_MEND}") from error
    return root


def _box(
    element: Element,
    class_of: Callable[[str], int | None],
    where: str,
    size: tuple[int, int],
    repairs: Counter[str],
) -> Mark | None:
    """Read one box and cut it to the photograph; None where nothing is left of it."""
    name = (element.findtext("name") or "").strip()
    if not class_of(name):
        raise UserError(
            f"{where} is of {name[:40]!r}, which is no object of the dataset. Mend it, name it under tags: "
            "in the dataset card, or choose that card with --dataset."
        )
    sides = np.array([_number(element, f"bndbox/{side}", where) - 1 for side in _SIDES]).reshape(2, 2)
    corner = np.array(size) - 1
    if (sides[1] < sides[0]).any() or (sides[1] < 0).any() or (sides[0] > corner).any():
        repairs[EMPTY] += 1
        return None
    cut = np.clip(sides, 0, corner)
    if (cut != sides).any():
        repairs[CUT] += 1
    return box(class_of(name) or 0, *cut.reshape(-1).tolist())


def _number(element: Element, name: str, where: str) -> float:
    text = (element.findtext(name) or "").strip()
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= FARTHEST:
        raise UserError(f"{where}: <{name}> is {text[:40]!r}, not a finite number. {_MEND}")
    return value
