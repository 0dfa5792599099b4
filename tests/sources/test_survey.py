from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image

from scribblebench.core.errors import UserError
from scribblebench.core.library import Library
from scribblebench.scribbles.png import encode_labels
from scribblebench.sources import survey as module
from scribblebench.sources.checks import check
from scribblebench.sources.folder import DatasetFolder, open_dataset
from scribblebench.sources.spec import VariantSpec
from scribblebench.sources.survey import Survey, survey
from scribblebench.sources.variant import make_variant


@pytest.fixture
def dataset(mini: Path, tmp_path: Path) -> DatasetFolder:
    """A folder of one's own, written long ago."""
    folder = tmp_path / "source"
    shutil.copytree(mini, folder)
    return open_dataset(Library().dataset("toy"), folder)


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files count as settled at once."""
    monkeypatch.setattr(module, "SETTLED", -(10**12))


def look(dataset: DatasetFolder, split: str = "train", memory: Path | None = None, **kinds: bool) -> Survey:
    return survey(dataset, split, **{"strokes": True, "masks": True, **kinds}, memory=memory)


def first(dataset: DatasetFolder, split: str = "train") -> str:
    return sorted(dataset.ids(split))[0]


def edit_photograph(dataset: DatasetFolder, image: str) -> None:
    path = dataset.image_path(image)
    pixels = np.array(Image.open(path))
    pixels[0, 0, 0] ^= 1
    Image.fromarray(pixels).save(path)


def edit_mask(dataset: DatasetFolder, image: str) -> None:
    mask = dataset.mask(image)
    mask[0, 0] = 1 - min(mask[0, 0], 1)
    dataset.mask_path(image).write_bytes(encode_labels(mask))


def edit_strokes(dataset: DatasetFolder, image: str) -> None:
    path = dataset.root / dataset.card.layout.strokes / f"{image}.xml"
    text = path.read_text(encoding="utf-8")
    at = text.index("<X>") + 3
    path.write_text(text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :], encoding="utf-8")


@pytest.mark.parametrize(
    ("edit", "kind"),
    [(edit_photograph, "photographs"), (edit_mask, "masks"), (edit_strokes, "strokes")],
)
def test_an_edit_changes_the_digest_of_its_kind_alone(dataset: DatasetFolder, edit: Any, kind: str) -> None:
    before = look(dataset).digests
    edit(dataset, first(dataset))
    after = look(dataset).digests
    changed = {k for k in before.__struct_fields__ if getattr(before, k) != getattr(after, k)}
    assert changed == {kind}


def test_digests_are_of_content_alone(dataset: DatasetFolder) -> None:
    before = look(dataset).digests
    image = first(dataset)
    with Image.open(dataset.image_path(image)) as picture:
        picture.save(dataset.image_path(image), compress_level=9)
    path = dataset.list_path("train")
    assert path is not None
    path.write_text("\n".join(reversed(path.read_text(encoding="utf-8").split())), encoding="utf-8")
    assert look(dataset).digests == before


def test_files_are_read_once_until_they_change(
    dataset: DatasetFolder, tmp_path: Path, settled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory, read = tmp_path / "memory.json", []
    original = module.read_photograph

    def counted(path: Path) -> Any:
        read.append(path.stem)
        return original(path)

    monkeypatch.setattr(module, "read_photograph", counted)
    before = look(dataset, memory=memory)
    assert sorted(read) == sorted(dataset.ids("train"))
    read.clear()
    assert look(dataset, memory=memory) == before
    assert read == []
    path = dataset.image_path(first(dataset))
    times = path.stat()
    edit_photograph(dataset, path.stem)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # whoever swaps a file may keep its date
    after = look(dataset, memory=memory)
    assert read == [path.stem]
    assert after.digests.photographs != before.digests.photographs


def test_a_file_written_a_moment_ago_is_not_trusted(dataset: DatasetFolder, tmp_path: Path) -> None:
    memory = tmp_path / "memory.json"
    edit_mask(dataset, first(dataset))
    look(dataset, memory=memory)
    kept = msgspec.json.decode(memory.read_bytes())["found"]["masks"]
    assert first(dataset) not in kept


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b'{"made_by": "x", "found": {}}'])
def test_a_damaged_memory_only_costs_time(dataset: DatasetFolder, tmp_path: Path, content: bytes) -> None:
    memory = tmp_path / "memory.json"
    memory.write_bytes(content)
    assert look(dataset, memory=memory).digests == look(dataset).digests


def test_a_memory_that_was_changed_is_not_believed(
    dataset: DatasetFolder, tmp_path: Path, settled: None
) -> None:
    memory = tmp_path / "memory.json"
    sound = look(dataset, memory=memory).digests
    image = first(dataset)
    digest = msgspec.json.decode(memory.read_bytes())["found"]["photographs"][image][1][0]
    other = ("0" if digest[0] != "0" else "1") + digest[1:]
    memory.write_bytes(memory.read_bytes().replace(digest.encode(), other.encode()))
    assert look(dataset, memory=memory).digests == sound


def test_only_what_is_needed_is_looked_at(dataset: DatasetFolder) -> None:
    shutil.rmtree(dataset.root / dataset.card.layout.strokes)
    found = look(dataset, "val", strokes=False)
    assert not found.strokes
    assert found.digests.strokes == ""
    assert len(found.masks) == len(dataset.ids("val"))


def test_files_at_fault_are_named_together(dataset: DatasetFolder) -> None:
    missing, strange, *_ = sorted(dataset.ids("val"))
    dataset.mask_path(missing).unlink()
    mask = dataset.mask(strange)
    mask[:2] = 254
    dataset.mask_path(strange).write_bytes(encode_labels(mask))
    with pytest.raises(UserError) as caught:
        look(dataset, "val", strokes=False)
    text = str(caught.value)
    assert "2 of 8 val images cannot be used" in text
    assert f"{missing}.png" in text
    assert f"{strange}.png holds the label 254" in text


def test_a_variant_knows_its_source_without_reading_it(dataset: DatasetFolder, tmp_path: Path) -> None:
    known = look(dataset).digests
    for spec in (VariantSpec.of("shrink", 0.5), VariantSpec.of("drop", 0.3)):
        made = make_variant(dataset, "train", spec, tmp_path / spec.id)
        assert made.manifest.made_from(known)
    edit_mask(dataset, first(dataset))
    later = look(dataset).digests
    answers = [make.manifest.made_from(later) for make in (_open(tmp_path / n) for n in _NAMES)]
    assert answers == [True, False]  # shrinking looks at no mask
    edit_strokes(dataset, first(dataset))
    assert not _open(tmp_path / _NAMES[0]).manifest.made_from(look(dataset).digests)


_NAMES = ("shrink-0.5-seed0", "drop-0.3-seed0")


def _open(folder: Path) -> Any:
    from scribblebench.sources.variant import open_variant

    return open_variant(folder)


def checked(dataset: DatasetFolder) -> tuple[str, ...]:
    return check(dataset, look(dataset, masks=False), look(dataset, "val", strokes=False))


def test_ordinary_data_is_worth_no_word(dataset: DatasetFolder) -> None:
    assert checked(dataset) == ()


def repaint(dataset: DatasetFolder, split: str, change: Any) -> None:
    for image in dataset.ids(split):
        dataset.mask_path(image).write_bytes(encode_labels(change(dataset.mask(image))))


def test_masks_without_a_class_are_told(dataset: DatasetFolder) -> None:
    repaint(dataset, "val", lambda mask: np.where(mask == 2, 0, mask).astype(np.uint8))
    assert checked(dataset) == ("class 'starfish' has no true pixel in any val mask",)


def test_white_masks_are_recognised(dataset: DatasetFolder) -> None:
    repaint(dataset, "val", lambda mask: np.where(mask > 0, 255, 0).astype(np.uint8))
    warnings = checked(dataset)
    assert len(warnings) == 5
    assert all("the masks hold only 0 and 255" in warning for warning in warnings)


def test_void_masks(dataset: DatasetFolder) -> None:
    image = first(dataset, "val")
    dataset.mask_path(image).write_bytes(encode_labels(np.full_like(dataset.mask(image), 255)))
    assert any(f"1 of 8 val masks have no pixel to score, such as {image}" in w for w in checked(dataset))
    repaint(dataset, "val", lambda mask: np.full_like(mask, 255))
    with pytest.raises(UserError, match="Not one pixel of the 8 val masks has a class"):
        checked(dataset)


def test_no_stroke_at_all_is_nothing_to_learn_from(dataset: DatasetFolder) -> None:
    for image in dataset.ids("train"):
        path = dataset.root / dataset.card.layout.strokes / f"{image}.xml"
        text = path.read_text(encoding="utf-8")
        path.write_text(text[: text.index("\t<polygon>")] + "</annotation>\n", encoding="utf-8")
    with pytest.raises(UserError, match="Not one of the 24 training images has a stroke"):
        checked(dataset)


def test_images_in_both_splits_are_refused(dataset: DatasetFolder) -> None:
    train, val = dataset.list_path("train"), dataset.list_path("val")
    assert train is not None
    assert val is not None
    val.write_text(
        val.read_text(encoding="utf-8") + train.read_text(encoding="utf-8").split()[0] + "\n",
        encoding="utf-8",
    )
    with pytest.raises(UserError, match=r"1 images of .* are in train and val"):
        checked(open_dataset(dataset.card, dataset.root))


def test_strokes_that_cover_much_are_told(dataset: DatasetFolder) -> None:
    image = first(dataset)
    path = dataset.root / dataset.card.layout.strokes / f"{image}.xml"
    points = "".join(
        f"<point><X>{x}</X><Y>{y}</Y></point>" for y in range(0, 96, 2) for x in (0, 96)[:: 1 - y % 4]
    )
    text = path.read_text(encoding="utf-8")
    start = text.index("\t<polygon>")
    path.write_text(
        f"{text[:start]}<polygon><tag>fish</tag>{points}</polygon></annotation>", encoding="utf-8"
    )
    assert any(f"on 1 of 24 training images, such as {image}" in warning for warning in checked(dataset))
