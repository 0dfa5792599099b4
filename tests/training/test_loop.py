"""What a loss sees of a step and what its answer does, by losses that keep what they are shown."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from itertools import accumulate
from typing import Any

import msgspec
import pytest
import torch
from torch import Tensor, nn

from scribblebench.core.cards import LossTerm
from scribblebench.core.errors import UserError
from scribblebench.core.library import Library
from scribblebench.nn.network import build_network
from scribblebench.ops.step import LossValue, Step
from scribblebench.training.build import make_terms
from scribblebench.training.efficiency import noise
from scribblebench.training.loop import Term, Trainer

CLASSES = 4


class Recorder:
    """A loss that keeps its steps.

    Args:
        value: the loss of a step.
    """

    def __init__(self, value: Callable[[Step], Tensor]) -> None:
        self.value = value
        self.steps: list[Step] = []
        self.values: list[float] = []

    def __call__(self, step: Step) -> LossValue:
        value = self.value(step)
        self.steps.append(step)
        self.values.append(value.item())
        return LossValue(value, {f"negative_{len(self.steps)}": -value.detach()})


def on_logits(step: Step) -> Tensor:
    return step.logits.square().mean()


MakeTrainer = Callable[..., Trainer]


@pytest.fixture
def make_trainer() -> MakeTrainer:
    """Build a trainer of two epochs of two steps on images of noise, smaller than their crop or as large."""

    def make(*terms: Term, method: str = "rw", seed: int = 0, **settings: Any) -> Trainer:
        library = Library()
        small = {"batch": 2, "crop": 49, "epochs": 2, "augmentation": {"scale": [0.7, 1.0]}}
        protocol, card = library.protocol("toy", {**small, **settings}), library.method(method)
        four = noise(msgspec.structs.replace(protocol, batch=4), CLASSES, torch.device("cpu"))
        batches = dataclasses.replace(four, size=protocol.batch, seed=seed)
        network = build_network(protocol, card, CLASSES, seed)
        return Trainer(network, terms or make_terms(card), batches, protocol)

    return make


def seen_by(make_trainer: MakeTrainer, **settings: Any) -> list[Step]:
    recorder = Recorder(on_logits)
    trainer = make_trainer(Term(LossTerm("recorder"), recorder), **settings)
    for epoch in range(trainer.protocol.epochs):
        trainer.epoch(epoch)
    return recorder.steps


def test_every_step_has_its_rate_and_every_term_its_weight(make_trainer: MakeTrainer) -> None:
    """A loss that equals alpha has gradient 1: alpha falls by rate times weight, a step after the other."""
    early, late = (Recorder(lambda step: 1 * step.output.alpha) for _ in range(2))
    terms = [
        Term(LossTerm("early", weight=2.0), early),
        Term(LossTerm("late", weight=4.0, starts=0.5, ramp=0.5), late),
    ]
    sgd = {"part": "sgd", "lr": 0.1, "momentum": 0.0}
    trainer = make_trainer(*terms, schedule="poly", optimizer=sgd)
    first, second = trainer.epoch(0), trainer.epoch(1)
    rates = [(1 - progress) ** 0.9 for progress in (0, 0.25, 0.5, 0.75)]
    weights = [2, 2, 2 + 0, 2 + 2]  # of the late one nothing at 0.5, and half of 4 half-way up its ramp
    falls = [-0.1 * rate * weight for rate, weight in zip(rates, weights, strict=True)]
    *alphas, last = accumulate(falls, initial=0.0)
    assert early.values == pytest.approx(alphas)
    assert late.values == pytest.approx(alphas[2:])
    assert (first["alpha"], second["alpha"]) == pytest.approx((alphas[2], last))
    assert (first["rate"], second["rate"]) == pytest.approx((rates[1], rates[3]))
    losses = [weight * alpha for weight, alpha in zip(weights, alphas, strict=True)]
    assert (first["loss"], second["loss"]) == pytest.approx((sum(losses[:2]) / 2, sum(losses[2:]) / 2))
    # A term is logged as it is, without its weight, and what it logs itself as the mean of where it did.
    assert second["early"] == second["late"] == pytest.approx((alphas[2] + alphas[3]) / 2)
    assert "late" not in first
    assert second["negative_4"] == pytest.approx(-alphas[3])


def test_a_loss_sees_the_batch_its_padding_and_logits_of_every_pixel(make_trainer: MakeTrainer) -> None:
    steps = seen_by(make_trainer)
    batches = make_trainer().batches
    for step, batch in zip(steps, [batch for epoch in (0, 1) for batch in batches.epoch(epoch)], strict=True):
        assert torch.equal(step.images, batch.images)
        assert torch.equal(step.labels, batch.labels)
        assert torch.equal(step.valid, batch.valid)
        padding = ~step.valid
        assert 0.05 < padding.float().mean() < 0.5
        assert (step.labels[padding] == step.ignore_index).all()
        # Cells lie on the pixels that are multiples of the stride, where nothing is between two cells.
        assert step.logits.shape[-2:] == step.labels.shape[-2:]
        stride = (step.labels.shape[-1] - 1) // (step.output.logits.shape[-1] - 1)
        torch.testing.assert_close(step.logits[..., ::stride, ::stride], step.output.logits)


def test_draws_differ_from_step_to_step_and_are_the_same_again(make_trainer: MakeTrainer) -> None:
    def draws(seed: int) -> list[float]:
        steps = seen_by(make_trainer, seed=seed)
        return [step.draw(name) for step in steps for name in ("transform", "direction")]

    first = draws(0)
    assert draws(0) == first
    assert len({*first, *draws(1)}) == 2 * 4 * 2  # seeds, steps of both epochs, names


@pytest.mark.parametrize("options", [{}, {"update_statistics": False}, {"update_statistics": True}])
def test_a_second_branch_updates_statistics_only_if_asked_to(
    options: dict[str, bool], make_trainer: MakeTrainer
) -> None:
    def again(step: Step) -> Tensor:
        before = {name: buffer.clone() for name, buffer in trainer.network.named_buffers()}
        second = step.forward(step.images, until="energies", **options)
        changed = {name for name, buffer in trainer.network.named_buffers() if not buffer.equal(before[name])}
        assert changed == (set(before) if options.get("update_statistics") else set())
        # In either case it normalises by its own batch, as the first branch did.
        torch.testing.assert_close(second.before, step.output.before)
        return on_logits(step)

    trainer = make_trainer(Term(LossTerm("again"), Recorder(again)))
    assert any(isinstance(module, nn.BatchNorm2d) for module in trainer.network.modules())
    buffers = {name: buffer.clone() for name, buffer in trainer.network.named_buffers()}
    trainer.epoch(0)
    assert not any(buffer.equal(buffers[name]) for name, buffer in trainer.network.named_buffers())


@pytest.mark.parametrize(
    ("precision", "dtype"), [("float32", torch.float32), ("bf16", torch.bfloat16)], ids=["float32", "bf16"]
)
def test_a_second_branch_runs_as_the_first_but_without_gradient(
    precision: str, dtype: torch.dtype, make_trainer: MakeTrainer
) -> None:
    reached: list[list[str]] = []

    def again(step: Step) -> Tensor:
        reached.append([])
        for until in ("energies", "after", "logits"):
            second = step.forward(step.images, until=until)
            found = {
                "before": second.before,
                "queries": second.energies.queries,
                "after": second.after,
                "logits": second.logits,
            }
            given = {name: tensor for name, tensor in found.items() if tensor is not None}
            reached[-1].append(list(given)[-1])
            assert not any(tensor.requires_grad for tensor in given.values())
            assert second.before.dtype == step.output.before.dtype == dtype
            assert second.energies.queries.dtype == step.output.energies.queries.dtype == torch.float32
        assert (second.logits.dtype, step.logits.dtype) == (dtype, torch.float32)
        return on_logits(step)

    make_trainer(Term(LossTerm("again"), Recorder(again)), precision=precision).epoch(0)
    assert reached == 2 * [["queries", "after", "logits"]]


def test_the_curve_tells_how_the_walk_looks(make_trainer: MakeTrainer) -> None:
    recorder = Recorder(on_logits)
    trainer = make_trainer(Term(LossTerm("recorder"), recorder))
    curve = trainer.epoch(0)
    matrix = recorder.steps[-1].output.energies.matrix().detach().double()
    cells = matrix.shape[-1]
    assert curve["alpha"] == trainer.network.head.walk.alpha.item() != 0
    diagonal = matrix.diagonal(dim1=1, dim2=2).mean().item() * cells
    entropy = torch.distributions.Categorical(matrix).entropy().mean().item() / math.log(cells)
    assert (curve["diagonal"], curve["row_entropy"]) == pytest.approx((diagonal, entropy), rel=1e-4)
    without = make_trainer(method="baseline").epoch(0)
    assert without.keys().isdisjoint({"alpha", "diagonal", "row_entropy"})


def test_a_second_branch_of_weight_0_leaves_the_walk_as_it_is(make_trainer: MakeTrainer) -> None:
    """The control: bit for bit the same weights, though the branch runs in the second half."""
    weights, curves = [], []
    for method in ("rw", "rw-ss-zero", "rw-ss"):
        trainer = make_trainer(method=method, epochs=4)
        curves.append([trainer.epoch(epoch) for epoch in range(4)])
        weights.append(trainer.network.state_dict())
    walk, control, supervised = weights
    assert all(torch.equal(walk[name], control[name]) for name in walk)
    assert not all(torch.equal(walk[name], supervised[name]) for name in walk)
    assert ["self_supervision" in point for point in curves[1]] == [False, False, True, True]
    assert curves[1][-1]["self_supervision"] > 0


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda value: None, "returns a LossValue of a scalar tensor"),
        (lambda value: value, "returns a LossValue of a scalar tensor"),
        (lambda value: LossValue(1.0), "returns a LossValue of a scalar tensor"),  # type: ignore[arg-type]
        (lambda value: LossValue(value.expand(2)), "returns a LossValue of a scalar tensor"),
        (lambda value: LossValue(value.detach()), "has no gradient"),
        (lambda value: LossValue(value, {"shown": 1.0}), "the log 'shown' is no scalar tensor"),  # type: ignore[dict-item]
        (lambda value: LossValue(value, {"loss": value.detach()}), "the log 'loss'"),
    ],
)
def test_an_answer_that_teaches_nothing_is_refused(
    make_trainer: MakeTrainer, answer: Callable[[Tensor], Any], message: str
) -> None:
    term = Term(LossTerm("mine:Loss"), lambda step: answer(on_logits(step)))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=message) as caught:
        make_trainer(term).epoch(0)
    assert caught.value.__notes__ == ["the loss 'mine:Loss'"]


def test_the_loss_that_is_no_number_is_named(make_trainer: MakeTrainer) -> None:
    sound = Term(LossTerm("sound"), Recorder(on_logits))  # type: ignore[arg-type]
    broken = Term(LossTerm("broken"), Recorder(lambda step: on_logits(step) * torch.nan))  # type: ignore[arg-type]
    with pytest.raises(UserError, match=r"The loss is nan in epoch 1 \(from broken\)"):
        make_trainer(sound, broken, batch=4).epoch(0)  # in one step
