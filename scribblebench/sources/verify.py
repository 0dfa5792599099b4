"""Check a variant: its files against its manifest, and its manifest against the source."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from scribblebench.core.cards import DatasetCard
from scribblebench.core.errors import UserError
from scribblebench.core.files import visible
from scribblebench.pictures.labels import read_labels
from scribblebench.scribbles.digest import pixels_digest, strokes_digest
from scribblebench.scribbles.xml import read_xml
from scribblebench.sources.folder import DatasetFolder
from scribblebench.sources.job import LABELS, STROKES, Job
from scribblebench.sources.manifest import RULE, Fingerprints, ImageRecord
from scribblebench.sources.variant import Progress, Variant
from scribblebench.sources.workers import in_order

# Images that a process is handed at a time: to start one takes longer than to check some hundreds.
_CHUNK = 256


def check_files(
    variant: Variant, card: DatasetCard, progress: Progress | None = None, workers: int = 1
) -> list[str]:
    """Compare the files of a variant with its manifest.

    Args:
        variant: the folder.
        card: its dataset, whose tags the annotation files use.
        progress: called with images done and images in all.
        workers: processes.

    Returns:
        What differs, a line each; empty where all is well.
    """
    prints, records = Fingerprints(), variant.manifest.images
    for record in records:
        prints.add(record)
    compare = _Files(variant.root, card, {record.image: record for record in records})
    differences = [*_strangers(variant), *_of_each(compare, records, progress, workers)]
    if prints.variant != variant.fingerprint or prints.source != variant.head.source.fingerprint:
        differences.append("manifest.json: the fingerprints do not agree with the images' own digests")
    return differences


def _strangers(variant: Variant) -> Iterator[str]:
    known = set(variant.ids)
    for folder, suffix in ((LABELS, ".png"), (STROKES, ".xml")):
        for path in visible(variant.root / folder, f"**/*{suffix}"):
            name = path.relative_to(variant.root / folder)
            if name.with_suffix("").as_posix() not in known:
                yield f"{folder}/{name.as_posix()}: not in the manifest"


@dataclass(frozen=True)
class _Files:
    """Compares the files of one image with its record; goes to another process with all of them."""

    root: Path
    card: DatasetCard
    records: dict[str, ImageRecord]

    def __call__(self, image: str) -> list[str]:
        record = self.records[image]
        return [*self._labels(record), *self._strokes(record)]

    def _labels(self, record: ImageRecord) -> Iterator[str]:
        name = f"{LABELS}/{record.image}.png"
        data = _read(self.root / name)
        if data is None:
            yield f"{name}: missing"
        elif hashlib.sha256(data).hexdigest() != record.png:
            try:
                same = pixels_digest(read_labels(data)) == record.labels
            except UserError:
                same = False
            yield f"{name}: {'encoded anew, with the same pixels' if same else 'other pixels'}"

    def _strokes(self, record: ImageRecord) -> Iterator[str]:
        name = f"{STROKES}/{record.image}.xml"
        data = _read(self.root / name)
        if data is None:
            yield f"{name}: missing"
        elif hashlib.sha256(data).hexdigest() != record.xml:
            try:
                same = strokes_digest(read_xml(data, record.image, self.card.class_of)[0]) == record.drawn
            except UserError:
                same = False
            yield f"{name}: {'written anew, with the same strokes' if same else 'other strokes'}"


def _of_each(
    compare: Callable[[str], list[str]],
    records: Sequence[ImageRecord],
    progress: Progress | None,
    workers: int,
) -> Iterator[str]:
    found = in_order(compare, [record.image for record in records], workers, _CHUNK)
    for done, differences in enumerate(found, 1):
        yield from differences
        if progress:
            progress(done, len(records))


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def check_source(
    variant: Variant, dataset: DatasetFolder, progress: Progress | None = None, workers: int = 1
) -> list[str]:
    """Make a variant again from its source, in memory, and compare.

    Args:
        variant: the folder.
        dataset: the source, read in the way that the manifest names.
        progress: called with images done and images in all.
        workers: processes.

    Returns:
        What differs, a line each; empty where all is well.
    """
    manifest = variant.manifest
    if manifest.rule != RULE:
        return [f"manifest.json: made by version {manifest.rule} of the rules, this program has {RULE}"]
    expected, found = set(dataset.ids(manifest.source.split)), set(variant.ids)
    differences = [f"{image}: in the source, not in the variant" for image in sorted(expected - found)]
    differences += [f"{image}: in the variant, not in the source" for image in sorted(found - expected)]
    records = [record for record in manifest.images if record.image in expected]
    compare = _Source(Job(dataset, manifest.spec), {record.image: record for record in records})
    return [*differences, *_of_each(compare, records, progress, workers)]


@dataclass(frozen=True)
class _Source:
    """Makes one image of a variant again and compares; goes to another process with all records."""

    job: Job
    records: dict[str, ImageRecord]

    def __call__(self, image: str) -> list[str]:
        record = self.records[image]
        try:
            made = self.job.derive(image).record
        except UserError as error:
            return [str(error)]
        wrong = [text for field, text in _DECIDED.items() if getattr(made, field) != getattr(record, field)]
        return [f"{image}: other {' and '.join(wrong)} when made again"] if wrong else []


# Field of a record that its source decides, and its name for people.
_DECIDED = {"source": "source strokes", "mask": "mask", "drawn": "degraded strokes", "labels": "label map"}
