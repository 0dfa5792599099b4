"""The card of a dataset: what it holds, where its files lie, and how to obtain it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from scribblebench.core.card import Card, Label
from scribblebench.core.errors import UserError
from scribblebench.core.names import check_id, check_name

# Labels are bytes, and one of them is the ignore index.
MAX_CLASSES = 255
IGNORE = "ignore"


class Layout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a dataset in VOC layout keeps its files, relative to its root.

    Attributes:
        images: folder of the photographs.
        image_suffix: theirs, with the dot.
        masks: folder of the dense masks, PNG.
        lists: folder of the lists of ids, a text file a split.
        strokes: folder of XML strokes as in ScribbleSup.
        labels: folder of rendered strokes, PNG.
        clicks: file of points as in What's the point, JSON.
        background_clicks: file of points of the background, JSON.
        boxes: folder of VOC's annotations with instance boxes, XML.
    """

    images: str = "JPEGImages"
    image_suffix: str = ".jpg"
    masks: str = "SegmentationClassAug"
    lists: str = "ImageSets/SegmentationAug"
    strokes: str = "scribble_annotation/pascal_2012"
    labels: str = "pascal_2012_scribble"
    clicks: str = "voc_whats_the_point.json"
    background_clicks: str = "voc_whats_the_point_bg_from_scribbles.json"
    boxes: str = "Annotations"


class Archive(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One download of a dataset.

    Attributes:
        name: file name in the cache; ``.tar``, ``.tar.gz``, ``.tgz`` and ``.zip`` are unpacked.
        urls: mirrors, tried in order.
        sha256: the checksum, or empty where nobody has published it.
        extract: folder or file in the archive -> its place below the dataset's root; a download that is no
            archive goes by its own name.
        note: what a person should know, such as a dead host.
    """

    name: Annotated[str, Meta(pattern=r"^\w[\w.-]*$")]
    urls: tuple[Annotated[str, Meta(pattern="^https?://")], ...]
    extract: Annotated[dict[str, str], Meta(min_length=1)]
    sha256: Annotated[str, Meta(pattern="^([0-9a-f]{64})?$")] = ""
    note: str = ""


class Values(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the values of label maps mean, where they are not class indices.

    Each is value -> class name, or ``ignore`` for pixels without a label. Where one is given, it names every
    value that occurs.

    Attributes:
        masks: of the dense masks.
        strokes: of the rendered strokes.
    """

    masks: dict[Label, str] = {}
    strokes: dict[Label, str] = {}


class DatasetCard(Card, frozen=True, kw_only=True):
    """A dataset: what it holds and how to obtain it.

    Attributes:
        source: ``voc`` (a folder in VOC layout) or ``toy`` (generated).
        classes: class names in the order of their indices, background first.
        tags: other spellings of class names in annotation files.
        ignore_index: label of pixels that are not scored; no class has it.
        values: what the values of its label maps mean, where they are not class indices.
        splits: split -> name of its list file.
        has_masks: dense masks exist for the training split, so that objects are connected components.
        layout: where its files lie below its folder.
        archives: what ``fetch`` downloads; none where people bring the folder.
        licence: terms of use, in a line.
        protocol: the protocol used when none is named.
    """

    protocol: str
    source: Literal["voc", "toy"]
    classes: tuple[str, ...]
    tags: dict[str, str] = msgspec.field(default_factory=dict)
    ignore_index: Label = 255
    values: Values = Values()
    splits: dict[str, str] = msgspec.field(default_factory=lambda: {"train": "train", "val": "val"})
    has_masks: bool = True
    layout: Layout = Layout()
    archives: tuple[Archive, ...] = ()
    licence: str = ""

    def faults(self) -> Iterator[str]:
        """Say what is wrong with the fields together."""
        yield from super().faults()
        yield from _faults_of_classes(self.classes, self.ignore_index)
        for tag, name in self.tags.items():
            if name not in self.classes:
                yield f"tags: {tag!r} stands for {name!r}, which is no class"
            if tag in self.classes and tag != name:
                yield f"tags: {tag!r} is a class of its own, and cannot stand for {name!r}"
        for split, name in self.splits.items():
            try:
                check_name(split, "splits")
                check_id(name, f"splits.{split}")
            except UserError as error:
                yield str(error).removesuffix(".")
        for field in self.values.__struct_fields__:
            for value, name in getattr(self.values, field).items():
                if name not in (*self.classes, IGNORE):
                    yield f"values.{field}: {value} is {name!r}, neither a class nor {IGNORE!r}"

    def class_of(self, tag: str) -> int | None:
        """Class index of a tag in an annotation file, or None where the dataset has no such class."""
        name = self.tags.get(tag, tag)
        return self.classes.index(name) if name in self.classes else None


def _faults_of_classes(classes: tuple[str, ...], ignore_index: int) -> Iterator[str]:
    if len(classes) < 2:
        yield "classes: a dataset has at least two, background first"
    if len(classes) > MAX_CLASSES:
        yield f"classes: {len(classes)}, but a label map holds no more than {MAX_CLASSES}"
    elif ignore_index < len(classes):
        yield f"ignore_index: {ignore_index} is the index of the class {classes[ignore_index]!r}"
    for name in dict.fromkeys(classes):
        if classes.count(name) > 1:
            yield f"classes: {name!r} is there twice"
        if name != name.strip() or not name.isprintable() or name in ("", IGNORE):
            yield f"classes: {name!r} cannot be the name of a class"
