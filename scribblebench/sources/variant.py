"""Variants on disk: made aside and renamed, so that a half one is never met."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np
from numpy.typing import NDArray

from scribblebench.core.errors import UserError, several
from scribblebench.core.files import building, file_sha256, to_json
from scribblebench.pictures.labels import read_labels
from scribblebench.scribbles.digest import pixels_digest
from scribblebench.sources.croissant import NAME as CROISSANT
from scribblebench.sources.croissant import croissant
from scribblebench.sources.folder import DatasetFolder
from scribblebench.sources.job import LABELS, STROKES, Job
from scribblebench.sources.manifest import (
    NAME,
    RULE,
    Digests,
    Fingerprints,
    Head,
    ImageRecord,
    Manifest,
    Source,
    Totals,
    manifest_pieces,
    read_head,
    read_manifest,
)
from scribblebench.sources.spec import VariantSpec
from scribblebench.sources.workers import Outcome, each_image
from scribblebench.store.lock import wait_lock

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Variant:
    """A variant's folder. Made by ``open_variant`` and ``make_variant``.

    Attributes:
        root: the folder.
        head: its manifest without the images, which are read when they are asked for.
    """

    root: Path
    head: Head

    @cached_property
    def manifest(self) -> Manifest:
        """The whole manifest."""
        return read_manifest(self.root)

    @cached_property
    def ids(self) -> list[str]:
        """The images, in the order of their ids."""
        return [record.image for record in self.manifest.images]

    @property
    def fingerprint(self) -> str:
        """Fingerprint over ids, label pixels and strokes."""
        return self.head.fingerprint

    def label_path(self, image: str) -> Path:
        """Return the path of a label map."""
        return self.root / LABELS / f"{image}.png"

    @cached_property
    def _records(self) -> dict[str, ImageRecord]:
        return {record.image: record for record in self.manifest.images}

    def label(self, image: str) -> NDArray[np.uint8]:
        """Read a label map, uint8 (height, width), and look whether it is the one that was made.

        Raises:
            UserError: it is missing, or its labels are not those that the manifest names.
        """
        path = self.label_path(image)
        label = read_labels(path)
        if pixels_digest(label) != self._records[image].labels:
            raise UserError(
                f"{path} is not the label map that was made: it has other labels. Remove {self.root} to make "
                "it again."
            )
        return label

    def annotation_path(self, image: str) -> Path:
        """Return the path of an annotation file."""
        return self.root / STROKES / f"{image}.xml"


def open_variant(folder: Path) -> Variant:
    """Open a variant that is there.

    Raises:
        UserError: it is not.
    """
    return Variant(folder, read_head(folder))


def folder_name(spec: VariantSpec, split: str) -> str:
    """Return the name of a variant's folder: its id, and the split where it is not train.

    >>> folder_name(VariantSpec.of("drop", 0.1), "val")
    'drop-0.1-seed0-val'
    """
    return spec.id if split == "train" else f"{spec.id}-{split}"


def ensure_variant(
    dataset: DatasetFolder,
    spec: VariantSpec,
    root: Path,
    split: str = "train",
    workers: int = 1,
    progress: Progress | None = None,
    known: Digests | None = None,
) -> Variant:
    """Return the variant in its own folder below ``root``; make it if it is absent.

    Args:
        dataset: the source.
        spec: the variant.
        root: the folder of the dataset's variants.
        split: which images.
        workers: processes.
        progress: called with images done and images in all.
        known: what the source holds, where that is known, so that it is not read again.

    Raises:
        UserError: the source is not in order, or the folder holds something else.
    """
    return make_variant(dataset, split, spec, root / folder_name(spec, split), workers, progress, known)


def make_variant(
    dataset: DatasetFolder,
    split: str,
    spec: VariantSpec,
    out: Path,
    workers: int = 1,
    progress: Progress | None = None,
    known: Digests | None = None,
) -> Variant:
    """Make a variant in ``out``. If the very same one is there already, nothing is done.

    Two processes that make the same variant at once take turns; the second finds the first one's work.

    Raises:
        UserError: the spec or the source is not in order (nothing is written), or ``out`` holds something
            else.
    """
    spec = spec.checked()
    ids = sorted(dataset.ids(split))
    with wait_lock(out.parent / f".{out.name}.lock"):
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            return _existing(dataset, split, spec, out, workers, known)
        with building(out) as aside:
            head = _fill(aside, Job(dataset, spec), split, ids, workers, progress)
    return Variant(out, head)


def source_fingerprint(
    dataset: DatasetFolder, split: str, masks: bool = True, workers: int = 1, progress: Progress | None = None
) -> str:
    """SHA-256 over the ids, strokes and (with ``masks``) mask pixels of a split.

    It does not change when files are re-encoded, or when the list is in another order.
    """
    prints = Fingerprints()
    ids = sorted(dataset.ids(split))
    with contextlib.closing(each_image(Job(dataset, VariantSpec()), ids, None, workers, masks)) as outcomes:
        for outcome in _report(outcomes, len(ids), progress):
            prints.add(msgspec.json.decode(outcome.record, type=ImageRecord))
    return prints.source


def _fill(aside: Path, job: Job, split: str, ids: list[str], workers: int, progress: Progress | None) -> Head:
    (aside / LABELS).mkdir(parents=True)
    (aside / STROKES).mkdir(parents=True)
    lines = aside / ".images.jsonl"
    with lines.open("wb") as file:
        head = _write_images(aside, job, split, ids, workers, progress, file)
    with lines.open("rb") as records, (aside / NAME).open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(manifest_pieces(head, records))
    lines.unlink()
    described = croissant(head, job.dataset.card, file_sha256(aside / NAME))
    (aside / CROISSANT).write_text(to_json(described), encoding="utf-8")
    return head


def _write_images(
    aside: Path,
    job: Job,
    split: str,
    ids: list[str],
    workers: int,
    progress: Progress | None,
    lines: BinaryIO,
) -> Head:
    prints, totals, repairs = Fingerprints(), Totals(), Counter[str]()
    with contextlib.closing(each_image(job, ids, aside, workers)) as outcomes:
        for outcome in _report(outcomes, len(ids), progress):
            record = msgspec.json.decode(outcome.record, type=ImageRecord)
            prints.add(record)
            totals.add(record)
            repairs += outcome.repairs
            lines.write(outcome.record + b"\n")
    dataset = job.dataset
    if not totals.strokes_in_source:
        raise UserError(
            f"Not one of the {len(ids)} {split} images of {dataset.root} has a stroke, so nothing was "
            "written. Give --data-dir a folder with annotated images."
        )
    return Head(
        variant=job.spec.id,
        spec=job.spec,
        source=Source(dataset.card.name, split, dataset.strokes, job.reads_masks, len(ids), prints.source),
        totals=totals,
        repairs=dict(repairs),
        fingerprint=prints.variant,
        parts=job.spec.versions(),
    )


def _report(outcomes: Iterator[Outcome], total: int, progress: Progress | None) -> Iterator[Outcome]:
    """Pass on the good outcomes, and raise one error for all the bad ones at the end."""
    errors: list[str] = []
    for done, outcome in enumerate(outcomes, 1):
        if outcome.error:
            errors.append(outcome.error)
        else:
            yield outcome
        if progress:
            progress(done, total)
    if errors:
        raise UserError(
            several(errors, f"{len(errors)} of {total} images cannot be used, so nothing was written")
        )


def _existing(
    dataset: DatasetFolder, split: str, spec: VariantSpec, out: Path, workers: int, known: Digests | None
) -> Variant:
    if not (out / NAME).is_file():
        raise UserError(f"{out} holds something else. Choose another --out, or remove it.")
    variant = open_variant(out)
    found, source = variant.head, variant.head.source
    if (found.spec, source.dataset, source.split) != (spec, dataset.card.name, split):
        raise UserError(
            f"{out} holds the variant {found.variant} of {source.dataset} {source.split}, not {spec.id} of "
            f"{dataset.card.name} {split}. Choose another --out, or remove it."
        )
    parts = {name: found.parts.get(name, 1) for name in spec.versions()}
    same_rule = found.rule == RULE and source.strokes == dataset.strokes and parts == spec.versions()
    if known is None:
        same_source = source.fingerprint == source_fingerprint(dataset, split, source.masks, workers)
    else:
        same_source = variant.manifest.made_from(known)
    if not same_rule or not same_source:
        raise UserError(
            f"{out} was made from other data or by another version of the rules. Remove it to make it again."
        )
    return variant
