"""The toy dataset is what its card says, the same everywhere, and no matter of colour alone."""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from scribblebench.core.errors import UserError
from scribblebench.core.library import Library
from scribblebench.pictures.labels import read_labels
from scribblebench.pictures.palette import voc_palette
from scribblebench.scribbles.draw import draw
from scribblebench.scribbles.stroke import Annotation, same
from scribblebench.scribbles.xml import read_xml, tags_of
from scribblebench.sources import toy
from scribblebench.sources.toy_creatures import KINDS
from scribblebench.sources.toy_hand import annotate
from scribblebench.sources.toy_scene import LEAST_VISIBLE, Scene, make_scene

CARD = Library().dataset("toy")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy.ensure_toy(tmp_path_factory.mktemp("tøy set") / "source")


@pytest.fixture(scope="module")
def scenes() -> list[tuple[str, Scene]]:
    return [(image, make_scene(0, image)) for image in toy.toy_ids()["train"][:60]]


def split(root: Path, name: str) -> tuple[list[str], NDArray[np.uint8], NDArray[np.uint8]]:
    ids = (root / CARD.layout.lists / f"{name}.txt").read_text(encoding="utf-8").split()
    images = [np.array(Image.open(root / CARD.layout.images / f"{i}{CARD.layout.image_suffix}")) for i in ids]
    masks = [read_labels(root / CARD.layout.masks / f"{i}.png") for i in ids]
    return ids, np.stack(images), np.stack(masks)


def test_folder_is_what_the_card_says(root: Path) -> None:
    assert CARD.layout == toy.LAYOUT
    assert CARD.classes == toy.TAGS == tags_of(CARD)
    for name, count in toy.SPLITS.items():
        ids, images, masks = split(root, CARD.splits[name])
        assert len(ids) == len(set(ids)) == count
        assert images.shape == (count, 97, 97, 3)
        assert images.dtype == masks.dtype == np.uint8
        assert set(np.unique(masks)) == set(range(len(CARD.classes)))
        for image in ids:
            xml = (root / CARD.layout.strokes / f"{image}.xml").read_bytes()
            strokes, repairs = read_xml(xml, image, CARD.class_of)
            assert not repairs
            assert same(strokes, annotate(make_scene(0, image), 0, image))
    with Image.open(root / CARD.layout.masks / "train_000.png") as mask:
        assert mask.mode == "P"
        assert mask.getpalette() == voc_palette().ravel().tolist()


def test_pixels_and_strokes_are_those_of_other_machines(root: Path) -> None:
    digest = hashlib.sha256()
    for name in ("train", "val"):
        ids, images, masks = split(root, name)
        digest.update(images.tobytes() + masks.tobytes())
        digest.update(b"".join((root / CARD.layout.strokes / f"{i}.xml").read_bytes() for i in ids))
    assert digest.hexdigest() == "4c09ea66e187b6987fba0e54839f1f192c1c336e740c490fdc7c80c073b3b1fa"


def drawn(annotation: Annotation) -> NDArray[np.uint8]:
    """The strokes as another library draws them: 3 px lines, a point as a 3 x 3 square."""
    picture = Image.new("L", (annotation.width, annotation.height), 255)
    pen = ImageDraw.Draw(picture)
    for stroke in annotation.strokes:
        points = [(x, y) for x, y in stroke.points.tolist()]
        pen.line(points, fill=stroke.class_index, width=3)
        if len(points) == 1:
            (x, y) = points[0]
            pen.rectangle((x - 1, y - 1, x + 1, y + 1), fill=stroke.class_index)
    return np.array(picture)


def test_strokes_keep_to_their_class_and_meet_every_part(scenes: list[tuple[str, Scene]]) -> None:
    labelled, parts_met = 0, []
    for image, scene in scenes:
        annotation = annotate(scene, 0, image)
        label = drawn(annotation)
        for picture in (label, draw(annotation)):
            assert (picture[picture < 255] == scene.mask[picture < 255]).all()
        assert (label == 0).any()
        assert set(np.unique(scene.mask)) == set(np.unique(label)) - {255}
        labelled += int((label < 255).sum())
        for kind in range(1, len(CARD.classes)):
            parts, count = ndimage.label(scene.mask == kind, structure=np.ones((3, 3)))
            large = [k for k in range(1, count + 1) if (parts == k).sum() >= LEAST_VISIBLE]
            parts_met += [bool((label[parts == k] == kind).any()) for k in large]
    assert np.mean(parts_met) > 0.98  # the rest are slivers too thin for a 3 px line
    assert 0.025 < labelled / (97 * 97 * len(scenes)) < 0.05


def test_every_creature_is_seen(scenes: list[tuple[str, Scene]]) -> None:
    y, x = np.mgrid[:97, :97].astype(float)
    for _, scene in scenes:
        assert len(scene.objects) >= 2
        for place, item in enumerate(scene.objects):
            hidden = [other.distance(x, y) < 0 for other in scene.objects[place + 1 :]]
            seen = (item.distance(x, y) < 0) & ~np.any([*hidden, np.zeros((97, 97), bool)], axis=0)
            assert (seen & (scene.mask == item.class_index)).sum() >= LEAST_VISIBLE


def mean_iou(truth: NDArray[np.uint8], guess: NDArray[np.int64]) -> float:
    ious = [((truth == c) & (guess == c)).sum() / ((truth == c) | (guess == c)).sum() for c in range(6)]
    return float(np.mean(ious))


def test_colour_alone_does_not_solve_it(root: Path) -> None:
    _, images, masks = split(root, "train")
    _, val_images, val_masks = split(root, "val")

    def bins(pictures: NDArray[np.uint8]) -> NDArray[np.int64]:
        return (pictures // 22).astype(np.int64) @ np.array([144, 12, 1])

    counts = np.stack([np.bincount(bins(images)[masks == c], minlength=12**3) for c in range(6)]).astype(
        float
    )
    priors = counts.sum(axis=1, keepdims=True)
    # The most probable class of a colour; the same with equal priors; and half-way between.
    scores = [mean_iou(val_masks, (counts / priors**p).argmax(axis=0)[bins(val_images)]) for p in (0, 0.5, 1)]
    assert max(scores) < 0.27  # dense masks, every pixel; 0.13 is "all background"
    means = np.stack([images[masks == c].mean(axis=0) for c in range(6)])
    nearest = np.linalg.norm(val_images[..., None, :] - means, axis=-1).argmin(axis=-1)
    assert mean_iou(val_masks, nearest) < 0.2


def test_an_image_depends_on_its_name_alone() -> None:
    alone = make_scene(0, "val_007")
    make_scene(0, "val_006")
    assert np.array_equal(make_scene(0, "val_007").image, alone.image)
    assert not np.array_equal(make_scene(1, "val_007").image, alone.image)


@pytest.mark.parametrize("kind", KINDS)
def test_spines_run_through_the_body(kind: type) -> None:
    traits = np.random.default_rng(0)
    for _ in range(50):
        creature = kind(tuple(traits.random(4)))
        for spine in creature.spines():
            t = np.linspace(0, len(spine) - 1, 200)
            u, v = (np.interp(t, np.arange(len(spine)), spine[:, axis]) for axis in (0, 1))
            assert (creature.distance(u, v) < 0).mean() > 0.9


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toy, "SPLITS", {"train": 3, "val": 2})


@pytest.mark.usefixtures("small")
def test_made_once_and_again_after_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = toy.ensure_toy(tmp_path / "source")
    (root / "mark").touch()
    toy.ensure_toy(root)
    assert (root / "mark").exists()
    monkeypatch.setattr(toy, "GENERATOR", toy.GENERATOR + 1)
    toy.ensure_toy(root)
    assert not (root / "mark").exists()
    assert json.loads((root / "toy.json").read_text(encoding="utf-8"))["generator"] == toy.GENERATOR
    assert [p.name for p in tmp_path.iterdir() if p.suffix != ".lock"] == ["source"]


@pytest.mark.usefixtures("small")
def test_several_at_once(tmp_path: Path) -> None:
    threads = [threading.Thread(target=toy.ensure_toy, args=(tmp_path / "source",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list((tmp_path / "source" / "JPEGImages").iterdir())) == 5


def test_refuses_a_folder_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "photos.zip").touch()
    with pytest.raises(UserError, match="something other than the toy dataset"):
        toy.ensure_toy(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["photos.zip"]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(UserError, match="Cannot"):
        toy.ensure_toy(tmp_path / "data" / "toy" / "source")
