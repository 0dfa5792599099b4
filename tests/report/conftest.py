"""Records of cells that nobody trained: plausible numbers to test tables and figures on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from scribblebench.core.files import fingerprint
from scribblebench.core.seeds import rng, uniform
from scribblebench.store.confusion import PerImageConfusion, iou, mean_iou
from scribblebench.store.record import Record, confusion_path, slug_of, write_record

CLASSES = ("background", "disc", "square", "triangle", "cross", "ring")
TITLES = {"baseline": "Baseline", "rw": "+RW", "rw-ss": "RW + SS"}
SHRINK = (("none", 0.0), ("shrink", 0.2), ("shrink", 0.5), ("shrink", 0.7), ("shrink", 1.0))
DROP = tuple(("drop", rate) for rate in (0.1, 0.2, 0.3, 0.4, 0.5))
SKILL = {"baseline": 0.70, "rw": 0.73, "rw-ss": 0.76}
Make = Callable[..., Record]


def scored(accuracy: float, seed: int, images: int, classes: int) -> PerImageConfusion:
    """Matrices of a classifier that is right with some probability, more often on easy images."""
    draw = rng("fake", seed, images, classes)
    matrices = np.zeros((images, classes, classes), dtype=np.int64)
    for matrix in matrices:
        easy = accuracy + 0.12 * draw.standard_normal()
        for true in {0, *draw.integers(1, classes, 2).tolist()}:
            right = float(np.clip(easy + (0.15 if true == 0 else -0.02 * true), 0.05, 0.98))
            odds = np.full(classes, (1 - right) / (classes - 1))
            odds[true] = right
            matrix[true] += draw.multinomial(5000 if true == 0 else 1500, odds)
    return PerImageConfusion(tuple(f"toy_{i:04d}" for i in range(images)), matrices)


def mended(matrices: NDArray[np.int64]) -> NDArray[np.int64]:
    """Put an eighth of the pixels of each kind of error right."""
    moved = matrices // 8
    diagonal = np.arange(matrices.shape[1])
    moved[:, diagonal, diagonal] = 0
    better = matrices - moved
    better[:, diagonal, diagonal] += moved.sum(axis=2)
    return better


def ious(counted: PerImageConfusion) -> list[float | None]:
    return [None if math.isnan(x) else x for x in iou(counted.total()).tolist()]


def curve(method: str, rate: float, epochs: int, seed: int) -> list[dict[str, float]]:
    points = []
    for epoch in range(1, epochs + 1):
        loss = 0.4 - 0.3 * rate + 1.4 * math.exp(-epoch / 6) + 0.03 * uniform("noise", method, epoch, seed)
        point = {"epoch": float(epoch), "rate": 1.0, "loss": loss, "partial_cross_entropy": loss}
        if method != "baseline":
            point |= {
                "alpha": (0.2 if method == "rw" else 0.3) * (1 - math.exp(-epoch / 10)),
                "row_entropy": 0.9 - 0.01 * epoch,
            }
        points.append(point)
    return points


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write one record with its matrices: ``make(method, (kind, rate), seed, **fields)``."""
    return maker(tmp_path / "runs")


@pytest.fixture(scope="module")
def shared_make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """The same into one folder for all tests of a module."""
    return maker(tmp_path_factory.mktemp("shared") / "runs")


def maker(runs: Path) -> Make:
    """Make a function that writes records into a folder."""

    def one(
        method: str = "baseline",
        variant: tuple[str, float] = ("none", 0.0),
        seed: int = 0,
        *,
        folder: Path = runs,
        images: int = 40,
        classes: Sequence[str] = CLASSES,
        crf: str = "",
        **fields: Any,
    ) -> Record:
        kind, rate = variant
        dataset = fields.get("dataset", "toy")
        identity = fields.pop("identity", {}) | {
            "method": method,
            "variant": variant,
            "seed": seed,
            "salt": fields,
            "images": images,
        }
        identity.setdefault("training", {"protocol": {"backbone": "tiny", "epochs": 30}, "data": "0" * 64})
        cell = fingerprint(identity)
        accuracy = SKILL.get(method, 0.74) - (0.35 if kind == "drop" else 0.22) * rate**1.5
        found = scored(accuracy + 0.02 * uniform("luck", method, seed), seed, images, len(classes))
        refined: dict[str, Any] = {}
        if crf:
            found = PerImageConfusion(found.ids, found.matrices, mended(found.matrices))
            refined = {"crf": crf, "miou_crf": mean_iou(found.crf.total()), "iou_crf": ious(found.crf)}
        total = found.total()
        given: dict[str, Any] = {
            "cell": cell,
            "slug": slug_of(dataset, method, fields.get("kind", kind), fields.get("rate", rate), seed, cell),
            "status": "done",
            "method": method,
            "method_title": TITLES.get(method, method),
            "dataset": dataset,
            "protocol": "toy",
            "kind": kind,
            "rate": rate,
            "seed": seed,
            "variant_seed": seed,
            "identity": identity,
            "training_id": fingerprint(identity["training"]),
            "classes": classes,
            "started": f"2026-01-01T00:0{seed}:00+00:00",
            "miou": mean_iou(total),
            "iou": ious(found),
            **refined,
            "curve": curve(method, rate, 30, seed),
            "epochs": 30,
            "versions": {"torch": "2.11.0", "numpy": "2.4.6"},
            "device": "cpu, 2 threads",
            "seconds": 21.5,
            "peak_memory_mb": 512.0,
            "parameters": {"total": 213_000},
            "commit": "0123abc",
            "command": "scribblebench run --grid shrink",
        }
        record = Record(**{**given, **fields})
        if record.status == "done":
            found.save(confusion_path(folder, record.slug))
        else:
            record = Record(
                **{
                    **given,
                    **fields,
                    "miou": None,
                    "iou": (),
                    "miou_crf": None,
                    "iou_crf": [],
                    "epochs": 0,
                    "curve": (),
                }
            )
        write_record(folder, record)
        return record

    return one


@pytest.fixture
def grid(make: Make, tmp_path: Path) -> Path:
    """Three methods on the shrink grid, two seeds; one cell failed, one was never started."""
    fill(make)
    return tmp_path / "runs"


@pytest.fixture(scope="module")
def shared_grid(shared_make: Make) -> Make:
    """The same grid for all tests of a module."""
    fill(shared_make)
    return shared_make


def fill(make: Make) -> None:
    """Write the grid."""
    for method in TITLES:
        for variant in SHRINK:
            for seed in (0, 1):
                if (method, variant[1]) == ("rw-ss", 0.7):
                    continue
                failed = (method, variant[1], seed) == ("rw", 0.5, 1)
                state = {"status": "failed", "reason": "the loss is not finite"} if failed else {}
                make(method, variant, seed, **state)
