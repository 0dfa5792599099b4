from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.classification import MulticlassJaccardIndex

from scribblebench.core.errors import UserError
from scribblebench.core.seeds import rng
from scribblebench.store.confusion import PerImageConfusion, confusion, iou, mean_iou


@settings(deadline=None, max_examples=40)
@given(classes=st.integers(2, 30), ignore=st.sampled_from([255, 40]), seed=st.integers(0, 999))
def test_counts_equal_a_loop_over_pixels(classes: int, ignore: int, seed: int) -> None:
    draw = rng("pixels", seed)
    truth = draw.integers(0, classes, (7, 9)).astype(np.uint8)
    truth[draw.random(truth.shape) < 0.3] = ignore
    prediction = draw.integers(0, classes, truth.shape)
    expected = np.zeros((classes, classes), dtype=np.int64)
    for t, p in zip(truth.ravel(), prediction.ravel(), strict=True):
        if t != ignore:
            expected[t, p] += 1
    for dtype in (np.uint8, np.int64, np.int32):
        found = confusion(prediction.astype(dtype), truth, classes, ignore)
        assert found.dtype == np.int64
        assert np.array_equal(found, expected)


def test_the_largest_number_of_classes_fits() -> None:
    truth = np.full((1, 3), 253, dtype=np.uint8)
    assert confusion(truth, truth, 254, 255)[253, 253] == 3


@pytest.mark.parametrize("used", [21, 9])  # 9: some classes appear nowhere
def test_miou_equals_torchmetrics(used: int) -> None:
    draw = rng("miou", used)
    truth = draw.integers(0, used, (40, 60)).astype(np.uint8)
    prediction = np.where(draw.random(truth.shape) < 0.6, truth, draw.integers(0, used, truth.shape))
    truth[:4] = 255
    metric = MulticlassJaccardIndex(num_classes=21, ignore_index=255)
    metric.update(torch.from_numpy(prediction), torch.from_numpy(truth.astype(np.int64)))
    matrix = confusion(prediction, truth, 21, 255)
    assert mean_iou(matrix) == pytest.approx(float(metric.compute()), abs=1e-6)
    assert np.isnan(iou(matrix)).sum() == 21 - used


def test_a_class_that_is_only_predicted_counts_as_zero() -> None:
    matrix = confusion(np.array([0, 0, 1]), np.zeros(3, dtype=np.uint8), 3, 255)
    assert iou(matrix).tolist()[:2] == [2 / 3, 0.0]
    assert mean_iou(matrix) == pytest.approx(1 / 3)


def test_nothing_scored_has_no_miou() -> None:
    assert np.isnan(mean_iou(np.zeros((3, 3), dtype=np.int64)))


@pytest.mark.parametrize(
    ("prediction", "truth", "said"),
    [
        ([[0, 1]], [[0, 1, 1]], "shape"),
        ([[0, 3]], [[0, 1]], "prediction holds 0 to 3"),
        ([[0, -1]], [[0, 1]], "prediction holds -1"),
        ([[0, 1]], [[0, 7]], r"\[7\]"),
    ],
)
def test_values_that_are_no_class_are_refused(
    prediction: list[list[int]], truth: list[list[int]], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        confusion(np.array(prediction), np.array(truth, dtype=np.uint8), 3, 255)


def some(images: int = 5, classes: int = 21) -> PerImageConfusion:
    draw = rng("matrices", images)
    matrices = draw.integers(0, 2**40, (images, classes, classes))
    matrices[draw.random(matrices.shape) < 0.95] = 0
    return PerImageConfusion(tuple(f"2007_{i:06d}" for i in range(images)), matrices)


def test_matrices_survive_the_file(tmp_path: Path) -> None:
    before = some()
    before.save(tmp_path / "a.npz")
    after = PerImageConfusion.load(tmp_path / "a.npz")
    assert after.ids == before.ids
    assert np.array_equal(after.matrices, before.matrices)
    after.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def with_crf() -> PerImageConfusion:
    one = some()
    return PerImageConfusion(one.ids, one.matrices, one.matrices[::-1].copy())


def test_matrices_after_a_crf_lie_in_the_same_file(tmp_path: Path) -> None:
    before = with_crf()
    before.save(tmp_path / "a.npz")
    after = PerImageConfusion.load(tmp_path / "a.npz")
    assert np.array_equal(after.matrices, before.matrices)
    assert after.crf is not None
    assert np.array_equal(after.crf.matrices, before.matrices[::-1])
    assert after.crf.ids == before.ids
    after.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with pytest.raises(ValueError, match="with it"):
        PerImageConfusion(before.ids, before.matrices, before.matrices[:2])


def test_the_file_is_small(tmp_path: Path) -> None:
    many = some(images=200)
    many.save(tmp_path / "a.npz")
    assert (tmp_path / "a.npz").stat().st_size < many.matrices.nbytes / 5


def test_intersections_and_unions_add_up_to_the_iou() -> None:
    many = some()
    expected = iou(many.total())
    assert np.allclose(many.intersections().sum(axis=0) / many.unions().sum(axis=0), expected)
    assert np.array_equal(many.total(), sum(many.matrices))


def test_a_broken_file_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with pytest.raises(UserError, match="No confusion matrices"):
        PerImageConfusion.load(path)
    some().save(path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UserError, match=r"a\.npz"):
        PerImageConfusion.load(path)
    np.savez(path, ids=np.array([{}], dtype=object))  # a pickle inside
    with pytest.raises(UserError, match=r"a\.npz"):
        PerImageConfusion.load(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ids.npy", "text")
    with pytest.raises(UserError, match=r"a\.npz"):
        PerImageConfusion.load(path)


def test_an_image_counts_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        PerImageConfusion(("a", "a"), np.zeros((2, 3, 3), dtype=np.int64))
