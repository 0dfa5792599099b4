from __future__ import annotations

import errno
import itertools
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scribblebench.core.cards import DatasetCard
from scribblebench.core.errors import UserError
from scribblebench.pictures.labels import read_labels
from scribblebench.scribbles.draw import draw
from scribblebench.scribbles.xml import read_xml
from scribblebench.sources import workers
from scribblebench.sources.folder import DatasetFolder, open_dataset
from scribblebench.sources.spec import Step, VariantSpec
from scribblebench.sources.variant import ensure_variant, make_variant, open_variant, source_fingerprint

SHRINK = VariantSpec.of("shrink", 0.5)
DROP = VariantSpec.of("drop", 0.5, droppable="all")


@pytest.fixture
def dataset(small: Path, card: DatasetCard) -> DatasetFolder:
    return open_dataset(card, small)


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def nothing_was_left(folder: Path) -> bool:
    return [p.name for p in folder.iterdir() if not p.name.endswith(".lock")] == []


def test_a_variant_holds_what_its_manifest_says(dataset: DatasetFolder, tmp_path: Path) -> None:
    variant = make_variant(dataset, "train", SHRINK, tmp_path / "v")
    assert variant.ids == sorted(dataset.ids("train"))
    for record in variant.manifest.images:
        label = read_labels(variant.label_path(record.image))
        data = variant.annotation_path(record.image).read_bytes()
        written, _ = read_xml(data, record.image, dataset.card.class_of)
        # The label map is drawn from what is written, in whole pixels.
        np.testing.assert_array_equal(label, draw(written))
        assert all((s.points == np.round(s.points)).all() for s in written.strokes)
        assert record.pixels == np.count_nonzero(label != 255)
        assert len(written.strokes) == len(record.kept) == record.strokes
        for stroke, points in record.exact.items():
            for position, x, y in points:
                assert np.abs(written.strokes[int(stroke)].points[position] - (x, y)).max() <= 0.5
    assert variant.manifest.totals.strokes == sum(len(r.kept) for r in variant.manifest.images)
    assert set(p.name for p in (tmp_path / "v").iterdir()) == {
        *("manifest.json", "croissant.json", "pascal_2012_scribble", "scribble_annotation")
    }


def test_an_image_that_loses_everything_stays(dataset: DatasetFolder, tmp_path: Path) -> None:
    spec = VariantSpec.of("drop", 1.0, droppable="all")
    variant = make_variant(dataset, "train", spec, tmp_path / "v")
    assert variant.manifest.totals.images_without_strokes == len(variant.ids) == 12
    assert (read_labels(variant.label_path("train_000")) == 255).all()


def test_the_undegraded_variant_is_the_source(dataset: DatasetFolder, tmp_path: Path) -> None:
    variant = make_variant(dataset, "train", VariantSpec(), tmp_path / "none")
    source = dataset.root / "scribble_annotation/pascal_2012"
    for image in variant.ids:
        assert variant.annotation_path(image).read_bytes() == (source / f"{image}.xml").read_bytes()


@pytest.mark.parametrize("spec", [SHRINK, DROP], ids=lambda spec: spec.id)
def test_order_and_company_of_images_change_nothing(
    dataset: DatasetFolder, tmp_path: Path, spec: VariantSpec
) -> None:
    whole = make_variant(dataset, "train", spec, tmp_path / "whole")
    path = dataset.list_path("train")
    assert path is not None
    ids = path.read_text().split()
    random.Random(3).shuffle(ids)  # noqa: S311 - a test's own choice
    path.write_text("\n".join(ids))
    assert make_variant(dataset, "train", spec, tmp_path / "mixed").fingerprint == whole.fingerprint
    assert files(tmp_path / "mixed") == files(tmp_path / "whole")
    path.write_text("\n".join(ids[:5]))
    some = make_variant(dataset, "train", spec, tmp_path / "some")
    assert [r for r in whole.manifest.images if r.image in some.ids] == list(some.manifest.images)
    assert some.fingerprint != whole.fingerprint


def test_the_number_of_processes_changes_nothing(
    dataset: DatasetFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = make_variant(dataset, "train", SHRINK, tmp_path / "one")
    monkeypatch.setattr(workers, "_CHUNK", 2)
    two = make_variant(dataset, "train", SHRINK, tmp_path / "two", workers=2)
    assert files(one.root) == files(two.root)


def test_variants_are_nested_on_disk(dataset: DatasetFolder, tmp_path: Path) -> None:
    specs = [VariantSpec.of("drop", rate) for rate in (0.1, 0.3, 0.6)]
    variants = [ensure_variant(dataset, spec, tmp_path) for spec in specs]
    kept = [{r.image: set(r.kept) for r in variant.manifest.images} for variant in variants]
    assert all(more[i] <= less[i] for less, more in itertools.pairwise(kept) for i in less)
    assert kept[0] != kept[2]


def test_fingerprints_are_of_meaning_and_not_of_bytes(dataset: DatasetFolder, tmp_path: Path) -> None:
    spec = VariantSpec.of("drop", 0.0)
    before = make_variant(dataset, "train", spec, tmp_path / "a")
    assert source_fingerprint(dataset, "train") == before.manifest.source.fingerprint
    mask = dataset.mask_path("train_000")
    with Image.open(mask) as picture:
        picture.load()
        picture.save(mask, compress_level=9)
    xml = dataset.root / "scribble_annotation/pascal_2012/train_000.xml"
    xml.write_text(xml.read_text().replace("\t", " "))
    assert make_variant(dataset, "train", spec, tmp_path / "b").manifest == before.manifest
    xml.write_text(xml.read_text().replace("<tag>fish", "<tag>eel").replace("<tag>background", "<tag>eel"))
    after = make_variant(dataset, "train", spec, tmp_path / "c")
    assert after.fingerprint != before.fingerprint
    assert after.manifest.source.fingerprint != before.manifest.source.fingerprint


def test_a_rule_that_ignores_masks_has_a_fingerprint_without_them(
    dataset: DatasetFolder, tmp_path: Path
) -> None:
    source = make_variant(dataset, "train", SHRINK, tmp_path / "a").manifest.source
    assert source.masks is False
    assert source.fingerprint == source_fingerprint(dataset, "train", masks=False)
    assert source.fingerprint != source_fingerprint(dataset, "train")


def test_a_variant_that_is_there_is_not_made_again(dataset: DatasetFolder, tmp_path: Path) -> None:
    first = ensure_variant(dataset, SHRINK, tmp_path)
    assert first.root == tmp_path / "shrink-0.5-seed0"
    stamp = first.label_path("train_000").stat().st_mtime_ns
    assert ensure_variant(dataset, SHRINK, tmp_path).manifest == first.manifest
    assert first.label_path("train_000").stat().st_mtime_ns == stamp


def test_another_variant_or_other_data_in_its_place_is_refused(
    dataset: DatasetFolder, tmp_path: Path
) -> None:
    make_variant(dataset, "train", SHRINK, tmp_path / "v")
    with pytest.raises(UserError, match=r"holds the variant shrink-0\.5-seed0 of toy train, not drop-0\.5"):
        make_variant(dataset, "train", DROP, tmp_path / "v")
    with pytest.raises(UserError, match=r"not shrink.* of toy val"):
        make_variant(dataset, "val", SHRINK, tmp_path / "v")
    xml = dataset.root / "scribble_annotation/pascal_2012/train_001.xml"
    xml.write_text(xml.read_text().replace("<X>", "<X>1", 1))
    with pytest.raises(UserError, match="made from other data"):
        make_variant(dataset, "train", SHRINK, tmp_path / "v")


def test_a_folder_of_something_else_is_refused_and_left_alone(dataset: DatasetFolder, tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    (tmp_path / "v/thesis.tex").write_text("precious")
    with pytest.raises(UserError, match="holds something else"):
        make_variant(dataset, "train", SHRINK, tmp_path / "v")
    assert files(tmp_path / "v") == {"thesis.tex": b"precious"}
    (tmp_path / "empty").mkdir()
    assert make_variant(dataset, "train", SHRINK, tmp_path / "empty").ids


XML = "scribble_annotation/pascal_2012/{}.xml"
MASK = "SegmentationClassAug/{}.png"
FILES = ("JPEGImages/{}.png", MASK, XML)
SPOILS: dict[str, Callable[[Path, str], object]] = {
    "malformed XML": lambda root, i: (root / XML.format(i)).write_text("<annotation>"),
    "unknown tag": lambda root, i: edit(root, i, "<tag>", "<tag>x"),
    "not a finite number": lambda root, i: edit(root, i, "<X>", "<X>nan"),
    "but the photograph has": lambda root, i: edit(root, i, "<width>", "<width>1"),
    "cannot be read (No such file": lambda root, i: (root / XML.format(i)).unlink(),
    "/JPEGImages/{}.png is missing": lambda root, i: (root / f"JPEGImages/{i}.png").unlink(),
    "/SegmentationClassAug/{}.png is missing": lambda root, i: (root / MASK.format(i)).unlink(),
    "9 x 9 pixels": lambda root, i: Image.new("L", (9, 9)).save(root / MASK.format(i)),
}


def edit(root: Path, image: str, old: str, new: str) -> None:
    path = root / XML.format(image)
    path.write_text(path.read_text().replace(old, new, 1))


@pytest.mark.parametrize("message", SPOILS)
@pytest.mark.parametrize("spec", [SHRINK, DROP], ids=lambda spec: spec.id)
def test_bad_input_is_listed_and_nothing_written(
    dataset: DatasetFolder, tmp_path: Path, message: str, spec: VariantSpec
) -> None:
    bad = dataset.ids("train")[:11]
    for image in bad:
        SPOILS[message](dataset.root, image)
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(UserError, match="11 of 12 images cannot be used, so nothing was written") as caught:
        make_variant(dataset, "train", spec, out / "v")
    lines = str(caught.value).split("\n")
    assert len(lines) == 12
    assert lines[-1].strip() == "... and 1 more"
    for line, image in zip(lines[1:-1], bad, strict=False):
        assert image in line
        assert message.format(image) in line
    assert nothing_was_left(out)


def test_repairs_are_counted(dataset: DatasetFolder, tmp_path: Path) -> None:
    edit(dataset.root, "train_000", "</polygon>", "<point><X>500</X><Y>3</Y></point></polygon>")
    edit(dataset.root, "train_001", "<polygon>", "<polygon><tag>eel</tag></polygon><polygon>")
    repairs = make_variant(dataset, "train", SHRINK, tmp_path / "v").manifest.repairs
    assert repairs["points outside the image, cut off"] == 1
    assert repairs["strokes without a point, left out"] == 1


def test_a_full_disk_leaves_nothing(
    dataset: DatasetFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, count = Path.write_bytes, itertools.count()

    def until_full(path: Path, data: bytes) -> int:
        if next(count) > 9:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return write(path, data)

    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.setattr(Path, "write_bytes", until_full)
    with pytest.raises(UserError, match=r"Cannot write .*: No space left on device"):
        make_variant(dataset, "train", SHRINK, out / "v")
    assert nothing_was_left(out)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_named(dataset: DatasetFolder, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    out.chmod(0o555)
    with pytest.raises(UserError, match="Cannot lock"):
        make_variant(dataset, "train", SHRINK, out / "v")


def test_a_file_in_the_way_is_named(dataset: DatasetFolder, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="Cannot lock"):
        make_variant(dataset, "train", SHRINK, tmp_path / "file/v")


def test_unicode_and_spaces_in_paths_and_ids(dataset: DatasetFolder, tmp_path: Path) -> None:
    root = dataset.root.rename(tmp_path / "Köln 数据 set")
    for name in FILES:
        (root / name.format("train_000")).rename(root / name.format("ünï code"))
    (root / "ImageSets/SegmentationAug/train.txt").write_text("ünï code\ntrain_001\n", encoding="utf-8")
    variant = make_variant(open_dataset(dataset.card, root), "train", DROP, tmp_path / "aus gabe/ü 1")
    assert variant.ids == ["train_001", "ünï code"]
    assert open_variant(variant.root).label_path("ünï code").is_file()


SCRIPT = """
import signal
import sys
import time
from pathlib import Path
from scribblebench.core.library import Library
from scribblebench.sources import folder, job, variant, workers
from scribblebench.sources.spec import VariantSpec

if __name__ == "__main__":
    # A process started behind `&` ignores Ctrl-C from birth; this one must not.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    root, out, count = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    workers._CHUNK = 2
    dataset = folder.open_dataset(Library().dataset("toy"), root)


    def report(done, total):
        print(done, flush=True)
        time.sleep(0.05)  # slow enough to be interrupted

    made = variant.make_variant(dataset, "train", VariantSpec.of("shrink", 0.5), out, count, report)
    print(made.fingerprint, flush=True)
"""


def start(tmp_path: Path, root: Path, out: Path, count: int) -> subprocess.Popen[str]:
    script = tmp_path / "make.py"
    script.write_text(SCRIPT)
    return subprocess.Popen(
        [sys.executable, str(script), str(root), str(out), str(count)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def test_two_processes_that_make_the_same_variant_take_turns(dataset: DatasetFolder, tmp_path: Path) -> None:
    out = tmp_path / "out/v"
    outputs = [p.communicate(timeout=60) for p in [start(tmp_path, dataset.root, out, 1) for _ in range(2)]]
    assert [errors for _, errors in outputs] == ["", ""]
    expected = open_variant(out).fingerprint
    assert [text.split()[-1] for text, _ in outputs] == [expected, expected]
    assert [p.name for p in out.parent.iterdir() if not p.name.endswith(".lock")] == ["v"]


@pytest.fixture
def many(small: Path) -> Path:
    """The small dataset 10 times over, so that there is time to interrupt it."""
    ids = (small / "ImageSets/SegmentationAug/train.txt").read_text().split()
    names = []
    for image, k in itertools.product(ids, range(10)):
        names.append(f"{image}_{k}")
        for name in FILES:
            (small / name.format(names[-1])).symlink_to(small / name.format(image))
    (small / "ImageSets/SegmentationAug/train.txt").write_text("\n".join(names))
    return small


def alive(group: int) -> list[str]:
    """Processes of a group that still run; a zombie only waits to be counted by its parent."""
    command = ["ps", "-eo", "pgid=,stat=,args="]
    table = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [line.split(maxsplit=2) for line in table.splitlines()]
    return [row[-1] for row in rows if row[0] == str(group) and not row[1].startswith("Z")]


@pytest.mark.parametrize("count", [1, 2])
def test_ctrl_c_leaves_nothing_and_no_process(many: Path, tmp_path: Path, count: int) -> None:
    out = tmp_path / "out"
    process = start(tmp_path, many, out / "v", count)
    assert process.stdout is not None
    process.stdout.readline()  # it has begun
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert errors.count("KeyboardInterrupt") == 1
    assert nothing_was_left(out)
    deadline = time.monotonic() + 20
    while alive(process.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(process.pid)


def test_defaults_that_are_spelt_out_are_the_same_variant(dataset: DatasetFolder, tmp_path: Path) -> None:
    make_variant(dataset, "train", VariantSpec.of("shrink", 1), tmp_path / "v")
    same = make_variant(dataset, "train", VariantSpec.of("shrink", 1.0, keep="random"), tmp_path / "v")
    assert same.head.spec == VariantSpec((Step("shrink", 1.0),))
    with pytest.raises(UserError, match="names shrink twice"):
        VariantSpec((Step("shrink", 0.5), Step("shrink", 0.7))).checked()


def test_a_variant_has_a_name_that_says_all_that_is_not_default() -> None:
    spec = VariantSpec(
        degradations=(Step("drop", 0.3, {"unit": "class"}), Step("shrink", 1.0, {"keep": "random"})), seed=4
    )
    assert spec.id == "drop-0.3-unit=class+shrink-1-seed4"
    assert VariantSpec(labels="grey", strokes="png").id == "none-labels=grey-strokes=png"


@pytest.mark.parametrize(
    ("kind", "rate", "options", "message"),
    [
        ("srhink", 0.5, {}, "Unknown degradation 'srhink'. Did you mean 'shrink'"),
        ("shrink", 1.5, {}, "rate"),
        ("shrink", float("nan"), {}, "rate"),
        ("shrink", 0.5, {"kep": "random"}, "kep"),
        ("drop", 0.5, {"unit": "pixel"}, "pixel"),
    ],
)
def test_a_wrong_spec_is_one_clear_line(
    kind: str, rate: float, options: dict[str, str], message: str
) -> None:
    with pytest.raises(UserError) as caught:
        VariantSpec((Step(kind, rate, options),)).checked()
    assert message in str(caught.value)
