"""What every part computes from fixed inputs, as a few numbers.

Run this file to write ``arithmetic.json`` anew. It refuses parts whose numbers changed while their rule did
not: raise the rule first, so that no result made by the old arithmetic is taken for one of the new.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from losses.conftest import Network, step_of
from losses.test_contract import CONTRACTS, STEPS
from propagation import test_class_maps as class_maps
from propagation import test_contract as propagation
from refine.test_dense_crf import CONTRACTS as REFINED
from refine.test_dense_crf import scene
from scribblebench.core.cards import Augmentation, Optimizer
from scribblebench.core.registry import Registry
from scribblebench.core.seeds import integer_seed, rng
from scribblebench.inference import INFERENCES
from scribblebench.loading import augment
from scribblebench.losses import LOSSES
from scribblebench.nn.backbones import BACKBONES
from scribblebench.nn.heads import HEADS, HeadSpec
from scribblebench.propagation import PROPAGATIONS, Seen
from scribblebench.refine import REFINERS
from scribblebench.scribbles.degradation import Scene, degrade, degrade_marks
from scribblebench.scribbles.degradations import DEGRADATIONS
from scribblebench.scribbles.draw import draw
from scribblebench.scribbles.mark import Mark, box, tag
from scribblebench.scribbles.pen import Pen
from scribblebench.scribbles.stroke import Annotation, Stroke
from scribblebench.sources import manifest
from scribblebench.supervision import SUPERVISIONS, Targets
from scribblebench.training import loop
from scribblebench.training.optimizer import OPTIMIZERS, SCHEDULES, make_optimizer, set_rate

FILE = Path(__file__).with_name("arithmetic.json")
# Libraries round differently from version to version and from processor to processor.
TOLERANCE = 1e-3
_SIDE = 49
# Parts that need an optional package: without it, nothing is said of them.
NEEDS = {"grab_cut": "cv2"}

Numbers = list[float]


def summary(values: Any) -> Numbers:
    """Mean, spread, and two projections that no exchange of entries leaves alone."""
    flat = np.asarray(values, dtype=np.float64).reshape(-1)
    waves = (np.cos(np.arange(flat.size) * f) for f in (0.37, 1.93))
    return [float(flat.mean()), float(flat.std()), *(float(flat @ wave) / flat.size**0.5 for wave in waves)]


def all_numbers() -> dict[str, tuple[int, Numbers]]:
    """Return name -> rule and numbers of everything that has a rule."""
    found: dict[str, tuple[int, Numbers]] = {}
    for registry, compute in _REGISTRIES:
        for name in registry.names():
            if name in NEEDS and find_spec(NEEDS[name]) is None:
                continue
            rule = registry.get(name).rule
            found |= {f"{registry.kind} {n}": (rule, numbers) for n, numbers in compute(name)}
    found |= {f"training {n}": (loop.RULE, numbers) for n, numbers in _training()}
    found["augmentation"] = (augment.RULE, _augmentation(thin=False))
    found["augmentation footprint"] = (augment.RULE, _augmentation(thin=True))
    found["strokes"] = (manifest.RULE, summary(draw(_annotation(), Pen(), 255)))
    return found


def _noise(*shape: int, name: str = "input") -> Tensor:
    return torch.from_numpy(rng("rules", name).standard_normal(shape)).float()


def _losses(name: str) -> Iterator[tuple[str, Numbers]]:
    for options, _ in CONTRACTS[name]:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            network = Network()
        answer = LOSSES.build(name, options, "rules")(step_of(network, **STEPS.get(name, {})))
        answer.value.backward()
        gradients = [p.grad.flatten() for p in network.parameters() if p.grad is not None]
        numbers = [float(answer.value.detach()), *summary(torch.cat(gradients))]
        yield f"{name} {json.dumps(options, sort_keys=True)}", numbers


# Options of heads beside their defaults.
_OTHER_HEADS: dict[str, list[dict[str, Any]]] = {
    "plain": [{"conv_after": True}],
    "random_walk": [
        {"centre": True, "normalise": "cosine", "energy_scale": 5.0, "alpha_start": 0.5},
        {"similarity": "posterior", "energy_scale": 10.0, "alpha": "fixed", "alpha_start": 1.0},
        {"similarity": "image", "alpha_start": 0.5},
        {"uniform": True, "value": "identity", "alpha_start": 0.5},
    ],
}


def _heads(name: str) -> Iterator[tuple[str, Numbers]]:
    for options in [{}, *_OTHER_HEADS.get(name, [])]:
        part = HEADS.build(name, options, "rules")
        with torch.random.fork_rng():
            torch.manual_seed(0)
            head = part.build(HeadSpec(8, 16, 5, 0.1, 0)).eval()
        for parameter in head.parameters():  # a walk that starts at 0 would show nothing of itself
            parameter.data += 0.1
        images = (_noise(2, 3, 49, 49, name="images"),) if part.sees_images else ()
        named = f"{name} {json.dumps(options, sort_keys=True)}" if options else name
        output = head(_noise(2, 8, 7, 7), "logits", *images)
        yield named, summary(output.logits.detach())
        for feature, maps in output.features.items():
            yield f"{named}: {feature}", summary(maps.detach())


def _backbones(name: str) -> Iterator[tuple[str, Numbers]]:
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        # BatchNorm of the batch: without it random weights give next to nothing, or too much.
        trunk = BACKBONES.build(name, {}, "rules").build(16).train()
        yield name, summary(trunk(_noise(2, 3, 65, 65)))


def _inferences(name: str) -> Iterator[tuple[str, Numbers]]:
    options = {"scales": [0.5, 1.0], "window": 65, "step": 43, "long_side": 100} if "sliding" in name else {}
    weights = _noise(4, 3, 9, 9, name="weights")

    def network(images: Tensor) -> Tensor:
        return nn.functional.conv2d(images, weights, stride=8, padding=4)

    yield name, summary(INFERENCES.build(name, options, "rules")(network, _noise(1, 3, 60, 83), 8))


def _refiners(name: str) -> Iterator[tuple[str, Numbers]]:
    probabilities, picture = scene()
    for options in REFINED[name]:
        refined = REFINERS.build(name, options, "rules")(probabilities, picture)
        yield f"{name} {json.dumps(options, sort_keys=True)}", summary(refined)


def _propagations(name: str) -> Iterator[tuple[str, Numbers]]:
    picture, strokes, probabilities = propagation.scene()
    told = Targets(strokes, np.isin(np.arange(propagation.CLASSES), strokes))
    if name in propagation.OF_MARKS:
        marks = (box(1, 2, 3, 30, 30), box(4, 20, 12, 48, 36))
        told = Targets(strokes, np.ones(propagation.CLASSES, dtype=bool), marks)
    for options in propagation.CONTRACTS.get(name) or propagation.OF_MARKS[name]:
        part = PROPAGATIONS.build(name, options, "rules")
        givens = propagation.givens(part, probabilities, strokes)
        labels = [part.spread(Seen("image", picture, told, propagation.IGNORE, given)) for given in givens]
        yield f"{name} {json.dumps(options, sort_keys=True)}", summary(labels)
        with torch.no_grad():
            asked = part.evidence(
                class_maps.Network(rate=0.5).eval(), class_maps.image(), class_maps.PRESENT, 8
            )
        if asked is not None:
            yield f"{name} {json.dumps(options, sort_keys=True)} of a network", summary(asked)


def _annotation() -> Annotation:
    points = rng("rules", "strokes").uniform(0, 40, (6, 5, 2))
    strokes = tuple(Stroke(1 + i % 3, np.floor(p)) for i, p in enumerate(points))
    return Annotation("image", 60, 48, (*strokes, Stroke(0, np.array([[50.0, 40.0]]))))


def _degradations(name: str) -> Iterator[tuple[str, Numbers]]:
    part, source = DEGRADATIONS.build(name, {}, "rules"), _annotation()
    scene = Scene("image", 60, 48, 4, np.tile(np.repeat(np.arange(4, dtype=np.uint8), 15), (48, 1)))
    strokes = degrade(source, ((part, 0.5),), 3, scene)
    numbers = [[i, s.class_index, *summary(s.points)] for i, s in strokes.items()]
    pen = part.pen(Pen(), 0.5)
    yield name, [*summary(numbers), pen.width]


def _supervisions(name: str) -> Iterator[tuple[str, Numbers]]:
    """What the marks of one image become when half of them are spoilt; others have rules elsewhere."""
    part: Any = SUPERVISIONS.get(name)()
    given = {
        "points": [Mark(1 + i % 3, np.array([[5.0 + 9 * i, 30.0 - 3 * i]])) for i in range(5)],
        "boxes": [box(1 + i % 3, 2 + 5 * i, 3 + 2 * i, 25 + 6 * i, 20 + 5 * i) for i in range(5)],
        "tags": [tag(1), tag(2), tag(3)],
    }
    if name in given:
        steps = tuple((DEGRADATIONS.build(n, {}, "rules"), 0.5) for n in ("drop", "jitter", "mislabel"))
        marks = degrade_marks(given[name], steps, 3, Scene("image", 60, 48, 4))
        dataset: Any = SimpleNamespace(card=SimpleNamespace(ignore_index=255))
        numbers = [[m.class_index, *summary(np.append(m.points, 1.0))] for m in marks]
        yield name, summary([*np.ravel(numbers), *part.drawn(marks, "image", (60, 48), dataset).ravel()])


def _training() -> Iterator[tuple[str, Numbers]]:
    for name, schedule in SCHEDULES.items():
        yield f"schedule {name}", [schedule(progress) for progress in (0.0, 0.2, 0.5, 0.8)]
    for name in OPTIMIZERS:
        parameter = nn.Parameter(_noise(3, 4))
        card = Optimizer(name, lr=0.1, weight_decay=0.01)  # type: ignore[arg-type]  # the names of that field
        optimizer = make_optimizer(card, [], [parameter])
        for progress in (0.1, 0.6):
            set_rate(optimizer, SCHEDULES["step"](progress))
            parameter.grad = parameter.detach().square()
            optimizer.step()
        yield f"optimizer {name}", summary(parameter.detach())
    yield "seeds", [integer_seed("epoch", 0, 1) / 2**63, float(rng("order", 0, 1).permutation(7)[3])]


def _augmentation(thin: bool) -> Numbers:
    pixels = torch.from_numpy(rng("rules", "pixels").integers(0, 256, (6, 3, 60, 50), dtype=np.uint8))
    labels = torch.from_numpy(rng("rules", "labels").integers(0, 5, (6, 1, 60, 50), dtype=np.uint8))
    if thin:  # where nothing is unlabelled there is nothing to find
        labels = torch.where(labels == 1, labels, 255)
    draws = augment.draw(Augmentation(), 0, 3, [str(i) for i in range(6)])
    batch = augment.warp(pixels, labels, draws, torch.tensor([[60, 50]] * 6), _SIDE, 255, thin=thin)
    return [*summary(batch.images), *summary(batch.labels)]


_REGISTRIES: list[tuple[Registry[Any], Callable[[str], Iterator[tuple[str, Numbers]]]]] = [
    (LOSSES, _losses),
    (HEADS, _heads),
    (BACKBONES, _backbones),
    (INFERENCES, _inferences),
    (REFINERS, _refiners),
    (DEGRADATIONS, _degradations),
    (PROPAGATIONS, _propagations),
    (SUPERVISIONS, _supervisions),
]


def close(one: Numbers, other: Numbers) -> bool:
    """Tell whether two lists of numbers are the same arithmetic."""
    return len(one) == len(other) and np.allclose(one, other, rtol=0, atol=TOLERANCE * np.abs(other).max())


def changed(found: dict[str, tuple[int, Numbers]], kept: dict[str, Any]) -> list[str]:
    """Name what computes other numbers under the rule that is written down."""
    return [
        name
        for name, (rule, numbers) in found.items()
        if name in kept and kept[name][0] == rule and not close(numbers, kept[name][1])
    ]


def read() -> dict[str, Any]:
    """Return what is written down."""
    kept: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    return kept


if __name__ == "__main__":
    now = all_numbers()
    if wrong := changed(now, read()):
        sys.exit(f"Other numbers under the same rule: {', '.join(wrong)}. Raise the rule first.")
    # What is the same but for rounding stays as it is written, so that a change shows what has changed.
    now |= {name: kept for name, kept in read().items() if name in now and now[name][0] == kept[0]}
    lines = (f"  {json.dumps(name)}: {json.dumps(now[name])}" for name in sorted(now))
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
