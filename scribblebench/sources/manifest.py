"""The manifest of a variant: what it was made from, by which rule, and what every file must be."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from scribblebench import __version__
from scribblebench.core.errors import UserError
from scribblebench.core.files import to_json
from scribblebench.core.identity import stated
from scribblebench.sources.spec import VariantSpec

NAME = "manifest.json"
SCHEMA = 1
# Raise it when the same spec and source would give other strokes or pixels than before.
RULE = 1
# Fields of a variant that decide nothing about its label maps: the strokes' digest covers the reader.
_NOT_PIXELS = ("labels", "strokes")


class ImageRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """One image of a variant.

    Attributes:
        image: the id.
        source: digest of the source's strokes.
        strokes: number of strokes in the source.
        kept: for each stroke written, its index in the source.
        exact: stroke written -> the points whose exact coordinates are not the whole ones in the file,
            each as position, x, y.
        pixels: number of labelled pixels.
        drawn: digest of the strokes written.
        labels: digest of the label map's pixels.
        png: SHA-256 of the label map's file.
        xml: SHA-256 of the annotation file.
        mask: digest of the dense mask, where the rule looks at it.
    """

    image: str
    source: str
    strokes: int
    kept: tuple[int, ...]
    pixels: int
    drawn: str
    labels: str
    png: str
    xml: str
    exact: dict[str, list[tuple[int, float, float]]] = {}
    mask: str = ""


class Source(msgspec.Struct, frozen=True):
    """What a variant was made from.

    Attributes:
        dataset: name of the dataset card.
        split: which images.
        strokes: the reader of its strokes.
        masks: the rule looks at the masks, so the fingerprint covers them.
        images: how many.
        fingerprint: over ids, strokes and, where the rule looks at them, mask pixels.
    """

    dataset: str
    split: str
    strokes: str
    masks: bool
    images: int
    fingerprint: str


class Totals(msgspec.Struct):
    """Counts over all images of a variant."""

    images: int = 0
    strokes_in_source: int = 0
    strokes: int = 0
    labelled_pixels: int = 0
    images_without_strokes: int = 0

    def add(self, record: ImageRecord) -> None:
        """Count one image."""
        self.images += 1
        self.strokes_in_source += record.strokes
        self.strokes += len(record.kept)
        self.labelled_pixels += record.pixels
        self.images_without_strokes += not record.kept


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest without its images.

    Attributes:
        schema: version of this file's form.
        rule: version of the rules.
        made_by: program and version.
        variant: the id.
        spec: what the id abbreviates, every default spelt out.
        source: what it was made from.
        totals: counts.
        repairs: what was mended in the source, and how often.
        fingerprint: over ids, label pixels and strokes; independent of PNG and XML encoders.
        parts: versions of the degradations; 1 where they are not named.
    """

    schema: int = SCHEMA
    rule: int = RULE
    made_by: str = f"scribblebench {__version__}"
    variant: str
    spec: VariantSpec
    source: Source
    totals: Totals
    repairs: dict[str, int]
    fingerprint: str
    parts: dict[str, int | str] = {}


class Manifest(Head, frozen=True, kw_only=True):
    """A whole manifest; ``images`` is ordered by id."""

    images: tuple[ImageRecord, ...]

    def made_from(self, source: Digests) -> bool:
        """Tell whether the source still has the strokes, and the masks where the rule looks at them."""
        masks = {r.image: r.mask for r in self.images} if self.source.masks else {}
        return over({r.image: r.source for r in self.images}) == source.strokes and (
            not masks or over(masks) == source.masks
        )


H = TypeVar("H", bound=Head)


def manifest_pieces(head: Head, records: Iterable[bytes]) -> Iterator[str]:
    """Yield a manifest as text, an image a line, so that no more than one is held.

    Args:
        head: all but the images.
        records: the images, encoded.
    """
    yield to_json(msgspec.to_builtins(head)).rstrip().removesuffix("}").rstrip() + ',\n  "images": ['
    separator = "\n    "
    for record in records:
        yield separator + record.decode("utf-8").rstrip()
        separator = ",\n    "
    yield "\n  ]\n}\n"


def read_head(folder: Path) -> Head:
    """Read the manifest of a variant's folder without its images.

    Raises:
        UserError: none there, or not one of ours.
    """
    return _read(folder, Head)


def read_manifest(folder: Path) -> Manifest:
    """Read the whole manifest of a variant's folder.

    Raises:
        UserError: none there, or not one of ours.
    """
    return _read(folder, Manifest)


def _read(folder: Path, kind: type[H]) -> H:
    path = folder / NAME
    try:
        found = msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError as error:
        raise UserError(f"No variant at {folder}: {NAME} is missing. Make it with 'make-dataset'.") from error
    except (OSError, msgspec.DecodeError, ValueError) as error:
        raise UserError(f"{path} cannot be read as a manifest ({error}). Make the variant again.") from error
    if found.schema != SCHEMA:
        raise UserError(
            f"{path} has version {found.schema}, this program reads {SCHEMA}. Make the variant again."
        )
    return found


class Digests(msgspec.Struct, frozen=True):
    """SHA-256 of what a split holds, by id, whatever the order of its list; empty where nothing was read.

    Attributes:
        photographs: the decoded pixels.
        strokes: classes and points.
        masks: the decoded labels.
        marks: kind of marks -> classes and points.
    """

    photographs: str
    strokes: str = ""
    masks: str = ""
    marks: dict[str, str] = {}


def over(digests: Mapping[str, str]) -> str:
    """SHA-256 over the digests of some images, whatever their order."""
    lines = (f"{image} {digests[image]}\n" for image in sorted(digests))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


class Fingerprints:
    """Fingerprints of source and variant, image by image, in the order of ids."""

    def __init__(self) -> None:
        self._source = hashlib.sha256(b"scribblebench source\n")
        self._variant = hashlib.sha256(b"scribblebench variant\n")

    def add(self, record: ImageRecord) -> None:
        """Add one image."""
        self._source.update(f"{record.image} {record.source} {record.mask}\n".encode())
        self._variant.update(f"{record.image} {record.drawn} {record.labels}\n".encode())

    @property
    def source(self) -> str:
        """Fingerprint of what was read."""
        return self._source.hexdigest()

    @property
    def variant(self) -> str:
        """Fingerprint of what was made."""
        return self._variant.hexdigest()


def stated_variant(variant: VariantSpec) -> dict[str, Any]:
    """Return what decides a variant's label maps, given the strokes."""
    return {
        "variant": {k: v for k, v in stated(variant.checked()).items() if k not in _NOT_PIXELS},
        "rules": {"strokes": RULE, **variant.versions()},
    }
