"""Flips and cuts in the files that a number rests on (see ``torture.py``)."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from scribblebench.core.errors import UserError
from scribblebench.core.library import Library
from scribblebench.core.seeds import rng
from scribblebench.grid.asked import Asked
from scribblebench.grid.attempt import Job, attempt
from scribblebench.grid.cells import expand
from scribblebench.grid.display import Event
from scribblebench.grid.prefixes import shared_prefixes
from scribblebench.grid.stopping import StoppedError
from scribblebench.report.collect import read_cells
from scribblebench.sources.folder import open_dataset
from scribblebench.sources.job import LABELS
from scribblebench.sources.manifest import NAME as MANIFEST
from scribblebench.sources.variant import folder_name
from scribblebench.store.record import Record, confusion_path, record_path
from scribblebench.training.cell import Cell
from scribblebench.training.data import Places
from scribblebench.training.train import Checkpoints

METHODS, RATES, EPOCHS = ("baseline", "rw", "rw-ss"), (0.0, 0.2, 0.5, 1.0), 4
SETTINGS: dict[str, Any] = {"epochs": EPOCHS, "crop": 49, "batch": 4}
Numbers = tuple[Any, ...]


def numbers_of(record: Record) -> Numbers:
    """Return all that must be equal: scores, digest of the confusion counts, losses."""
    losses = tuple(point["loss"] for point in record.curve)
    return record.miou, tuple(record.iou), record.confusion_sha256, losses


class Mutations:
    """Damages files in every way that a number rests on, each met by the cell that uses it.

    Args:
        data: the dataset.
        root: where to work.
        counts: of what happened.
    """

    def __init__(self, data: Path, root: Path, counts: Counter[str]) -> None:
        self.data = data
        self.counts = counts
        self.draw = rng("torture", "mutations")
        self.sound, self.work = root / "sound", root / "work"
        shutil.rmtree(self.work, ignore_errors=True)
        cells = self._cells()
        self.cell, prefixes = cells[-1], shared_prefixes(cells)
        self.job = Job(self.cell, self._places(self.work), frozenset(prefixes[-1]))
        self.kept = Checkpoints(self.job.places.runs / "checkpoints", self.cell)
        self.numbers = self._prepare()

    def run(self, count: int) -> None:
        """Damage one file after the other."""
        variant = self.work / "data/toy" / folder_name(self.cell.variant, "train")
        runs = self.job.places.runs
        files: dict[str, Callable[[], Path]] = {
            "record": lambda: record_path(runs, self.cell.slug),
            "confusion": lambda: confusion_path(runs, self.cell.slug),
            "final": lambda: self.kept.final,
            "prefix": lambda: self.kept.prefix(min(self.job.boundaries)),
            "partial": lambda: self.kept.partial,
            "manifest": lambda: variant / MANIFEST,
            "survey": lambda: self.work / "data/toy/.survey-train.json",
            "labels": lambda: self._any(sorted((variant / LABELS).glob("*.png"))),
        }
        for index in range(count):
            kind = list(files)[index % len(files)]
            shutil.rmtree(self.work)
            shutil.copytree(self.sound, self.work)
            self._unshield(kind)
            self._damage(files[kind]())
            self.counts["mutations"] += 1
            self._meet(kind)

    def _meet(self, kind: str) -> None:
        """Read the folder as a report does, then run the cell as a grid does, and judge both."""
        counts = self.counts
        try:
            counts["silent"] += kind == "survey" and self._cells()[-1].id != self.cell.id
            shown = [cell.record for cell in read_cells(self.job.places.runs).records if cell.done]
            record = attempt(self.job, lambda _: None).record
        except UserError:
            counts[f"{kind}: refused"] += 1
            return
        except Exception as error:  # whatever escapes would have been a traceback
            print(f"{kind}: {type(error).__name__}: {error}")
            counts["tracebacks"] += 1
            return
        counts["silent"] += sum(numbers_of(one) != self.numbers for one in shown)
        if record.log:
            print(f"{kind}: {record.reason}")
            counts["tracebacks"] += 1
        if record.status == "done":
            same = numbers_of(record) == self.numbers
            counts["silent"] += not same
            counts[f"{kind}: equal"] += same
        else:
            # A variant is somebody's data: it is refused, and made again when its owner removes it.
            counts["lost"] += kind not in ("manifest", "labels")
            counts[f"{kind}: refused"] += 1

    def _damage(self, path: Path) -> None:
        raw = bytearray(path.read_bytes())
        place = int(self.draw.integers(len(raw)))
        if self.draw.random() < 0.25:
            raw = raw[:place]
        else:
            raw[place] ^= 1 << int(self.draw.integers(8))
        path.write_bytes(raw)

    def _unshield(self, kind: str) -> None:
        """Remove what would be used instead of the file that is to be damaged."""
        if kind in ("record", "confusion"):
            return
        record = record_path(self.job.places.runs, self.cell.slug)
        record.unlink()
        if kind != "final":
            self.kept.final.unlink()
        if kind != "prefix":
            for path in self.kept.folder.glob("prefix-*.safetensors"):
                path.unlink()
        if kind != "partial":
            self.kept.partial.unlink()

    def _prepare(self) -> Numbers:
        """Train the cell once; keep a partial state of it beside all it left."""

        def stop(event: Event) -> None:
            if event.what == "epoch" and event.done == EPOCHS - 1:
                raise StoppedError

        attempt(self.job, stop)
        partial = self.kept.partial.read_bytes()
        record = attempt(self.job, lambda _: None).record
        self.kept.partial.write_bytes(partial)
        shutil.rmtree(self.sound, ignore_errors=True)
        shutil.copytree(self.work, self.sound)
        return numbers_of(record)

    def _any(self, paths: list[Path]) -> Path:
        return paths[int(self.draw.integers(len(paths)))]

    def _cells(self) -> list[Cell]:
        return expand(self._asked(), self._places(self.work).dataset)

    def _asked(self) -> Asked:
        library = Library()
        return Asked(
            grid=library.grid("shrink"),
            methods=[library.method(name) for name in METHODS],
            protocol=library.protocol("toy", SETTINGS),
            overrides=SETTINGS,
            dataset=library.dataset("toy"),
            rates=RATES,
            seeds=(0,),
            device=torch.device("cpu"),
            runs=self.work / "results/runs",
            variants=self.work / "data",
        )

    def _places(self, root: Path) -> Places:
        dataset = open_dataset(Library().dataset("toy"), self.data)
        return Places(dataset, root / "data", root / "results/runs", torch.device("cpu"))
