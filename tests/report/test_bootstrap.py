from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scribblebench.core.seeds import rng
from scribblebench.report.bootstrap import image_weights, resampled_miou, seed_weights
from scribblebench.store.confusion import PerImageConfusion, mean_iou


def some(images: int, classes: int = 4) -> PerImageConfusion:
    matrices = rng("some", images).integers(0, 9, (images, classes, classes))
    matrices[1:, -1, :] = 0  # the last class occurs in the first image only: some resamples lack it
    matrices[1:, :, -1] = 0
    return PerImageConfusion(tuple(str(i) for i in range(images)), matrices)


def test_the_matrix_product_equals_a_loop_over_drawn_images() -> None:
    scored = some(images=6)
    weights = image_weights(6, resamples=50)
    found = resampled_miou(scored.intersections(), scored.unions(), weights)
    for row, miou in zip(weights.astype(int), found, strict=True):
        drawn = [scored.matrices[i] for i in range(6) for _ in range(row[i])]
        assert miou == pytest.approx(mean_iou(np.sum(drawn, axis=0)), abs=1e-12)


def test_the_first_column_is_the_estimate_itself() -> None:
    scored = some(images=6)
    found = resampled_miou(scored.intersections(), scored.unions(), image_weights(6, 5))
    assert found[0] == pytest.approx(mean_iou(scored.total()))


def test_resamples_draw_as_many_as_there_are() -> None:
    assert (image_weights(7, 30).sum(axis=1) == 7).all()


def test_more_resamples_begin_with_the_fewer() -> None:
    assert np.array_equal(image_weights(7, 30)[:11], image_weights(7, 10))


@given(st.integers(2, 9))
def test_a_row_leaves_one_seed_out_and_the_first_none(seeds: int) -> None:
    weights = seed_weights(seeds)
    assert weights[0].tolist() == pytest.approx([1 / seeds] * seeds)
    for left_out, row in enumerate(weights[1:]):
        assert row[left_out] == 0
        assert np.delete(row, left_out).tolist() == pytest.approx([1 / (seeds - 1)] * (seeds - 1))
