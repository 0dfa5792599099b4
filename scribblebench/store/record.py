"""A record: what is known of one cell of a grid, one JSON file a cell."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from scribblebench.core.errors import UserError
from scribblebench.core.files import fingerprint
from scribblebench.store.document import Reading, read_document, read_folder, write_document
from scribblebench.store.lock import is_held

# 1: without checksums. 2: a checksum beside the fields, digests, warnings, threads, log.
SCHEMA = 2
Status = Literal["done", "failed", "interrupted", "running"]
# How far a mean IoU may be from the mean of the IoUs: rounding, no more.
TOLERANCE = 1e-9
_ID_DIGITS = 10
_FILE_SAFE = re.compile(r"[A-Za-z0-9._+-]+")
_NOT_FILE_SAFE = re.compile(r"[^A-Za-z0-9._+-]+")


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One cell: a method on a variant of a dataset under a protocol with a seed.

    Attributes:
        schema: version of this layout.
        cell: SHA-256 of ``identity``.
        slug: file-name safe name of the cell, see :func:`slug_of`.
        status: how far the cell came.
        reason: why it failed or was interrupted, in a line; empty otherwise.
        method: the method card's name; ``method_title`` its title.
        dataset: the dataset card's name.
        protocol: the protocol card's name.
        kind: ``none``, ``drop``, ``shrink`` or another degradation; ``rate`` how strong.
        seed: the training's seed.
        variant_seed: the seed of the degraded strokes.
        overrides: protocol fields replaced by ``--set``.
        identity: everything the cell's id hashes, resolved.
        training_id: the id of the training alone; several evaluations may share one.
        miou: mean IoU as a fraction, None until done.
        iou: IoU of each class, None where the class is absent from truth and prediction.
        classes: class names in the order of ``iou``.
        crf: the CRF behind the network's predictions, as the protocol names it; empty where there is none.
            ``miou`` and ``iou`` are of the predictions without it.
        miou_crf: mean IoU of the same predictions after the CRF, None where there is none or until done.
        iou_crf: IoU of each class after the CRF, as ``iou``; empty where there is none.
        curve: one mapping an epoch, with ``epoch``, ``loss`` and whatever the losses log; a number that
            is not finite is None in the file.
        epochs: epochs trained.
        versions: library -> version.
        seconds: wall time of training and evaluation.
        peak_memory_mb: of the process, or of the device where it is one.
        parameters: number of parameters, per module and ``total``.
        commit: the program's commit, empty where unknown.
        command: the command line.
        started: ISO 8601, with the time zone.
        warnings: what was said of the data before training, a line each.
        confusion_sha256: SHA-256 of the file of confusion matrices; empty before schema 2.
        threads: threads of the CPU that computed the numbers; 0 where unknown.
        log: name of a file beside the record with the traceback of a failure, or empty.
        external: another program predicted; method, protocol, scribbles and seed are as its user says.
    """

    cell: str
    slug: str
    status: Status
    method: str
    method_title: str
    dataset: str
    protocol: str
    kind: str
    rate: float
    seed: int
    variant_seed: int
    identity: dict[str, Any]
    training_id: str
    classes: Sequence[str]
    started: str
    schema: int = SCHEMA
    reason: str = ""
    overrides: dict[str, Any] = {}
    miou: float | None = None
    iou: Sequence[float | None] = ()
    crf: str = ""
    miou_crf: float | None = None
    iou_crf: Sequence[float | None] = []
    curve: Sequence[Mapping[str, float | None]] = ()
    epochs: int = 0
    versions: dict[str, str] = {}
    device: str = ""
    seconds: float = 0.0
    peak_memory_mb: float = 0.0
    parameters: dict[str, int] = {}
    commit: str = ""
    command: str = ""
    warnings: Sequence[str] = ()
    confusion_sha256: str = ""
    threads: int = 0
    log: str = ""
    external: bool = False

    def __post_init__(self) -> None:
        end = f"_{self.cell[:_ID_DIGITS]}"
        if not _FILE_SAFE.fullmatch(self.slug) or not self.slug.endswith(end):
            raise ValueError(f"slug '{self.slug}' must be file-name safe and end in {end} - at `$.slug`")
        if self.status == "done":
            _check_share(self.miou, "miou")
        if self.status == "done" and self.crf:
            _check_share(self.miou_crf, "miou_crf")
        if not self.crf and (self.miou_crf is not None or self.iou_crf):
            raise ValueError("numbers of a CRF without its name - at `$.crf`")
        for name, scores in (("iou", self.iou), ("iou_crf", self.iou_crf)):
            if len(scores) not in (0, len(self.classes)):
                raise ValueError(f"{len(scores)} IoUs for {len(self.classes)} classes - at `$.{name}`")


def _check_share(miou: float | None, field: str) -> None:
    if miou is None or not 0 <= miou <= 1:
        raise ValueError(f"a cell that is done has an mIoU in [0, 1], not {miou} - at `$.{field}`")


def slug_of(dataset: str, method: str, kind: str, rate: float, seed: int, cell: str) -> str:
    """Name a cell for people and file systems.

    >>> slug_of("toy", "rw-ss", "shrink", 0.5, 0, "1a2b3c4d5e6f")
    'toy_rw-ss_shrink-0.5_seed0_1a2b3c4d5e'
    >>> slug_of("toy", "rw", "none", 0.0, 2, "1a2b3c4d5e6f")
    'toy_rw_none_seed2_1a2b3c4d5e'
    >>> slug_of("café", "rw", "mine:Blur", 0.5, 0, "1a2b3c4d5e6f")  # names that not every system holds
    'caf-_rw_mine-Blur-0.5_seed0_1a2b3c4d5e'
    """
    variant = kind if kind == "none" else f"{kind}-{rate:g}"
    return _NOT_FILE_SAFE.sub("-", f"{dataset}_{method}_{variant}_seed{seed}_{cell[:_ID_DIGITS]}")


def record_path(folder: Path, slug: str) -> Path:
    """Return the record's own file."""
    return folder / f"{slug}.json"


def confusion_path(folder: Path, slug: str) -> Path:
    """Return the file of the cell's confusion matrices, one an image."""
    return folder / f"{slug}.npz"


def lock_path(folder: Path, slug: str) -> Path:
    """Return the file that whoever runs the cell holds the lock of."""
    return folder / f"{slug}.lock"


def log_path(folder: Path, slug: str) -> Path:
    """Return the file of a failed cell's traceback."""
    return folder / f"{slug}.log"


def write_record(folder: Path, record: Record) -> Path:
    """Write a record, whole or not at all; a later status of the same cell replaces the earlier.

    Raises:
        UserError: the folder cannot be written.
    """
    path = record_path(folder, record.slug)
    write_document(path, record)
    return path


def read_record(path: Path) -> Record:
    """Read one record and look whether it agrees with itself and with its file's name.

    One that says ``running`` while nobody holds the cell's lock is of a process that was killed; it is
    returned as interrupted.

    Raises:
        UserError: the file is unreadable, damaged, not a record, or written by a later version.
    """
    record = read_document(path, Record, SCHEMA, "a record")
    for wrong in (_disagreement(record), "" if path.stem == record.slug else f"its slug is {record.slug}"):
        if wrong:
            raise UserError(f"{path} contradicts itself: {wrong}. Remove it, and its cell is run again.")
    if record.status == "running" and not is_held(lock_path(path.parent, record.slug)):
        return msgspec.structs.replace(record, status="interrupted", reason="killed: no process is at it")
    return record


def read_records(folder: Path) -> Reading[Record]:
    """Read every record of a folder, in the order of their file names; the damaged ones are listed apart."""
    return read_folder(folder, read_record)


def find_record(folder: Path, cell: str) -> Record | None:
    """Return the record of a cell by its full id, or None where there is none that is sound."""
    found = read_folder(folder, read_record, f"*_{cell[:_ID_DIGITS]}.json").records
    return next((record for record in found if record.cell == cell), None)


def _disagreement(record: Record) -> str:
    """Say which field of a record disagrees with the others; empty where none does."""
    r = record
    if r.cell != fingerprint(r.identity):
        return "the cell is not the SHA-256 of its identity - at `$.cell`"
    if "training" in r.identity and r.training_id != fingerprint(r.identity["training"]):
        return "the training's id is not the SHA-256 of its identity - at `$.training_id`"
    if r.slug != slug_of(r.dataset, r.method, r.kind, r.rate, r.seed, r.cell):
        return "the slug does not follow from the other fields - at `$.slug`"
    return _not_the_mean(r.iou, r.miou, "miou") or _not_the_mean(r.iou_crf, r.miou_crf, "miou_crf")


def _not_the_mean(iou: Sequence[float | None], miou: float | None, field: str) -> str:
    scores = [score for score in iou if score is not None]
    if miou is None or not scores or abs(sum(scores) / len(scores) - miou) <= TOLERANCE:
        return ""
    return f"the IoUs have the mean {sum(scores) / len(scores):.6f}, not {miou} - at `$.{field}`"
