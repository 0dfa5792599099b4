"""What ``new`` writes."""

from __future__ import annotations

import re
from pathlib import Path

from scribblebench.core.errors import UserError

_METHOD = """\
# Fields: docs/cards/method.md. Parts: scribblebench list heads, scribblebench list loss NAME.
name: {name}
title: {name}
paper: {{key: {name}, year: 2000, title: Unpublished}}
network: {{head: plain}}
losses:
  - {{part: partial_cross_entropy}}
  - {{part: {part}, weight: 0.1, from: 0.5}}
"""
_LOSS = '''\
"""A loss of your own; its fields are the options that a card may give it."""

from scribblebench.ops.step import Loss, LossValue, Step


class {title}(Loss, frozen=True):
    """Push the best class's probability up.

    Attributes:
        power: to which the missing probability is raised.
    """

    power: int = 1

    def __call__(self, step: Step) -> LossValue:
        """Compute the loss of one step; Step says what it sees."""
        best = step.logits.softmax(dim=1).amax(dim=1)
        return LossValue((1 - best[step.valid]).pow(self.power).mean())
'''
_TEST = '''\
"""Run it with pytest."""

import torch
from {module} import {title}

from scribblebench.ops.step import Output, Step


def test_the_value_by_hand() -> None:
    """Two classes with equal logits: the best has the probability 1 / 2."""
    before = torch.zeros(1, 4, 2, 2)
    logits = torch.zeros(1, 2, 2, 2, requires_grad=True)
    step = Step(
        images=torch.zeros(1, 3, 4, 4),
        labels=torch.zeros(1, 4, 4, dtype=torch.long),
        valid=torch.ones(1, 4, 4, dtype=torch.bool),
        output=Output(before=before, logits=logits),
        forward=lambda images, **options: Output(before=before, logits=logits),
        ignore_index=255,
        draw=lambda name: 0.5,
    )
    value = {title}(power=2)(step).value
    assert value.item() == 0.25
    value.backward()
    assert torch.isfinite(logits.grad).all()
'''
_DATASET = """\
# Fields: docs/cards/dataset.md; how to put your own pictures in: docs/your-own-data.md.
name: {name}
title: {name}
protocol: toy
source: voc
# In the order of their indices in the masks, background first.
classes: [background, fish, starfish, shell, turtle, eel]
layout: {{image_suffix: .png}}
"""
_GRID = """\
# Fields: docs/cards/grid.md. Degradations: scribblebench list degradations.
name: {name}
title: {name}
methods: [baseline, rw-ss]
variants:
  - {{kind: none}}
  - {{kind: shrink, rates: [0.5, 1]}}
seeds: [0]
"""


def files_of(kind: str, name: str, cards: Path) -> dict[Path, str]:
    """Return the files of a new card and their texts.

    Raises:
        UserError: the name cannot be that of a Python file, which a loss needs.
    """
    if kind == "loss":
        return _files_of_loss(name, cards)
    text = {"method": _METHOD, "dataset": _DATASET, "grid": _GRID}[kind]
    return {cards / f"{kind}s" / f"{name}.yaml": text.format(name=name, part="entropy")}


def _files_of_loss(name: str, cards: Path) -> dict[Path, str]:
    if not re.fullmatch("[a-z][a-z0-9_]*", name):
        as_module = re.sub("[^a-z0-9_]+", "_", name.lower()).strip("_0123456789") or "my_loss"
        raise UserError(
            f"new loss {name}: a file of Python has letters a-z, digits and _ in its name: say {as_module}."
        )
    title = "".join(word.capitalize() for word in name.split("_"))
    return {
        cards / f"{name}.py": _LOSS.format(title=title),
        cards / f"test_{name}.py": _TEST.format(title=title, module=name),
        cards / "methods" / f"{name}.yaml": _METHOD.format(name=name, part=f'"{name}:{title}"'),
    }


def next_step(kind: str, name: str, cards: Path) -> str:
    """Return the command that shows a new card at work."""
    run = f"scribblebench run --cards {cards}"
    return {
        "method": f"{run} --grid shrink --methods baseline,{name}",
        "loss": f"{run} --grid shrink --methods baseline,{name}; pytest {cards / f'test_{name}.py'}",
        "dataset": f"{run} --grid shrink --dataset {name}",
        "grid": f"{run} --grid {name}",
    }[kind]
