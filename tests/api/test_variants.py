"""The Python functions give what the command line gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import scribblebench as sb
from scribblebench.cli.main import main
from scribblebench.core.errors import UserError
from scribblebench.core.library import Library
from scribblebench.sources.folder import open_dataset
from scribblebench.sources.variant import open_variant
from scribblebench.store.record import read_record


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    ("arguments", "degradations"),
    [
        ("", {}),
        ("--drop 0.4 --unit stroke --seed 3", {"drop": {"rate": 0.4, "unit": "stroke"}}),
        ("--drop 0.4 --shrink 0.5 --combine --seed 3", {"drop": 0.4, "shrink": 0.5}),
    ],
)
def test_a_variant_has_the_bytes_of_the_command_line(
    arguments: str, degradations: dict[str, object], mini: Path, tmp_path: Path
) -> None:
    main(["make-dataset", "--data-dir", str(mini), "--out", str(tmp_path / "cli"), *arguments.split()])
    seed = 3 if degradations else 0
    made = sb.make_variant(tmp_path / "api", degradations, data_dir=mini, seed=seed)
    assert contents(made.root) == contents(tmp_path / "cli")


def test_strokes_in_memory_are_those_of_the_variant(mini: Path, tmp_path: Path) -> None:
    steps = {"drop": 0.3, "shrink": 0.7, "thicken": 0.5}
    variant = sb.make_variant(tmp_path / "made", steps, data_dir=mini, seed=1)
    source = open_dataset(Library().dataset("toy"), mini)
    for image in variant.ids:
        drawn, _ = source.read(image)
        size, mask = (drawn.height, drawn.width), source.mask(image)
        strokes = [(stroke.class_index, stroke.points) for stroke in drawn.strokes]
        kept = sb.degrade(strokes, steps, size, image=image, seed=1, classes=6, mask=mask)
        assert np.array_equal(sb.draw(kept, size, degradations=steps), variant.label(image))


def test_a_loaded_variant_is_a_torch_dataset(mini: Path, tmp_path: Path) -> None:
    made = sb.make_variant(tmp_path / "made", {"shrink": 1}, data_dir=mini)
    data = sb.load_variant(made.root, data_dir=mini)
    assert (len(data), data.classes[0], data.ignore_index) == (24, "background", 255)
    batch, labels, ids = next(iter(torch.utils.data.DataLoader(data, batch_size=2)))
    path = mini / "JPEGImages" / f"{ids[1]}.png"
    assert np.array_equal(batch[1].permute(1, 2, 0), np.asarray(Image.open(path).convert("RGB")))
    assert np.array_equal(labels[1], np.asarray(Image.open(made.label_path(ids[1]))))
    assert (batch.dtype, labels.dtype) == (torch.uint8, torch.int64)


def test_a_transform_sees_both_and_replaces_both(mini: Path) -> None:
    data = sb.load_truth(data_dir=mini, transform=lambda picture, label: (picture[:8, :9], int(label.max())))
    picture, label, image = data[0]
    assert picture.shape == (8, 9, 3)
    assert label == open_dataset(Library().dataset("toy"), mini).mask(image).max()


def test_a_changed_label_map_is_refused(mini: Path, tmp_path: Path) -> None:
    made = sb.make_variant(tmp_path / "made", data_dir=mini)
    label = made.label(made.ids[0]).copy()
    label[0, 0] = 1 - (label[0, 0] == 1)
    Image.fromarray(label).save(made.label_path(made.ids[0]))
    data = sb.load_variant(open_variant(made.root), data_dir=mini)
    with pytest.raises(UserError, match="is not the label map that was made"):
        data[0]


def test_mean_iou_is_that_of_the_record(mini: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    truth = sb.load_truth(data_dir=mini, transform=lambda picture, label: (picture, label))
    predicted = {}
    for _, label, image in truth:
        predicted[image] = np.roll(np.where(label == 255, 0, label), 5, axis=1).astype(np.uint8)
        Path("out").mkdir(exist_ok=True)
        Image.fromarray(predicted[image]).save(f"out/{image}.png")
    main(["evaluate", "--predictions", "out", "--as", "mine", "--variant", "none", "--data-dir", str(mini)])
    record = read_record(next(Path("results/runs").glob("*.json")))
    given = (list(predicted.values()), [label for _, label, _ in truth], len(truth.classes))
    assert sb.mean_iou(*given) == record.miou
    assert sb.class_iou(*given).tolist() == pytest.approx(
        [float("nan") if score is None else score for score in record.iou], abs=0, nan_ok=True
    )


@pytest.mark.parametrize(
    ("degradations", "message"),
    [
        ({"shrnk": 0.5}, "Did you mean 'shrink'"),
        ({"shrink": 1.5}, "1.5 does not fit. It takes: number from 0 to 1"),
        ({"drop": {"rate": 0.5, "unit": "pixel"}}, "unit: 'pixel' is not one of object, stroke, class"),
        ({"drop": {"unit": "stroke"}}, r"rate: None does not fit"),
    ],
)
def test_bad_degradations_are_told_and_nothing_is_written(
    degradations: dict[str, object], message: str, mini: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=message):
        sb.make_variant(tmp_path / "made", degradations, data_dir=mini)
    assert list(tmp_path.iterdir()) == []


def test_bad_arrays_are_refused() -> None:
    with pytest.raises(ValueError, match=r"points of shape \(2,\)"):
        sb.draw([(1, [3, 4])], (9, 9))
    with pytest.raises(ValueError, match="mask has shape"):
        sb.degrade([], {}, (9, 9), image="a", mask=np.zeros((3, 3)))
    with pytest.raises(ValueError, match="300"):
        sb.mean_iou([np.array([0])], [np.array([300])], classes=2)
    with pytest.raises(ValueError, match=r"longer|shorter"):
        sb.mean_iou([np.array([0])], [], classes=2)


def test_importing_costs_no_torch_and_every_name_is_there() -> None:
    program = (
        "import sys, scribblebench as sb\n"
        "heavy = {'torch', 'numpy', 'pandas', 'skimage'}\n"
        "assert not heavy & set(sys.modules)\n"
        "assert sb.mean_iou([[0]], [[0]], classes=1) == 1\n"
        "assert 'torch' not in sys.modules\n"
        "assert set(sb.__all__) <= set(dir(sb))\n"
        "[getattr(sb, name) for name in sb.__all__ if name != '__version__']"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
