"""Each kind of supervision tells its own and nothing else; bad marks are mended and counted, or one line."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch

from cell_fixtures import MakeCell
from scribblebench.core.errors import UserError
from scribblebench.core.library import Library
from scribblebench.pictures.labels import read_labels
from scribblebench.pictures.size import picture_size
from scribblebench.scribbles.mark import Mark, window
from scribblebench.scribbles.png import encode_labels
from scribblebench.sources.folder import DatasetFolder, open_dataset
from scribblebench.sources.manifest import Digests
from scribblebench.sources.spec import VariantSpec
from scribblebench.sources.toy import toy_ids
from scribblebench.sources.toy_scene import make_scene
from scribblebench.supervision import SUPERVISIONS, Targets, Told, supervision
from scribblebench.training.cell import Cell
from scribblebench.training.data import Places, training_batches

MARKS = ("points", "boxes", "tags")
CARD = Library().dataset("toy")


@pytest.fixture
def own(mini: Path, tmp_path: Path) -> DatasetFolder:
    """A copy of some toy images to break."""
    shutil.copytree(mini, tmp_path / "own")
    return open_dataset(CARD, tmp_path / "own")


def targets(dataset: DatasetFolder, kind: str, image: str, *variant: Any) -> Targets:
    spec = VariantSpec.of(*variant) if variant else VariantSpec()
    return supervision(kind, "test").told(Told(dataset, spec, Path("nowhere"), Digests("")))(image)


def read(dataset: DatasetFolder, kind: str, image: str) -> tuple[tuple[Mark, ...], Counter[str]]:
    part: Any = supervision(kind, "test")
    return part.read(dataset, image, picture_size(dataset.image_path(image)))


def seeing(cell: Cell, kind: str) -> Cell:
    return msgspec.structs.replace(cell, method=msgspec.structs.replace(cell.method, supervision=kind))


def same(one: Targets, other: Targets) -> bool:
    return (
        np.array_equal(one.labels, other.labels)
        and np.array_equal(one.tags, other.tags)
        and [m.class_index for m in one.marks] == [m.class_index for m in other.marks]
        and all(np.array_equal(a.points, b.points) for a, b in zip(one.marks, other.marks, strict=True))
    )


def test_kinds_are_those_of_the_field() -> None:
    assert SUPERVISIONS.names() == ["boxes", "masks", "points", "strokes", "tags"]
    with pytest.raises(UserError, match="Did you mean 'points'"):
        supervision("point", "method x")


def test_the_toys_own_marks_are_those_of_its_creatures(toy: Path) -> None:
    dataset = open_dataset(CARD, toy)
    for image in toy_ids()["train"][:12]:
        scene = make_scene(0, image)
        boxes, _ = read(dataset, "boxes", image)
        for number, (creature, mark) in enumerate(zip(scene.objects, boxes, strict=True)):
            rows, columns = np.nonzero(scene.shown == number)
            assert mark.class_index == creature.class_index
            assert mark.points.tolist() == [[columns.min(), rows.min()], [columns.max(), rows.max()]]
        present = sorted({creature.class_index for creature in scene.objects})
        assert [mark.class_index for mark in read(dataset, "tags", image)[0]] == present
        clicks, _ = read(dataset, "points", image)
        assert sorted(mark.class_index for mark in clicks) == present
        for mark in clicks:
            x, y = mark.points[0].astype(int)
            assert scene.mask[y, x] == mark.class_index


def test_what_each_kind_says_of_the_pixels(toy: Path) -> None:
    dataset = open_dataset(CARD, toy)
    boxes, points, tags = (targets(dataset, kind, "train_003") for kind in ("boxes", "points", "tags"))
    outside = np.ones_like(boxes.labels, dtype=bool)
    for mark in boxes.marks:
        outside[window(mark)] = False
    assert (boxes.labels[outside] == 0).all()
    assert (boxes.labels[~outside] > 0).all()
    assert (tags.labels == 255).all()
    assert 0 < (points.labels != 255).sum() <= 9 * len(points.marks)
    assert np.array_equal(tags.tags, boxes.tags)
    assert np.array_equal(np.unique(dataset.mask("train_003")), np.flatnonzero(tags.tags))


@pytest.mark.parametrize("kind", MARKS)
@pytest.mark.parametrize("degradation", ["drop", "jitter", "mislabel"])
def test_degraded_marks_are_nested_and_their_rate_is_met(toy: Path, kind: str, degradation: str) -> None:
    dataset, ids = open_dataset(CARD, toy), toy_ids()["train"][:60]
    if (kind, degradation) == ("tags", "jitter"):
        return
    part: Any = VariantSpec.of(degradation, 0.5).parts()[0][0]
    assert kind in part.acts_on
    whole = [targets(dataset, kind, image) for image in ids]
    zero, low, high = (
        [targets(dataset, kind, image, degradation, rate, 7) for image in ids] for rate in (0.0, 0.3, 0.6)
    )
    assert all(map(same, whole, zero))
    changed = []
    for source, little, much in zip(whole, low, high, strict=True):
        changed.append(_changed(source, little, much, degradation))
    shares = np.mean(np.concatenate(changed), axis=0)
    if degradation != "jitter":
        assert shares == pytest.approx([0.3, 0.6], abs=0.1)


def _changed(source: Targets, little: Targets, much: Targets, degradation: str) -> np.ndarray:
    """Look that what little spoils, much spoils too; which marks each has spoilt, (marks, 2)."""
    if degradation == "drop":
        of = [{(m.class_index, m.points.tobytes()) for m in t.marks} for t in (source, little, much)]
        assert of[2] <= of[1] <= of[0]
        return np.array([[one not in of[1], one not in of[2]] for one in of[0]])
    if degradation == "mislabel":
        rows = [[m.class_index for m in t.marks] for t in (source, little, much)]
        assert all(b in (a, c) for a, b, c in zip(*rows, strict=True))
        assert 0 not in rows[2]
        return np.array([[a != b, a != c] for a, b, c in zip(*rows, strict=True)])
    for a, b, c in zip(source.marks, little.marks, much.marks, strict=True):
        assert (np.abs(b.points - a.points) <= np.abs(c.points - a.points) + 1e-9).all()
        inside = (c.points > 0) & (c.points < 96)  # the frame holds some of them
        assert np.allclose((c.points - a.points)[inside], 2 * (b.points - a.points)[inside])
        if len(a.points) == 2:
            assert (c.points[1] >= c.points[0]).all(), "no side passes the other"
    return np.ones((1, 2))


def test_a_method_of_tags_is_told_nothing_of_strokes_and_masks(
    places: Places, make_cell: MakeCell, own: DatasetFolder
) -> None:
    """Noise in place of the strokes and of the masks leaves its identity and every batch as they were."""
    asked = make_cell("baseline", rate=0.0)
    cell = seeing(asked, "tags")
    before = _look(cell, places)
    noise = np.random.default_rng(0)
    for image in own.ids("train"):
        path = own.mask_path(image)
        path.write_bytes(encode_labels(noise.integers(0, 6, read_labels(path).shape, dtype=np.uint8)))
        text = own.root / CARD.layout.strokes / f"{image}.xml"
        text.write_text(text.read_text(encoding="utf-8").replace("<X>", "<X>1"), encoding="utf-8")
    other = Places(own, places.variants, places.runs, places.device)
    after = _look(cell, other)
    assert before[0].id == after[0].id
    for one, two in zip(before[1], after[1], strict=True):
        assert torch.equal(one.images, two.images)
        assert torch.equal(one.labels, two.labels)
        assert torch.equal(one.tags, two.tags)
        assert (one.labels == 255).all()
        assert one.tags[:, 0].all()


def _look(cell: Cell, places: Places) -> tuple[Cell, list[Any]]:
    from scribblebench.sources.survey import survey

    found = survey(places.dataset, "train", strokes=False, masks=False, marks=cell.supervision.files())
    cell = msgspec.structs.replace(cell, train=found.digests)
    return cell, list(training_batches(cell, places).epoch(0))


def test_a_degradation_that_means_nothing_is_one_line(make_cell: MakeCell) -> None:
    from scribblebench.supervision import check_degradation

    with pytest.raises(UserError, match=r"sees tags, which 'shrink' cannot make worse"):
        check_degradation("tags", VariantSpec.of("shrink", 0.5), "method 'x'")
    with pytest.raises(UserError, match=r"'jitter' cannot make worse"):
        check_degradation("tags", VariantSpec.of("jitter", 0.5), "method 'x'")
    check_degradation("masks", VariantSpec.of("shrink", 0.5), "method 'x'")


def rewrite(dataset: DatasetFolder, image: str, old: str, new: str) -> None:
    path = dataset.root / CARD.layout.boxes / f"{image}.xml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_boxes_over_the_edge_are_cut_and_empty_ones_left_out(own: DatasetFolder) -> None:
    image = own.ids("train")[0]
    whole = len(read(own, "boxes", image)[0])
    extra = "".join(
        f"<object><name>fish</name><bndbox><xmin>{a}</xmin><ymin>{b}</ymin><xmax>{c}</xmax><ymax>{d}</ymax>"
        "</bndbox></object>"
        for a, b, c, d in ((-3, 5, 10, 120), (200, 1, 210, 9), (9, 9, 4, 12))
    )
    rewrite(own, image, "</annotation>", f"{extra}</annotation>")
    marks, repairs = read(own, "boxes", image)
    assert len(marks) == whole + 1
    assert marks[-1].points.tolist() == [[0, 4], [9, 96]]
    assert sorted(repairs.values()) == [1, 2]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("</name>", "x</name>", "which is no object of the dataset"),
        ("<xmin>", "<xmin>x", "is no|not a finite number"),
        ("<width>97", "<width>98", "pixels, but the photograph has"),
        ("</annotation>", "", "malformed XML"),
    ],
)
def test_bad_boxes_are_one_line_with_the_file(own: DatasetFolder, old: str, new: str, message: str) -> None:
    image = own.ids("train")[0]
    rewrite(own, image, old, new)
    with pytest.raises(UserError, match=message) as error:
        read(own, "boxes", image)
    assert f"{image}.xml" in str(error.value)
    assert "\n" not in str(error.value)


def test_bad_clicks(own: DatasetFolder) -> None:
    path = own.root / CARD.layout.clicks
    clicks = json.loads(path.read_text(encoding="utf-8"))
    one, other, third = own.ids("train")[:3]
    clicks[one] = [{"x": 200, "y": 3, "cls": 1, "rank": 1}, {"x": 5, "y": 3, "cls": 2, "rank": 1}]
    clicks[other], clicks[third] = [{"x": 5, "y": 3, "cls": 6}], []
    clicks["nobody"] = []
    path.write_text(json.dumps(clicks), encoding="utf-8")
    marks, repairs = read(own, "points", one)
    assert [mark.class_index for mark in marks] == [2]
    assert list(repairs.values()) == [1]
    assert not read(own, "points", third)[0]
    with pytest.raises(UserError, match=f"{other} has a click of class 6, which is no object"):
        read(own, "points", other)
    (notice,) = supervision("points", "test").notices(own)
    assert "1 images that are not there: nobody" in notice


def test_images_without_marks_and_repairs_are_said(
    own: DatasetFolder, make_cell: MakeCell, places: Places
) -> None:
    from scribblebench.sources.checks import check
    from scribblebench.sources.survey import survey

    image = own.ids("train")[1]
    clicks = json.loads((own.root / CARD.layout.clicks).read_text(encoding="utf-8"))
    clicks[image] = [{"x": 500, "y": 1, "cls": 1}]
    (own.root / CARD.layout.clicks).write_text(json.dumps(clicks), encoding="utf-8")
    marks = supervision("points", "test").files()
    train = survey(own, "train", strokes=False, masks=False, marks=marks)
    val = survey(own, "val", strokes=False, masks=True)
    warnings = check(own, train, val)
    assert any(f"1 of 24 training images have no points, such as {image}" in line for line in warnings)
    assert any("1 clicks outside the image" in line for line in warnings)


def test_without_annotation_files_boxes_are_the_masks_parts_and_it_is_said(own: DatasetFolder) -> None:
    shutil.rmtree(own.root / CARD.layout.boxes)
    assert "connected parts of 40 pixels" in supervision("boxes", "test").notices(own)[0]
    for image in own.ids("train")[:6]:
        mask = own.mask(image)
        for mark in read(own, "boxes", image)[0]:
            rows, columns = window(mark)
            part = mask[rows, columns] == mark.class_index
            assert part[0].any()
            assert part[-1].any()
            assert part[:, 0].any()
            assert part[:, -1].any()
    # Tags come from the clicks then, and from the masks where there are none of these either.
    before = [mark.class_index for mark in read(own, "tags", image)[0]]
    assert not supervision("tags", "test").notices(own)
    (own.root / CARD.layout.clicks).unlink()
    assert "classes of the masks" in supervision("tags", "test").notices(own)[0]
    assert [mark.class_index for mark in read(own, "tags", image)[0]] == before


def test_without_anything_there_is_one_line(own: DatasetFolder) -> None:
    (own.root / CARD.layout.clicks).unlink()
    with pytest.raises(UserError, match="No clicks in"):
        read(own, "points", own.ids("train")[0])


def test_cells_of_marks_are_told_apart_by_variant_and_marks_alone(make_cell: MakeCell) -> None:
    cell = make_cell("baseline", rate=0.0)
    marks = {f"{kind} 1": kind for kind in MARKS}
    train = msgspec.structs.replace(cell.train, marks=marks)
    cells = [
        seeing(msgspec.structs.replace(cell, train=train), kind) for kind in (*MARKS, "strokes", "masks")
    ]
    assert len({one.id for one in cells}) == 5
    without = msgspec.structs.replace(train, strokes="other", masks="other")
    assert msgspec.structs.replace(cells[1], train=without).id == cells[1].id
    dropped = msgspec.structs.replace(cells[1], variant=VariantSpec.of("drop", 0.5))
    assert dropped.id != cells[1].id
