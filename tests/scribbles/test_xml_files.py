from __future__ import annotations

from itertools import islice
from pathlib import Path
from xml.dom import minidom

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from scribblebench.core.errors import UserError
from scribblebench.core.library import Library
from scribblebench.scribbles.repair import SINGLE
from scribblebench.scribbles.stroke import Annotation, Stroke, same
from scribblebench.scribbles.xml import _quick, _thorough, read_xml, tags_of, write_xml
from xml_fuzz import BOMB, FORM, mutations

CARD = Library().dataset("voc2012")
TAGS = tags_of(CARD)

whole_points = arrays.arrays(
    np.float64, st.tuples(st.integers(1, 9), st.just(2)), elements=st.integers(0, 29).map(float)
)
strokes = st.builds(Stroke, st.integers(0, 20), whole_points)


def distinct(stroke: Stroke) -> Stroke:
    new = np.r_[True, (stroke.points[1:] != stroke.points[:-1]).any(axis=1)]
    return Stroke(stroke.class_index, stroke.points[new])


@given(st.lists(strokes, max_size=5))
def test_what_is_written_is_read_back_and_written_again_byte_for_byte(drawn: list[Stroke]) -> None:
    annotation = Annotation("a", 40, 30, tuple(map(distinct, drawn)))
    data = write_xml(annotation, TAGS)
    read, _ = read_xml(data, "a", CARD.class_of)
    assert same(read, annotation)
    assert write_xml(read, TAGS) == data


@given(st.lists(strokes, min_size=1, max_size=4))
def test_another_parser_reads_the_same_from_our_files(drawn: list[Stroke]) -> None:
    document = minidom.parseString(write_xml(Annotation("a", 40, 30, tuple(drawn)), TAGS))  # noqa: S318 - our own file
    polygons = document.getElementsByTagName("polygon")
    assert [p.getElementsByTagName("tag")[0].firstChild.data for p in polygons] == [
        TAGS[s.class_index] for s in drawn
    ]
    for polygon, stroke in zip(polygons, drawn, strict=True):
        xs = [int(e.firstChild.data) for e in polygon.getElementsByTagName("X")]
        ys = [int(e.firstChild.data) for e in polygon.getElementsByTagName("Y")]
        np.testing.assert_array_equal(np.stack((xs, ys), axis=1), stroke.points)


def test_real_files_take_the_quick_way_and_it_agrees_with_the_parser(voc_mini: Path) -> None:
    for path in sorted((voc_mini / CARD.layout.strokes).glob("*.xml"))[::20]:
        data = path.read_bytes()
        quick, thorough = _quick(data), _thorough(data, path.name)
        assert quick is not None
        assert quick[:2] == thorough[:2]
        for (tag, points), (other, expected) in zip(quick[2], thorough[2], strict=True):
            assert tag == other
            np.testing.assert_array_equal(points, expected)


def test_both_spellings_of_a_class_are_one_class() -> None:
    for tag in ("aeroplane", "plane"):
        data = FORM.replace("person", tag).encode()
        assert read_xml(data, "a", CARD.class_of)[0].strokes[0].class_index == 1
    assert TAGS[1] == "plane"


def test_decimals_other_elements_and_entities_of_xml_itself_are_read() -> None:
    text = FORM.replace("<X>3</X>", "<X>3.25</X><note>a &lt; b</note>").replace(
        "<folder>", "<source/><folder>"
    )
    read, repairs = read_xml(text.encode(), "a", CARD.class_of)
    assert read.strokes[0].points[0].tolist() == [3.25, 4.0]
    assert repairs == {SINGLE: 1}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("</annotation>", "", "malformed XML"),
        ("<annotation>", BOMB + "<annotation>", "entities are refused"),
        ("<annotation>", '<!DOCTYPE x SYSTEM "file:///etc/passwd"><annotation>', "entities are refused"),
        ("annotation>", "annotations>", "<annotation> was expected"),
        ("person", "unicorn", "polygon 1 has the unknown tag 'unicorn'"),
        ("<tag>person</tag>", "", "polygon 1 has no <tag>"),
        ("<X>13</X>", "<X>nan</X>", "polygon 1, point 2: X is 'nan', not a finite number"),
        ("<Y>14</Y>", "<Y>1e999</Y>", "polygon 1, point 2: Y is '1e999', not a finite number"),
        ("<Y>14</Y>", "<Y>1_4</Y>", "not a finite number"),
        ("<Y>14</Y>", "", "polygon 1, point 2: Y is '', not a finite number"),
        ("<width>40</width>", "<width>wide</width>", "no whole-number <width>"),
        ("<height>30</height>", "<height>0</height>", "size 40 x 0 is empty"),
    ],
)
def test_what_cannot_be_mended_is_one_clear_line(old: str, new: str, message: str) -> None:
    with pytest.raises(UserError, match=r"^some\.xml: ") as caught:
        read_xml(FORM.replace(old, new).encode(), "a", CARD.class_of, "some.xml")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def read_or_error(data: bytes) -> Annotation | str:
    try:
        return read_xml(data, "a", CARD.class_of)[0]
    except UserError as error:
        return str(error)


def survive(count: int, documents: list[bytes]) -> None:
    refused = 0
    for data in islice(mutations(0, documents), count):
        result = read_or_error(data)
        if isinstance(result, str):
            assert "\n" not in result
            refused += 1
            continue
        corner = (result.width - 1, result.height - 1)
        assert all(((s.points >= 0) & (s.points <= corner)).all() for s in result.strokes)
    # Neither is everything refused, nor everything let through.
    assert 0 < refused < count


def test_broken_documents_give_strokes_or_one_clean_error() -> None:
    survive(2_000, [FORM.encode()])


def test_the_quick_way_takes_nothing_that_the_thorough_way_reads_otherwise() -> None:
    taken = 0
    for data in islice(mutations(1, [FORM.encode()]), 3_000):
        quick = _quick(data)
        if quick is None:
            continue
        taken += 1
        thorough = _thorough(data, "a")
        assert quick[:2] == thorough[:2]
        assert [(tag, points.tolist()) for tag, points in quick[2]] == [
            (tag, points.tolist()) for tag, points in thorough[2]
        ]
    assert taken > 50


@pytest.mark.slow
def test_two_hundred_thousand_broken_documents_give_strokes_or_one_clean_error(voc_mini: Path) -> None:
    real = sorted((voc_mini / CARD.layout.strokes).glob("*.xml"))[:100]
    survive(200_000, [FORM.encode(), *(path.read_bytes() for path in real)])
