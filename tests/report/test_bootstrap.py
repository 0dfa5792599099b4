from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scribblebench.core.seeds import rng
from scribblebench.report.bootstrap import (
    Estimate,
    holm,
    image_weights,
    one_sided_p,
    resampled_miou,
    seed_weights,
)
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


def test_the_first_row_is_the_estimate_itself() -> None:
    scored = some(images=6)
    found = resampled_miou(scored.intersections(), scored.unions(), image_weights(6, 5))
    assert found[0] == pytest.approx(mean_iou(scored.total()))
    assert seed_weights([3, 1], 5)[0].tolist() == [0.5, 0.5]


def test_resamples_draw_as_many_as_there_are() -> None:
    assert (image_weights(7, 30).sum(axis=1) == 7).all()
    assert np.allclose(seed_weights([0, 1, 2], 30).sum(axis=1), 1)


def test_more_resamples_begin_with_the_fewer_and_seeds_may_come_in_any_order() -> None:
    assert np.array_equal(image_weights(7, 30)[:11], image_weights(7, 10))
    assert np.array_equal(seed_weights([2, 0], 9), seed_weights([0, 2], 9)[:, ::-1])


def test_the_interval_of_a_mean_is_the_textbook_one() -> None:
    # One class, unions all 1: the mIoU is the share of images that are right, whose standard error is known.
    images, right = 400, 0.3
    intersections = (np.arange(images) < right * images).astype(int)[:, None]
    values = resampled_miou(intersections, np.ones_like(intersections), image_weights(images, 4000))
    error = np.sqrt(right * (1 - right) / images)
    estimate = Estimate.of(values)
    assert estimate.value == pytest.approx(right)
    assert estimate.low == pytest.approx(right - 1.96 * error, abs=0.006)
    assert estimate.high == pytest.approx(right + 1.96 * error, abs=0.006)


def test_p_counts_resamples_that_contradict_and_is_never_zero() -> None:
    assert one_sided_p(np.array([1.0, *[1.0] * 99])) == 1 / 100
    assert one_sided_p(np.array([1.0, *[-1.0] * 9, *[1.0] * 90])) == 10 / 100


def test_holm_gives_the_values_of_r() -> None:
    # p.adjust(c(0.01, 0.02, 0.03, 0.005, 0.9), "holm")
    assert holm([0.01, 0.02, 0.03, 0.005, 0.9]) == pytest.approx([0.04, 0.06, 0.06, 0.025, 0.9])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.floats(0.01, 0.2))
def test_holm_rejects_what_the_step_down_procedure_rejects(p: list[float], level: float) -> None:
    order = sorted(range(len(p)), key=lambda i: p[i])
    rejected = set()
    for rank, index in enumerate(order):
        if min(1.0, (len(p) - rank) * p[index]) >= level:
            break
        rejected.add(index)
    assert {i for i, adjusted in enumerate(holm(p)) if adjusted < level} == rejected
