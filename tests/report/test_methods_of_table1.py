"""The shipped method cards against the paper's Table 1 and what the documentation says of them."""

from __future__ import annotations

import msgspec
import pytest

from scribblebench.core.cards import LossTerm
from scribblebench.core.library import Library
from scribblebench.losses import LOSSES
from scribblebench.losses.self_supervision import SelfSupervision
from scribblebench.nn.heads import HEADS
from scribblebench.nn.heads.plain import Plain
from scribblebench.nn.heads.random_walk import RandomWalk
from scribblebench.report import published
from scribblebench.report.published import AblationRow

# On the mean divergence of a row; on the mean squared error before or after the walk.
WEIGHTS = {"eigenspace": 0.01, "before": 10.0, "after": 10.0}
SUPERVISED = LossTerm("partial_cross_entropy")
ROWS = published.table1()


def part(term: LossTerm) -> SelfSupervision:
    return LOSSES.build(term.part, term.options, "a test")


@pytest.mark.parametrize("row", ROWS, ids=[row.method for row in ROWS])
def test_a_card_is_its_row(row: AblationRow) -> None:
    card = Library().method(row.method)
    options = {key: value for key, value in card.network.items() if key != "head"}
    head = HEADS.build(card.network["head"], options, "a test")
    # Learned similarities, energies as they are, alpha from 0, a walk on every cell.
    walk = RandomWalk("embedded", alpha_start=0.0, energy_scale=1.0, walk_stride=1, conv_after=False)
    assert head == (walk if row.random_walk == "yes" else Plain())
    assert card.supervision == "strokes"
    supervised, *others = card.losses
    assert supervised == SUPERVISED
    assert [term.part for term in others] == (["self_supervision"] if row.operation else [])
    for term in others:
        assert (term.weight, term.starts, term.ramp) == (WEIGHTS[row.location], 0.5, 0.1)
        loss = part(term)
        assert (loss.transform, loss.on) == (row.operation, row.location)
        if row.location == "eigenspace":
            assert (loss.trace, loss.trace_reduction, loss.reduction) == (0.01, "sum", "rows")
        assert (loss.share, loss.include_padding, loss.update_statistics) == (1 / 6, False, False)


def test_the_ablation_grid_is_table_1() -> None:
    grid = Library().grid("ablation")
    assert grid.methods == tuple(row.method for row in ROWS)
    assert [(variant.kind, variant.rates) for variant in grid.variants] == [("none", (0.0,))]


def test_the_walks_controls_differ_in_what_they_are_called_after() -> None:
    def walk(method: str) -> dict[str, object]:
        options = dict(Library().method(method).network)
        return msgspec.structs.asdict(HEADS.build(options.pop("head"), options, "a test"))

    def changes(method: str, model: str) -> set[str]:
        return {name for name, value in walk(method).items() if value != walk(model)[name]}

    assert changes("rw-uniform", "rw") == {"uniform"}
    assert changes("rw-centred", "rw") == {"centre"}
    assert changes("rw-cosine", "rw") == {"normalise", "energy_scale"}
    assert changes("rw-conv", "rw") == changes("baseline-conv", "baseline") == {"conv_after"}
    for method in ("rw-posterior", "rw-image"):
        # Their control carries identity values at alpha 1 as they do.
        assert changes(method, "rw-uniform-identity") - {"energy_scale"} == {"similarity", "uniform", "value"}
        assert walk(method)["value"] is None
        assert Library().method(method).losses == Library().method("baseline").losses


def test_self_supervision_without_options_is_the_papers() -> None:
    """A user's card that names the part alone gets what the shipped card spells out."""
    assert LOSSES.build("self_supervision", {}, "a test") == part(Library().method("rw-ss").losses[1])


@pytest.mark.parametrize(
    ("method", "weight", "changed"),
    [
        ("rw-ss-zero", 0.0, {}),
        ("rw-ss-no-trace", 0.01, {"trace": 0.0}),
        ("rw-ss-entries", 30.0, {"reduction": "entries"}),
        ("rw-random-logits", 0.01, {"on": "logits"}),
    ],
)
def test_a_control_differs_in_one_thing(method: str, weight: float, changed: dict[str, object]) -> None:
    library = Library()
    model, card = library.method("rw-ss"), library.method(method)
    assert card.network == model.network
    supervised, term = card.losses
    assert supervised == SUPERVISED
    assert (term.weight, term.starts, term.ramp) == (weight, 0.5, 0.1)
    expected = {name: getattr(part(model.losses[1]), name) for name in SelfSupervision.__struct_fields__}
    assert part(term) == SelfSupervision(**{**expected, **changed})
