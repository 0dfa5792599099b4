"""Whether an annotation file has ScribbleSup's form: nothing that another tool drew may vanish unread."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from scribblebench.core.errors import UserError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element  # only its type: parsing goes through defusedxml

EXPECTED = "Expected ScribbleSup's <polygon><tag>..</tag><point><X>..</X><Y>..</Y></point>..</polygon>."

# Elements that carry drawings, and the only places where ScribbleSup has them. Others are notes.
_PLACES = {
    "annotation/polygon",
    "annotation/polygon/tag",
    "annotation/polygon/point",
    "annotation/polygon/point/X",
    "annotation/polygon/point/Y",
}
_VALUES = _PLACES - {"annotation/polygon", "annotation/polygon/point"}
_DRAWN = re.compile(
    r"(poly(gon|line)s?|(poly)?lines?|strokes?|scribbles?|curves?|paths?data|traces?|points?|pts?|coords?|"
    r"coordinates|vert(ex|ices)|keypoints?|ellipse|circle|rect(angle)?|box(es)?|bndbox|bbox|objects?|shapes?|"
    r"segmentation|masks?|rle|tags?|labels?|class(es)?|annotations?|[xy][0-9]*)",
    re.IGNORECASE,
)
_ONCE = ("tag", "X", "Y", "size", "width", "height")
# The tool that an element tells of.
_TOOLS = {
    "annotations": "CVAT's form",
    "object": "boxes or polygons of another tool (LabelImg, Roboflow, LabelMe)",
    "svg": "an SVG drawing",
    "inkml": "InkML",
    "kml": "KML",
}


def check_form(root: Element, where: str) -> None:
    """Look whether everything that a file draws is where ScribbleSup has it.

    Args:
        root: of the file.
        where: the file's name, for messages.

    Raises:
        UserError: another root, a drawing elsewhere or in attributes or text, or a value given twice.
    """
    if root.tag != "annotation":
        raise UserError(
            f"{where}: <{root.tag[:40]}> where <annotation> was expected{_tool(root.tag)}. {EXPECTED}"
        )
    _check(root, where)
    # No recursion: a file may nest deeper than Python's stack.
    waiting = [(child, "annotation") for child in root]
    while waiting:
        element, above = waiting.pop()
        path = f"{above}/{element.tag}"
        _check_place(element, path, where)
        waiting += [(child, path) for child in element]


def _check_place(element: Element, path: str, where: str) -> None:
    if path in _PLACES:
        between = "" if path in _VALUES else "".join([element.text or "", *(e.tail or "" for e in element)])
        inside = path in _VALUES and len(element)
        if element.attrib or between.strip() or inside:
            raise UserError(f"{where}: <{element.tag}> holds more than is read. {EXPECTED}")
        _check(element, where)
    elif path == "annotation/size":
        _check(element, where)
    elif _DRAWN.fullmatch(_local(element.tag)):
        raise UserError(
            f"{where}: <{element.tag[:40]}> below <{path.split('/')[-2][:40]}> is not read"
            f"{_tool(element.tag)}. {EXPECTED}"
        )


def _check(element: Element, where: str) -> None:
    for name in _ONCE:
        if len(element.findall(name)) > 1:
            raise UserError(f"{where}: <{element.tag}> has <{name}> twice. Remove one.")


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _tool(tag: str) -> str:
    tool = _TOOLS.get(_local(tag).lower())
    return f"; it seems to be {tool}" if tool else ""
