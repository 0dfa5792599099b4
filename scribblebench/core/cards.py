"""The four kinds of card: a method, a protocol, a dataset and a grid are data, read from YAML.

A card is a frozen struct; an unknown or misspelt field is an error that names the file and the field.
"""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from scribblebench.core.errors import UserError
from scribblebench.core.names import check_id, check_name

Share = Annotated[float, Meta(ge=0, le=1)]
Positive = Annotated[int, Meta(ge=1, le=2**31 - 1)]  # torch and C hold no more
NonNegative = Annotated[float, Meta(ge=0)]
Label = Annotated[int, Meta(ge=0, le=255)]
Seed = Annotated[int, Meta(ge=0, le=2**31 - 1)]
# Beyond these bounds a protocol asks for what no machine holds and no picture has.
Side = Annotated[int, Meta(ge=1, le=2**14 + 1)]
Threads = Annotated[int, Meta(ge=1, le=1024)]
Zoom = Annotated[float, Meta(ge=0.01, le=100)]
# Labels are bytes, and one of them is the ignore index.
MAX_CLASSES = 255
IGNORE = "ignore"
S = TypeVar("S", bound=msgspec.Struct)


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every card has: the name it is found by and a title for people, in one line."""

    name: str
    title: str

    def __post_init__(self) -> None:
        """Refuse a title that is none."""
        control = any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in self.title)
        if control or not self.title.strip():
            raise ValueError(
                f"title: {self.title[:80]!r} is empty, or holds a line end or a control character"
            )


class Paper(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a method was published."""

    key: str
    year: int
    title: str


class LossTerm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"starts": "from"}):
    """One loss of a method and when it acts.

    Attributes:
        part: the name of a registered loss.
        weight: its factor in the sum.
        starts: share of the run after which it acts (``from`` in YAML); 0.5 is the paper's second stage.
        ramp: share of the run over which its weight grows from 0 once it has started.
        options: the part's own fields; written flat beside the others in YAML.
    """

    part: str
    weight: NonNegative = 1.0
    starts: Share = 0.0
    ramp: Share = 0.0
    options: dict[str, Any] = {}

    def weight_at(self, progress: float) -> float:
        """Weight after a share ``progress`` of the run.

        >>> LossTerm("entropy", weight=0.2, starts=0.5, ramp=0.1).weight_at(0.55)
        0.1
        """
        if progress < self.starts:
            return 0.0
        if self.ramp == 0:
            return self.weight
        return round(self.weight * min(1.0, (progress - self.starts) / self.ramp), 12)


class Stage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of a method's training, and the labels and losses that it has.

    Attributes:
        share: of the epochs. The shares of a method sum to 1: every method has the same budget.
        labels: ``part`` names a registered propagation, the rest are its options. It makes labels of the
            strokes and, behind the first stage, of what the network predicts by then. Empty: the strokes.
        losses: of this stage; the method's where there is none. ``from`` stays a share of the whole run.
        fresh: begin with initial weights and a learning-rate schedule of its own.
    """

    share: Annotated[float, Meta(gt=0, le=1)]
    labels: dict[str, Any] = {}
    losses: tuple[LossTerm, ...] = ()
    fresh: bool = False


class MethodCard(Card, frozen=True, kw_only=True):
    """A method: registered parts and when they act. It knows nothing of crop sizes or GPUs.

    Attributes:
        supervision: which labels the losses see; ``masks`` is the full-supervision reference.
        network: ``head`` names a registered head, the rest are its options.
        losses: the terms, in the order in which they are logged.
        stages: for a method that trains in rounds; without any, the whole run is one.
        note: one line for tables, such as what differs from the paper.
    """

    paper: Paper
    supervision: Literal["scribble", "masks"] = "scribble"
    network: dict[str, Any]
    losses: tuple[LossTerm, ...]
    stages: tuple[Stage, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        total = sum(stage.share for stage in self.stages)
        if self.stages and abs(total - 1) > 1e-6:
            raise ValueError(f"stages: their shares sum to {total:g}, not to 1")


class Augmentation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ranges of the training augmentation (paper, Implementation; the authors' code for the odds).

    Attributes:
        scale: smallest and largest zoom.
        rotation: largest angle, in degrees, to either side.
        rotation_odds: probability that an image is rotated.
        blur_odds: probability of a 5 x 5 Gaussian blur.
        flip_odds: probability of a horizontal flip.
        labels: ``nearest``: a pixel has the label under its centre, as in the authors' code; a stroke falls
            into pieces where the zoom is below one over its width. ``footprint``: the label nearest to its
            centre within the square that the pixel shows, which leaves no gaps.
    """

    scale: tuple[Zoom, Zoom] = (0.5, 2.0)
    rotation: Annotated[float, Meta(ge=0, le=180)] = 10.0
    rotation_odds: Share = 0.5
    blur_odds: Share = 0.5
    flip_odds: Share = 0.5
    labels: Literal["nearest", "footprint"] = "nearest"


class Optimizer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which optimiser of ``torch.optim``, and its rates.

    Attributes:
        part: the optimiser.
        lr: learning rate of the head.
        backbone_lr: learning rate of the backbone; the head's where absent.
        weight_decay: applied to weights of two or more dimensions only.
        momentum: for ``sgd``.
    """

    part: Literal["adam", "adamw", "sgd"]
    lr: Annotated[float, Meta(gt=0)]
    backbone_lr: Annotated[float, Meta(gt=0)] | None = None
    weight_decay: NonNegative = 0.0
    momentum: Share = 0.9


class ProtocolCard(Card, frozen=True, kw_only=True):
    """Everything that must be equal between the methods compared.

    Attributes:
        dataset: the dataset used when none is named.
        backbone: the name of a registered backbone.
        weights: ``none`` (random), ``imagenet`` (torchvision's download) or a ``.safetensors`` file.
        output_stride: pixels per cell of the network's grid.
        head_width: channels of the representation before the classifier (the paper's 512).
        freeze_batch_norm: keep the backbone's BatchNorm statistics and affine parameters fixed.
        crop: side of a training crop; ``k * output_stride + 1``, so that strided convolutions are
            flip-equivariant.
        batch: images per step.
        epochs: the total budget of every method.
        schedule: ``step`` (x 0.1 at half, the paper's), ``one_cycle`` or ``poly``.
        precision: ``bf16`` is autocast; the walk's energies stay float32.
        threads: threads of a cell on the CPU. Their number decides how sums are rounded, and with that the
            result in its last digits and, after many steps, in its first: it is part of the identity.
        evaluation: ``part`` names a registered inference, the rest are its options; ``crf`` names a preset
            of the dense CRF, or gives its options, and every number is measured without and with it. Not
            part of a training's identity.
        relabelling: the same without ``crf``, for the training images on which a method in stages asks its
            own network. Part of the identity of such methods only.
    """

    dataset: str
    backbone: str
    weights: str = "none"
    output_stride: Literal[8, 16]
    head_width: Positive
    freeze_batch_norm: bool = False
    dropout: Annotated[float, Meta(ge=0, lt=1)] = 0.1
    crop: Side
    batch: Positive
    epochs: Positive
    optimizer: Optimizer
    schedule: Literal["step", "one_cycle", "poly"]
    augmentation: Augmentation
    precision: Literal["float32", "bf16"] = "float32"
    threads: Threads = 1
    evaluation: dict[str, Any]
    relabelling: dict[str, Any] = msgspec.field(default_factory=lambda: {"part": "whole_image"})

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.crop - 1) % self.output_stride:
            best = round((self.crop - 1) / self.output_stride) * self.output_stride + 1
            raise ValueError(f"crop {self.crop} is not k x output_stride + 1; use {best}")
        if self.augmentation.scale[0] > self.augmentation.scale[1]:
            raise ValueError("augmentation.scale must be two numbers, smaller first")
        if self.weights not in ("none", "imagenet") and not self.weights.endswith(".safetensors"):
            raise ValueError(f"weights {self.weights!r} is neither none, imagenet nor a .safetensors file")


class Layout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a dataset in VOC layout keeps its files, relative to its root."""

    images: str = "JPEGImages"
    image_suffix: str = ".jpg"
    masks: str = "SegmentationClassAug"
    lists: str = "ImageSets/SegmentationAug"
    strokes: str = "scribble_annotation/pascal_2012"
    labels: str = "pascal_2012_scribble"
    clicks: str = "voc_whats_the_point.json"
    background_clicks: str = "voc_whats_the_point_bg_from_scribbles.json"


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
        licence: terms of use, in a line.
        protocol: the protocol used when none is named.
    """

    protocol: str
    source: Literal["voc", "toy"]
    classes: tuple[str, ...]
    tags: dict[str, str] = {}
    ignore_index: Label = 255
    values: Values = Values()
    splits: dict[str, str] = msgspec.field(default_factory=lambda: {"train": "train", "val": "val"})
    has_masks: bool = True
    layout: Layout = Layout()
    archives: tuple[Archive, ...] = ()
    licence: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_classes(self.classes, self.ignore_index)
        for tag, name in self.tags.items():
            if name not in self.classes:
                raise ValueError(f"tags: {tag!r} stands for {name!r}, which is no class")
            if tag in self.classes and tag != name:
                raise ValueError(f"tags: {tag!r} is a class of its own, and cannot stand for {name!r}")
        for split, name in self.splits.items():
            check_name(split, "splits")
            check_id(name, f"splits.{split}")
        for field in self.values.__struct_fields__:
            for value, name in getattr(self.values, field).items():
                if name not in (*self.classes, IGNORE):
                    raise ValueError(f"values.{field}: {value} is {name!r}, neither a class nor {IGNORE!r}")

    def class_of(self, tag: str) -> int | None:
        """Class index of a tag in an annotation file, or None where the dataset has no such class."""
        name = self.tags.get(tag, tag)
        return self.classes.index(name) if name in self.classes else None


def _check_classes(classes: tuple[str, ...], ignore_index: int) -> None:
    if len(classes) < 2:
        raise ValueError("classes: a dataset has at least two, background first")
    if len(classes) > MAX_CLASSES:
        raise ValueError(f"classes: {len(classes)}, but a label map holds no more than {MAX_CLASSES}")
    if ignore_index < len(classes):
        raise ValueError(f"ignore_index {ignore_index} is the index of the class {classes[ignore_index]!r}")
    for name in classes:
        if classes.count(name) > 1:
            raise ValueError(f"classes: {name!r} is there twice")
        if name != name.strip() or not name.isprintable() or name in ("", IGNORE):
            raise ValueError(f"classes: {name!r} cannot be the name of a class")


class GridVariants(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of degradation, its options and its rates; ``none`` has the single rate 0."""

    kind: str
    rates: Annotated[tuple[Share, ...], Meta(min_length=1)] = (0.0,)
    options: dict[str, Any] = {}


class GridCard(Card, frozen=True, kw_only=True):
    """A grid: methods x variants x seeds, and what is done with each.

    Attributes:
        job: the name of a registered job of grids, such as ``train``.
        protocol: the protocol used when none is named; the dataset's own where empty.
        overrides: fields of the protocol that are replaced, as by ``--set``, which comes after.
    """

    methods: Annotated[tuple[str, ...], Meta(min_length=1)]
    variants: Annotated[tuple[GridVariants, ...], Meta(min_length=1)] = (GridVariants("none"),)
    seeds: Annotated[tuple[Seed, ...], Meta(min_length=1)] = (0,)
    job: str = "train"
    protocol: str = ""
    overrides: dict[str, Any] = {}


def convert(raw: Any, kind: type[S], where: str) -> S:
    """Check a decoded mapping against a struct.

    Raises:
        UserError: a field is missing, unknown, or of another type; the message carries its path.
    """
    try:
        return msgspec.convert(raw, kind)
    except (msgspec.ValidationError, ValueError, UserError) as error:
        raise UserError(f"{where}: {str(error).removesuffix('.')}.") from error


def nest_options(raw: Any) -> Any:
    """Move a loss term's own options, written flat in YAML, into its ``options`` field.

    >>> nest_options({"losses": [{"part": "entropy", "weight": 0.2, "padding": True}]})
    {'losses': [{'part': 'entropy', 'weight': 0.2, 'options': {'padding': True}}]}
    """
    if not isinstance(raw, dict):
        return raw
    nested = dict(raw)
    if isinstance(raw.get("losses"), list):
        nested["losses"] = [_nest(term) for term in raw["losses"]]
    if isinstance(raw.get("stages"), list):
        nested["stages"] = [nest_options(stage) for stage in raw["stages"]]
    return nested


def _nest(term: Any) -> Any:
    if not isinstance(term, dict):
        return term
    known = set(LossTerm.__struct_encode_fields__)
    flat = {k: v for k, v in term.items() if k in known}
    return {**flat, "options": {k: v for k, v in term.items() if k not in known}}
