"""ScribbleSup's XML: ``<polygon><tag>class</tag><point><X>..</X><Y>..</Y></point>...</polygon>``.

Files in the usual form are read by one regular expression, which is five times faster than a parser; all
others by defusedxml, which says what is wrong. Entities and document types are refused either way.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from scribblebench.core.cards import DatasetCard
from scribblebench.core.errors import UserError
from scribblebench.scribbles.repair import FARTHEST, repair
from scribblebench.scribbles.stroke import Annotation, Points
from scribblebench.scribbles.xml_form import check_form

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element  # only its type: parsing goes through defusedxml

ClassOf = Callable[[str], int | None]
Raw = tuple[int, int, list[tuple[str, Points]]]

# Every repetition is possessive (*+): no input can make the expression backtrack.
_TEXT = rb"[ !-%'-;=?-~]*+"
_NUMBER = rb"\s*+-?+[0-9]{1,9}+\s*+"
_POINT = rb"<point>\s*+<X>" + _NUMBER + rb"</X>\s*+<Y>" + _NUMBER + rb"</Y>\s*+</point>\s*+"


def _polygon_form(group: bytes) -> bytes:
    points = group + rb"(?:" + _POINT + rb")*+)"
    return rb"<polygon>\s*+<tag>" + group + _TEXT + rb")</tag>\s*+" + points + rb"</polygon>\s*+"


_SIZE = (
    rb"<size>\s*+<width>([0-9]{1,6}+)</width>\s*+<height>([0-9]{1,6}+)</height>\s*+"
    rb"(?:<depth>" + _TEXT + rb"</depth>\s*+)?+</size>\s*+"
)
_DOCUMENT = re.compile(
    rb"\s*+<annotation>\s*+(?:<(folder|filename)>"
    + _TEXT
    + rb"</\1>\s*+)*+"
    + _SIZE
    + rb"(?:<segmented>"
    + _TEXT
    + rb"</segmented>\s*+)?+"
    + rb"((?:"
    + _polygon_form(rb"(?:")
    + rb")*+)</annotation>\s*+"
)
_POLYGONS = re.compile(_polygon_form(rb"("))
# Everything but digits and signs becomes a space.
_NUMBERS_ALONE = bytes(c if chr(c) in "-0123456789" else ord(" ") for c in range(256))
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_MEND = "Mend the file or leave it out."


def read_xml(data: bytes, image: str, class_of: ClassOf, where: str = "") -> tuple[Annotation, Counter[str]]:
    """Read the strokes of one image.

    Args:
        data: the file.
        image: the image's id.
        class_of: class index of a tag, such as ``DatasetCard.class_of``.
        where: the file's name, for messages.

    Returns:
        The annotation and the repairs that it needed.

    Raises:
        UserError: malformed XML, entities, an unknown tag, a coordinate that is no finite number.
    """
    where = where or image
    width, height, polygons = _quick(data) or _thorough(data, where)
    if not width or not height:
        raise UserError(f"{where}: the image size {width} x {height} is empty. {_MEND}")
    classes = {tag: class_of(tag) for tag, _ in polygons}
    for number, (tag, _) in enumerate(polygons, 1):
        if classes[tag] is None:
            raise UserError(
                f"{where}: polygon {number} has the unknown tag {tag[:40]!r}. "
                "Mend it, name it under tags: in the dataset card, or choose that card with --dataset."
            )
    return repair(image, width, height, ((classes[tag] or 0, points) for tag, points in polygons))


def _quick(data: bytes) -> Raw | None:
    found = _DOCUMENT.fullmatch(data)
    if not found:
        return None
    polygons = []
    for tag, points in _POLYGONS.findall(found[4]):
        numbers = np.fromstring(points.translate(_NUMBERS_ALONE), dtype=np.float64, sep=" ")
        polygons.append((tag.decode("ascii").strip(), numbers.reshape(-1, 2)))
    return int(found[2]), int(found[3]), polygons


def _thorough(data: bytes, where: str) -> Raw:
    try:
        root = ElementTree.fromstring(data, forbid_dtd=True)
    except DefusedXmlException as error:
        raise UserError(f"{where}: document types and entities are refused. Remove them.") from error
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise UserError(f"{where}: malformed XML ({' '.join(str(error).split())}). {_MEND}") from error
    check_form(root, where)
    polygons = [_polygon(e, f"{where}: polygon {i}") for i, e in enumerate(root.findall("polygon"), 1)]
    return _size(root, "width", where), _size(root, "height", where), polygons


def _size(root: Element, name: str, where: str) -> int:
    text = (root.findtext(f"size/{name}") or "").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise UserError(f"{where}: <size> has no whole-number <{name}>. {_MEND}")
    return int(text)


def _polygon(element: Element, where: str) -> tuple[str, Points]:
    tag = element.findtext("tag")
    if tag is None:
        raise UserError(f"{where} has no <tag>. {_MEND}")
    points = [
        (_coordinate(point, "X", f"{where}, point {i}"), _coordinate(point, "Y", f"{where}, point {i}"))
        for i, point in enumerate(element.findall("point"), 1)
    ]
    return tag.strip(), np.array(points, dtype=np.float64).reshape(-1, 2)


def _coordinate(point: Element, name: str, where: str) -> float:
    text = (point.findtext(name) or "").strip()
    value = float(text) if _DECIMAL.fullmatch(text) else math.nan
    if not math.isfinite(value):
        raise UserError(f"{where}: {name} is {text[:40]!r}, not a finite number. {_MEND}")
    if abs(value) > FARTHEST:
        raise UserError(f"{where}: {name} is {text[:40]!r}, far from any picture. {_MEND}")
    return value


def tags_of(card: DatasetCard) -> tuple[str, ...]:
    """Return the tag of each class as the dataset's own files spell it.

    Readers of the original archive know its spelling only, so that is what is written.
    """
    spelt = {name: tag for tag, name in card.tags.items()}
    return tuple(spelt.get(name, name) for name in card.classes)


def write_xml(annotation: Annotation, tags: Sequence[str]) -> bytes:
    """Write whole-pixel strokes as the original archive does; equal strokes give equal bytes.

    Args:
        annotation: with whole-number coordinates.
        tags: the tag of each class.
    """
    parts = [
        f"<annotation>\n\t<folder>anno</folder>\n\t<filename>{_escape(annotation.image)}.png</filename>\n"
        f"\t<size>\n\t\t<width>{annotation.width}</width>\n\t\t<height>{annotation.height}</height>\n"
        "\t\t<depth>3</depth>\n\t</size>\n\t<segmented>1</segmented>\n"
    ]
    for stroke in annotation.strokes:
        parts.append(f"\t<polygon>\n\t\t<tag>{_escape(tags[stroke.class_index])}</tag>\n")
        parts += [
            f"\t\t<point>\n\t\t\t<X>{x}</X>\n\t\t\t<Y>{y}</Y>\n\t\t</point>\n"
            for x, y in stroke.points.astype(np.int64).tolist()
        ]
        parts.append("\t</polygon>\n")
    parts.append("</annotation>\n")
    return "".join(parts).encode("utf-8")


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
