from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scribblebench.report.bootstrap import image_weights
from scribblebench.report.collect import NONE, Variant, gather
from scribblebench.report.comparisons import compare
from scribblebench.report.estimates import Estimates
from scribblebench.report.figures.curves import evidence
from scribblebench.report.published import claims
from scribblebench.store.confusion import PerImageConfusion, mean_iou
from scribblebench.store.record import Record, confusion_path

POINT = Variant("shrink", 1.0)


def loop_miou(folder: Path, record: Record, counts: np.ndarray) -> float:
    scored = PerImageConfusion.load(confusion_path(folder, record.slug))
    return mean_iou(sum(int(n) * m for n, m in zip(counts, scored.matrices, strict=True)))


def test_the_drop_ratio_equals_a_loop_over_seeds_left_out_and_resampled_images(
    make: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "runs"
    none = {seed: make("rw", ("none", 0.0), seed, images=9) for seed in (0, 1, 2)}
    point = {seed: make("rw", ("shrink", 1.0), seed, images=9) for seed in (2, 1, 0)}
    (group,) = gather([folder]).records
    found = Estimates(group, 25).ratio_values("rw", POINT, [0, 1, 2])
    kept = [(0, 1, 2), (1, 2), (0, 2), (0, 1)]
    assert found.shape == (4, 26)
    for images, ratios in zip(image_weights(9, 25), found.T, strict=True):
        for seeds, ratio in zip(kept, ratios, strict=True):
            m0 = sum(loop_miou(folder, none[s], images) for s in seeds)
            m = sum(loop_miou(folder, point[s], images) for s in seeds)
            assert ratio == pytest.approx((m0 - m) / m0)


def test_a_ratio_takes_the_seeds_that_both_cells_share(make: Any, tmp_path: Path) -> None:
    none = [make("rw", ("none", 0.0), seed) for seed in (0, 1, 2)]
    point = make("rw", ("shrink", 1.0), 1)
    e = Estimates(gather([tmp_path / "runs"]).records[0], 100)
    ratio, miou = e.drop_ratio("rw", POINT), e.miou("rw", NONE)
    assert ratio is not None
    assert miou is not None
    assert ratio.value == pytest.approx((none[1].miou - point.miou) / none[1].miou)
    assert miou.value == pytest.approx(np.mean([record.miou for record in none]))


def test_a_cell_still_falling_is_marked_and_on_request_left_out(make: Any, tmp_path: Path) -> None:
    falls = tuple({"epoch": float(epoch), "loss": 2.0 - epoch / 20} for epoch in range(1, 31))
    rests = tuple({"epoch": float(epoch), "loss": 0.1 + 1.9 * 0.7**epoch} for epoch in range(1, 31))
    none = [make("rw", ("none", 0.0), seed, curve=rests) for seed in (0, 1, 2)]
    point = [make("rw", ("shrink", 1.0), seed, curve=falls if seed == 1 else rests) for seed in (0, 1, 2)]
    (group,) = gather([tmp_path / "runs"]).records
    every, strict = Estimates(group, 100), Estimates(group, 100, converged_only=True)
    assert every.falling("rw", POINT) == strict.falling("rw", POINT) == 1
    for estimates, seeds in ((every, (0, 1, 2)), (strict, (0, 2))):
        m0, m = (np.mean([records[seed].miou for seed in seeds]) for records in (none, point))
        ratio, miou = estimates.drop_ratio("rw", POINT), estimates.miou("rw", POINT)
        assert ratio is not None
        assert miou is not None
        assert ratio.value == pytest.approx((m0 - m) / m0)
        assert miou.value == pytest.approx(np.mean([record.miou for record in point]))


def test_pairing_makes_a_method_equal_to_itself(make: Any, tmp_path: Path) -> None:
    for seed in (0, 1):
        make("rw", ("none", 0.0), seed)
        make("rw", ("shrink", 1.0), seed)
    e = Estimates(gather([tmp_path / "runs"]).records[0], 100)
    one = e.miou_values("rw", NONE, [0, 1]) - e.miou_values("rw", NONE, [1, 0])
    assert np.abs(one[0]).max() < 1e-12


def test_seeds_that_differ_widen_the_interval(make: Any, tmp_path: Path) -> None:
    for seed, variant in enumerate([("none", 0.0), ("shrink", 1.0)]):  # far apart, as two unlucky seeds
        make("rw", variant, seed, kind="none", rate=0.0)
    e = Estimates(gather([tmp_path / "runs"]).records[0], 400)
    both, one = e.miou("rw", NONE), e.miou_values("rw", NONE, [0])
    assert both is not None
    assert both.error > 2 * e.of(one).error


def test_without_a_result_there_is_no_estimate(grid: Path) -> None:
    e = Estimates(gather([grid]).records[0], 100)
    assert e.miou("rw-ss", Variant("shrink", 0.7)) is None
    assert e.drop_ratio("rw-ss", Variant("shrink", 0.7)) is None
    assert e.drop_ratio("rw", NONE) is None
    assert e.seeds(("rw", Variant("shrink", 0.5))) == [0]
    assert e.rates("shrink", "rw", "rw-ss") == [0.2, 0.5, 1.0]


def test_claims_are_tested_in_the_direction_of_the_paper(grid: Path) -> None:
    e = Estimates(gather([grid]).records[0], 500, claims=claims())
    found = {(c.claim.worse, c.claim.better, c.claim.quantity): c for c in compare(e)}
    miou = found["baseline", "rw-ss", "mean_loss"]
    assert miou.rates == (0.2, 0.5, 1.0)
    losses = {
        m: np.mean([e.loss_values(m, Variant("shrink", r), [0, 1])[0, 0] for r in miou.rates])
        for m in ("baseline", "rw-ss")
    }
    assert miou.difference.value == pytest.approx(losses["baseline"] - losses["rw-ss"])
    assert found["rw", "rw-ss", "mean_drop_ratio"].seeds == 1  # the failed cell's other seed
    better = found["baseline", "rw", "miou"]
    found_better = [e.miou(m, NONE) for m in ("rw", "baseline")]
    assert better.difference.value == pytest.approx(found_better[0].value - found_better[1].value)  # type: ignore[union-attr]
    assert found["rw", "rw-ss", "mean_drop_ratio"].verdict == "too few seeds"
    assert ("rw-flip-before", "rw-flip-eigenspace", "miou") not in found  # nobody ran them


def test_a_clear_gain_holds_a_clear_loss_is_opposite_and_one_seed_says_nothing(
    make: Any, tmp_path: Path
) -> None:
    skill = {"baseline": 1.0, "rw": 0.0, "rw-ss": 0.7, "rw-random-after": 1.0}  # by the rate of the fake
    for method, rate in skill.items():
        for seed in range(1 if method == "rw-random-after" else 4):
            make(method, ("shrink", rate), seed, kind="none", rate=0.0)
    found = compare(Estimates(gather([tmp_path / "runs"]).records[0], 400, claims=claims()))
    assert {(c.claim.worse, c.claim.better): c.verdict for c in found} == {
        ("baseline", "rw"): "holds",
        ("rw", "rw-ss"): "opposite",
        ("rw-random-after", "rw-ss"): "too few seeds",
    }
    assert [c.p_holm for c in found] == [pytest.approx(2 * found[0].difference.p_above), found[1].p, None]


def test_intervals_rest_on_the_seeds_of_what_is_shown(make: Any, tmp_path: Path) -> None:
    for seed in range(3):
        make("rw", seed=seed)
        make("rw", ("shrink", 1.0), seed)
    make("rw-flip-after")
    e = Estimates(gather([tmp_path / "runs"]).records[0], 100)
    assert evidence(e, "shrink").startswith("95 %: 3 seeds, ")
    assert evidence(e, "none").startswith("95 %: 1 to 3 seeds, ")
