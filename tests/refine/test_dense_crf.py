"""The dense CRF against the public implementation, and against mean field with the exact filter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import photographs
import pytest
import torch
from torch import Tensor

from scribblebench.core.errors import UserError
from scribblebench.ops.gaussian import exact_filter
from scribblebench.refine import REFINERS
from scribblebench.refine.dense_crf import PRESETS, DenseCrf, Grouping, Kernel

URSS, DEEPLAB = PRESETS["urss"], PRESETS["deeplab"]
# Name -> options to try. A new refiner needs an entry, no more.
CONTRACTS: dict[str, list[dict[str, Any]]] = {
    "dense_crf": [
        {"kernels": [{"weight": 3, "position": 3}, {"weight": 10, "position": 80, "colour": 13}]},
        {"kernels": [{"weight": 4, "position": 67, "colour": 3}], "iterations": 2, "grouping": {}},
    ]
}
CASES = [(name, options) for name, tries in CONTRACTS.items() for options in tries]


def scene(height: int = 40, width: int = 56, seed: int = 0) -> tuple[Tensor, Tensor]:
    picture, mask = photographs.synthetic(height, width, seed)
    return photographs.probabilities(mask, seed), picture


def agreement(ours: Tensor, theirs: Tensor) -> float:
    return float((ours.argmax(dim=0) == theirs.argmax(dim=0)).float().mean())


def test_every_registered_refiner_has_a_contract() -> None:
    assert set(CONTRACTS) == set(REFINERS.names())


@pytest.mark.parametrize(("name", "options"), CASES)
def test_refined_probabilities_are_probabilities(name: str, options: dict[str, Any]) -> None:
    refine = REFINERS.build(name, options, "contract")
    given, picture = scene()
    before = given.clone()
    refined = refine(given, picture)
    assert refined.shape == given.shape
    assert refined.dtype == torch.float32
    assert refined.min() >= 0
    torch.testing.assert_close(refined.sum(dim=0), torch.ones(given.shape[1:]))
    assert torch.equal(refined, refine(given, picture)), "equal input, equal output"
    by_pixel = given.permute(1, 2, 0).contiguous().permute(2, 0, 1)  # as a network in channels_last gives it
    assert torch.equal(refined, refine(by_pixel, picture))
    assert torch.equal(given, before), "the input is not touched"
    assert torch.equal(by_pixel, before), "nor is one of another layout"
    assert not torch.equal(refined, given)


def compare(crf: DenseCrf, given: Tensor, picture: Tensor, largest: float) -> None:
    """Rounding grows over the iterations at a few pixels, with narrow colours more than elsewhere."""
    ours, theirs = crf(given, picture), photographs.public_crf(crf, given, picture)
    difference = (ours - theirs).abs().amax(dim=0)
    assert difference.max() <= largest
    assert (difference > 1e-4).float().mean() <= 1e-3
    assert agreement(ours, theirs) >= 0.9999


@pytest.mark.parametrize(
    ("crf", "largest", "count"), [(URSS, 1e-4, 10), (DEEPLAB, 5e-3, 3)], ids=["urss", "deeplab"]
)
def test_equals_the_public_implementation_on_photographs(
    crf: DenseCrf, largest: float, count: int, voc_mini: Path
) -> None:
    pytest.importorskip("pydensecrf", reason="pydensecrf2 is not installed")
    for seed, (picture, mask) in enumerate(photographs.of_voc(voc_mini, "val", count)):
        compare(crf, photographs.probabilities(mask, seed), picture, largest)


@pytest.mark.parametrize(("crf", "largest"), [(URSS, 1e-4), (DEEPLAB, 5e-3)], ids=["urss", "deeplab"])
def test_equals_the_public_implementation_without_photographs(crf: DenseCrf, largest: float) -> None:
    pytest.importorskip("pydensecrf", reason="pydensecrf2 is not installed")
    for seed in range(3):
        compare(crf, *scene(60, 80, seed), largest)


def exact_mean_field(crf: DenseCrf, given: Tensor, picture: Tensor) -> Tensor:
    """Mean field by the textbook, every Gaussian exact."""
    classes, height, width = given.shape
    place = torch.cartesian_prod(torch.arange(height).double(), torch.arange(width).double())
    unary = given.double().clamp(min=crf.floor).reshape(classes, -1).T.log()
    beliefs = unary.softmax(dim=1)
    pull = torch.zeros(len(place), len(place)).double()
    for kernel in crf.kernels:
        parts = [place / kernel.position]
        parts += [] if kernel.colour is None else [picture.reshape(-1, 3).double() / kernel.colour]
        gaussian = exact_filter(torch.eye(len(place)).double(), torch.cat(parts, dim=1))
        factor = gaussian.sum(dim=1).rsqrt()
        pull += kernel.weight * factor[:, None] * gaussian * factor
    for _ in range(crf.iterations):
        beliefs = (unary + pull @ beliefs).softmax(dim=1)
    return beliefs.T.reshape(given.shape)


def test_near_exact_mean_field_on_crops(voc_mini: Path) -> None:
    shares = []
    crop = (slice(120, 152), slice(150, 190))
    for seed, (picture, mask) in enumerate(photographs.of_voc(voc_mini, "val", 6)):
        given = photographs.probabilities(mask[crop], seed)
        pairs = (
            (crf(given, picture[crop]), exact_mean_field(crf, given, picture[crop]))
            for crf in PRESETS.values()
        )
        shares += [agreement(*pair) for pair in pairs]
    assert sum(shares) / len(shares) >= 0.99
    assert min(shares) >= 0.95


def test_without_weight_nothing_changes_but_the_floor() -> None:
    given, picture = scene()
    refined = DenseCrf((Kernel(0, position=3),), floor=0.01)(given, picture)
    floored = given.clamp(min=0.01)
    torch.testing.assert_close(refined, floored / floored.sum(dim=0))


@pytest.mark.parametrize("crf", [URSS, DEEPLAB], ids=["urss", "deeplab"])
def test_groups_give_nearly_the_same_labels(crf: DenseCrf) -> None:
    given, picture = scene(150, 200)
    grouped = msgspec.structs.replace(crf, grouping=Grouping())
    assert agreement(grouped(given, picture), crf(given, picture)) >= 0.995


def test_groups_of_one_pixel_are_pixels() -> None:
    given, picture = scene(30, 40)
    single = msgspec.structs.replace(URSS, grouping=Grouping(cell=1, levels=1))
    torch.testing.assert_close(single(given, picture), URSS(given, picture), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("given", "picture", "message"),
    [
        (torch.full((2, 4, 5), 0.5), torch.zeros(5, 4, 3), r"\(2, 4, 5\) with \(5, 4, 3\)"),
        (torch.full((2, 4), 0.5), torch.zeros(4, 4, 3), "a picture"),
        (torch.full((2, 4, 5), float("nan")), torch.zeros(4, 5, 3), "finite numbers"),
        (torch.full((2, 4, 5), -0.5), torch.zeros(4, 5, 3), "at least 0"),
    ],
)
def test_bad_input_is_one_clear_line(given: Tensor, picture: Tensor, message: str) -> None:
    with pytest.raises(UserError, match=message):
        URSS(given, picture)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernels": [{"weight": 30, "position": 1}, {"weight": 11, "position": 1}]}, "add up to 41"),
        ({"kernels": [{"weight": 3, "position": 0}]}, r"kernels\[0\].position: 0 .* above 0"),
        ({"kernels": [], "iterations": 0}, "iterations: 0 .* from 1"),
        ({"kernels": [], "seeds": 1}, "seeds: no such field"),
        ({"kernels": []}, "at least one kernel"),
    ],
)
def test_bad_options_name_the_field(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        REFINERS.build("dense_crf", options, "crf.yaml")
