"""Check a variant: its files against its manifest, and its manifest against the source."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from scribblebench.core.cards import DatasetCard
from scribblebench.core.errors import UserError
from scribblebench.pictures.labels import read_labels
from scribblebench.scribbles.digest import pixels_digest, strokes_digest
from scribblebench.scribbles.xml import read_xml
from scribblebench.sources.folder import DatasetFolder
from scribblebench.sources.job import LABELS, STROKES, Job
from scribblebench.sources.manifest import RULE, Fingerprints, ImageRecord
from scribblebench.sources.variant import Progress, Variant


def check_files(variant: Variant, card: DatasetCard, progress: Progress | None = None) -> list[str]:
    """Compare the files of a variant with its manifest.

    Args:
        variant: the folder.
        card: its dataset, whose tags the annotation files use.
        progress: called with images done and images in all.

    Returns:
        What differs, a line each; empty where all is well.
    """
    differences = list(_strangers(variant))
    prints = Fingerprints()
    for done, record in enumerate(variant.manifest.images, 1):
        prints.add(record)
        differences += _label_differences(variant, record)
        differences += _stroke_differences(variant, record, card)
        if progress:
            progress(done, len(variant.manifest.images))
    if prints.variant != variant.fingerprint or prints.source != variant.head.source.fingerprint:
        differences.append("manifest.json: the fingerprints do not agree with the images' own digests")
    return differences


def _strangers(variant: Variant) -> Iterator[str]:
    known = set(variant.ids)
    for folder, suffix in ((LABELS, ".png"), (STROKES, ".xml")):
        for path in sorted((variant.root / folder).glob(f"*{suffix}")):
            if path.stem not in known:
                yield f"{folder}/{path.name}: not in the manifest"


def _label_differences(variant: Variant, record: ImageRecord) -> Iterator[str]:
    name = f"{LABELS}/{record.image}.png"
    data = _read(variant.root / name)
    if data is None:
        yield f"{name}: missing"
    elif hashlib.sha256(data).hexdigest() != record.png:
        try:
            same = pixels_digest(read_labels(data)) == record.labels
        except UserError:
            same = False
        yield f"{name}: {'encoded anew, with the same pixels' if same else 'other pixels'}"


def _stroke_differences(variant: Variant, record: ImageRecord, card: DatasetCard) -> Iterator[str]:
    name = f"{STROKES}/{record.image}.xml"
    data = _read(variant.root / name)
    if data is None:
        yield f"{name}: missing"
    elif hashlib.sha256(data).hexdigest() != record.xml:
        try:
            same = strokes_digest(read_xml(data, record.image, card.class_of)[0]) == record.drawn
        except UserError:
            same = False
        yield f"{name}: {'written anew, with the same strokes' if same else 'other strokes'}"


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def check_source(variant: Variant, dataset: DatasetFolder, progress: Progress | None = None) -> list[str]:
    """Make a variant again from its source, in memory, and compare.

    Args:
        variant: the folder.
        dataset: the source, read in the way that the manifest names.
        progress: called with images done and images in all.

    Returns:
        What differs, a line each; empty where all is well.
    """
    manifest = variant.manifest
    if manifest.rule != RULE:
        return [f"manifest.json: made by version {manifest.rule} of the rules, this program has {RULE}"]
    expected, found = set(dataset.ids(manifest.source.split)), set(variant.ids)
    differences = [f"{image}: in the source, not in the variant" for image in sorted(expected - found)]
    differences += [f"{image}: in the variant, not in the source" for image in sorted(found - expected)]
    job = Job(dataset, manifest.spec)
    for done, record in enumerate(manifest.images, 1):
        if record.image in expected:
            differences += _source_differences(job, record)
        if progress:
            progress(done, len(manifest.images))
    return differences


def _source_differences(job: Job, record: ImageRecord) -> list[str]:
    try:
        made = job.derive(record.image).record
    except UserError as error:
        return [str(error)]
    names = {"source": "source strokes", "mask": "mask", "drawn": "degraded strokes", "labels": "label map"}
    wrong = [text for field, text in names.items() if getattr(made, field) != getattr(record, field)]
    return [f"{record.image}: other {' and '.join(wrong)} when made again"] if wrong else []
