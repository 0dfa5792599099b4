"""Predictions that another program made of the validation images: counted and recorded like a cell's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from scribblebench.core.errors import UserError, first_ten
from scribblebench.core.files import fingerprint, visible
from scribblebench.pictures.finding import find
from scribblebench.pictures.labels import read_labels
from scribblebench.scribbles.digest import pixels_digest
from scribblebench.sources.checks import check
from scribblebench.sources.folder import DatasetFolder
from scribblebench.sources.manifest import over, stated_variant
from scribblebench.sources.spec import VariantSpec
from scribblebench.sources.survey import Survey, survey
from scribblebench.store.confusion import PerImageConfusion, class_scores, confusion
from scribblebench.store.record import Record, confusion_path, slug_of, write_record
from scribblebench.training import provenance

# Raise it when equal predictions would be given other confusion counts than before.
RULE = 1
PROTOCOL = "external"
"""The protocol of results that claim none of ours: they stand in a table of their own."""

Labels = NDArray[np.uint8]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """What is said of predictions and cannot be seen from them.

    Attributes:
        method: a name for tables.
        title: the same for people.
        protocol: the card of the protocol under which they stand, or ``external``.
        overrides: fields of the protocol that were replaced.
        kind: the degradation of the scribbles that were trained on, or ``none``.
        rate: how strong.
        seed: of scribbles and training together.
    """

    method: str
    title: str
    protocol: str = PROTOCOL
    overrides: dict[str, Any]
    kind: str
    rate: float
    seed: int

    @property
    def variant(self) -> VariantSpec:
        """The degradation by today's rules."""
        return VariantSpec.of(self.kind, self.rate, self.seed)


def score_external(
    folder: Path,
    dataset: DatasetFolder,
    claimed: Claimed,
    runs: Path,
    memory: Path | None = None,
    progress: Progress | None = None,
) -> Record:
    """Count the predictions in a folder against the masks, and write their record.

    Args:
        folder: a label map ``<id>.png`` of each validation image.
        dataset: the dataset's folder.
        claimed: what is said of them.
        runs: folder of records.
        memory: file in which what is found of the validation split is kept, or None.
        progress: called with images done and images in all.

    Raises:
        UserError: a prediction is missing, of another size than its mask or holds a label that is no class,
            or the validation split is not in order.
    """
    found = survey(dataset, "val", strokes=False, masks=True, memory=memory)
    warnings = check(dataset, train=Survey({}, {}, {}), val=found)
    paths = find_predictions(folder, list(found.masks))
    digest, counted = _count(dataset, paths, progress)
    blank = _record(dataset, claimed, digest, found, warnings)
    miou, ious = class_scores(counted.total())
    sha256 = counted.save(confusion_path(runs, blank.slug))
    record = msgspec.structs.replace(blank, status="done", miou=miou, iou=ious, confusion_sha256=sha256)
    write_record(runs, record)
    return record


def find_predictions(folder: Path, ids: list[str]) -> dict[str, Path]:
    """Find the prediction of each image.

    Raises:
        UserError: no such folder, or some are missing.
    """
    if not folder.is_dir():
        raise UserError(
            f"No folder {folder}. Give --predictions a folder that holds a PNG for each val image."
        )
    paths = {image: find(folder, image, ".png") for image in ids}
    missing = [path.relative_to(folder).as_posix() for path in paths.values() if not path.is_file()]
    if missing:
        raise UserError(
            f"{folder} lacks {len(missing)} of {len(ids)} predictions: {first_ten(missing)}. "
            "Every image of the val list is scored."
        )
    return paths


def extra_files(folder: Path, ids: list[str]) -> list[str]:
    """List the files of a folder that are nobody's prediction."""
    taken = set(find_predictions(folder, ids).values())
    files = (path for path in visible(folder, "**/*") if path.is_file() and path not in taken)
    return [path.relative_to(folder).as_posix() for path in files]


def _count(
    dataset: DatasetFolder, paths: dict[str, Path], progress: Progress | None
) -> tuple[str, PerImageConfusion]:
    """Return the digest of all predictions, and what was counted of each."""
    classes, ignore_index = dataset.card.classes, dataset.card.ignore_index
    digests, matrices = {}, []
    for done, (image, path) in enumerate(paths.items(), 1):
        mask = dataset.mask(image)
        labels = _prediction(path, mask.shape, classes)
        digests[image] = pixels_digest(labels)
        matrices.append(confusion(labels, mask, len(classes), ignore_index))
        if progress:
            progress(done, len(paths))
    return over(digests), PerImageConfusion(tuple(paths), np.stack(matrices))


def _prediction(path: Path, size: tuple[int, ...], classes: tuple[str, ...]) -> Labels:
    """Read one prediction: class indices of the size of the mask."""
    labels = read_labels(path)
    if labels.shape != size:
        (height, width), (high, wide) = labels.shape, size
        raise UserError(
            f"{path} has {width} x {height} pixels, its mask {wide} x {high}. "
            "Save predictions at the photograph's own size."
        )
    if int(labels.max()) >= len(classes):
        row, column = np.argwhere(labels >= len(classes))[0].tolist()
        raise UserError(
            f"{path} holds the label {labels[row, column]} at row {row}, column {column}, which is no class: "
            f"predictions hold 0 ({classes[0]}) to {len(classes) - 1} ({classes[-1]}) at every pixel."
        )
    return labels


def _record(
    dataset: DatasetFolder, claimed: Claimed, digest: str, found: Survey, warnings: tuple[str, ...]
) -> Record:
    """Return the record before it has numbers.

    Its identity has the form of a cell's: what is known of the training is the predictions that came of it.
    """
    card = dataset.card
    training = {"predictions": digest, "labels": stated_variant(claimed.variant), "seed": claimed.seed}
    identity = {
        "training": training,
        "evaluation": {"part": PROTOCOL, "rules": {"evaluation": RULE}},
        "val": {
            "photographs": found.digests.photographs,
            "masks": found.digests.masks,
            "ignore_index": card.ignore_index,
        },
    }
    cell = fingerprint(identity)
    return Record(
        cell=cell,
        slug=slug_of(card.name, claimed.method, claimed.kind, claimed.rate, claimed.seed, cell),
        status="running",
        method=claimed.method,
        method_title=claimed.title,
        dataset=card.name,
        protocol=claimed.protocol,
        kind=claimed.kind,
        rate=claimed.rate,
        seed=claimed.seed,
        variant_seed=claimed.variant.seed,
        overrides=claimed.overrides,
        identity=identity,
        training_id=fingerprint(training),
        classes=card.classes,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        warnings=warnings,
        versions=provenance.versions(),
        commit=provenance.commit(),
        command=provenance.command(),
        external=True,
    )
