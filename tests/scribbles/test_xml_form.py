"""What another tool drew is refused, not read as an image without strokes."""

from __future__ import annotations

import pytest

from scribblebench.core.errors import UserError
from scribblebench.core.library import Library
from scribblebench.scribbles.xml import read_xml

CARD = Library().dataset("voc2012")
SIZE = "<size><width>40</width><height>30</height></size>"
POINT = "<point><X>3</X><Y>4</Y></point>"


def read(body: str) -> int:
    return len(read_xml(body.encode(), "a", CARD.class_of, "a.xml")[0].strokes)


CAT = "<polygon><tag>cat</tag>{}</polygon>"
MORE = "holds more than is read"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("<object><name>cat</name><bndbox/></object>", "boxes or polygons of another"),
        (f"<Polygon><tag>cat</tag>{POINT}</Polygon>", "<Polygon> below <annotation>"),
        (f"<polyline>{POINT}</polyline>", "<polyline> below <annotation>"),
        (f"<strokes>{CAT.format(POINT)}</strokes>", "<strokes>|<polygon> below <strokes>"),
        ("<layer><line>3,4 5,6</line></layer>", "<line> below <layer>"),
        ("<polygon xmlns='urn:x'><tag>cat</tag></polygon>", "below <annotation>"),
        (CAT.format("<pt><x>3</x></pt>"), "below <polygon>|below <pt>"),
        (CAT.format("<Point><X>3</X></Point>"), "below <polygon>|below <Point>"),
        (CAT.format("3,4 5,6"), MORE),
        (CAT.format(f"{POINT}3,4{POINT}"), MORE),
        ("<polygon points='3,4'><tag>cat</tag></polygon>", MORE),
        (CAT.format("<point x='3' y='4'/>"), MORE),
        (CAT.format("<point><X>3<b/>4</X><Y>4</Y></point>"), MORE),
        (CAT.format("<tag>dog</tag>"), "has <tag> twice"),
        (CAT.format("<point><X>3</X><X>9</X><Y>4</Y></point>"), "has <X> twice"),
        (SIZE + CAT.format(POINT), "has <size> twice"),
        (CAT.format("<point><X>1e300</X><Y>4</Y></point>"), "far from any picture"),
    ],
)
def test_no_drawing_vanishes(body: str, message: str) -> None:
    with pytest.raises(UserError, match=rf"^a\.xml: .*({message})"):
        read(f"<annotation>{SIZE}{body}</annotation>")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (f"<annotation xmlns='urn:x'>{SIZE}{CAT.format(POINT)}</annotation>", "where <annotation>"),
        ("<annotations><image><polyline points='3,3;20,20'/></image></annotations>", "seems to be CVAT's"),
        ("<svg xmlns='http://www.w3.org/2000/svg'><path d='M0 0'/></svg>", "seems to be an SVG"),
    ],
)
def test_other_documents_are_named(document: str, message: str) -> None:
    with pytest.raises(UserError, match=rf"^a\.xml: .*{message}"):
        read(document)


@pytest.mark.parametrize(
    ("body", "strokes"),
    [
        (f"<annotation>{SIZE}</annotation>", 0),
        (f"<annotation>{SIZE}<owner/><source><url>x</url></source><note>by hand</note></annotation>", 0),
        (f"<annotation>{SIZE}<!-- one --><polygon><tag>cat</tag>{POINT}<note/></polygon></annotation>", 1),
        (f"<annotation><path>/a/b.png</path>{SIZE}<polygon><tag>cat</tag>{POINT}</polygon></annotation>", 1),
    ],
)
def test_notes_and_images_without_strokes_are_read(body: str, strokes: int) -> None:
    assert read(body) == strokes


def test_deep_nesting_is_survived() -> None:
    with pytest.raises(UserError, match=r"^a\.xml: "):
        read(f"<annotation>{SIZE}" + "<a>" * 50_000 + "<line/>" + "</a>" * 50_000 + "</annotation>")
