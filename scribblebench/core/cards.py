"""The four kinds of card: a method, a protocol, a dataset and a grid are data, read from YAML.

A card is a frozen struct; an unknown or misspelt field is an error that names the file and the field.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from scribblebench.core.card import Card, Label, NonNegative, Positive, Seed, Share, Side, Threads, Zoom
from scribblebench.core.convert import convert
from scribblebench.core.dataset_card import IGNORE, Archive, DatasetCard, Layout, Values

__all__ = [
    "IGNORE",
    "TIMING",
    "Archive",
    "Augmentation",
    "Card",
    "DatasetCard",
    "GridCard",
    "GridVariants",
    "Label",
    "Layout",
    "LossTerm",
    "MethodCard",
    "NonNegative",
    "Optimizer",
    "Paper",
    "Positive",
    "ProtocolCard",
    "Seed",
    "Share",
    "Side",
    "Stage",
    "Threads",
    "Values",
    "Zoom",
    "convert",
    "nest_options",
]


class Paper(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a method was published.

    Attributes:
        key: a short name, as in BibTeX.
        year: of publication.
        title: of the paper.
    """

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


TIMING = ("weight", "from", "ramp")
"""Fields of a loss term that cards write beside the loss's own options."""


class Stage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of a method's training, and the labels and losses that it has.

    Attributes:
        share: of the epochs. The shares of a method sum to 1: every method has the same budget.
        labels: ``part`` names a registered propagation, the rest are its options. It makes labels of the
            strokes and, behind the first stage, of what the network predicts by then. Empty: the strokes.
        losses: of this stage; the method's where there is none. ``from`` stays a share of the whole run.
        fresh: begin with initial weights and a learning-rate schedule of its own.
        restart: begin with a learning-rate schedule of its own, and the weights as they are: for a stage that
            has something new to learn, which a rate near its end would not let it.
    """

    share: Annotated[float, Meta(gt=0, le=1)]
    labels: dict[str, Any] = {}
    losses: tuple[LossTerm, ...] = ()
    fresh: bool = False
    restart: bool = False


class MethodCard(Card, frozen=True, kw_only=True):
    """A method: registered parts and when they act. It knows nothing of crop sizes or GPUs.

    Attributes:
        paper: where it was published; of your own method what you will call it.
        supervision: the name of a registered kind of supervision, all that its losses see: ``strokes``,
            ``points``, ``boxes``, ``tags``, or ``masks``, the full-supervision reference.
        network: ``head`` names a registered head, the rest are its options.
        losses: the terms, in the order in which they are logged.
        stages: for a method that trains in rounds; without any, the whole run is one.
        note: one line for tables, such as what differs from the paper.
    """

    paper: Paper
    supervision: str = "strokes"
    network: dict[str, Any]
    losses: tuple[LossTerm, ...]
    stages: tuple[Stage, ...] = ()
    note: str = ""

    def faults(self) -> Iterator[str]:
        """Say what is wrong with the fields together."""
        yield from super().faults()
        total = sum(stage.share for stage in self.stages)
        if self.stages and abs(total - 1) > 1e-6:
            yield f"stages: their shares sum to {total:g}, not to 1"


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
        dropout: share of the channels that training leaves out before the classifier.
        crop: side of a training crop; ``k * output_stride + 1``, so that strided convolutions are
            flip-equivariant.
        batch: images per step.
        epochs: the total budget of every method.
        optimizer: which one, and its rates.
        schedule: ``step`` (x 0.1 at half, the paper's), ``one_cycle`` or ``poly``.
        augmentation: how training images are changed at random.
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

    def faults(self) -> Iterator[str]:
        """Say what is wrong with the fields together."""
        yield from super().faults()
        if (self.crop - 1) % self.output_stride:
            best = round((self.crop - 1) / self.output_stride) * self.output_stride + 1
            yield f"crop: {self.crop} is not k x output_stride + 1; use {best}"
        if self.augmentation.scale[0] > self.augmentation.scale[1]:
            yield "augmentation.scale: must be two numbers, smaller first"
        if self.weights not in ("none", "imagenet") and not self.weights.endswith(".safetensors"):
            yield f"weights: {self.weights!r} is neither none, imagenet nor a .safetensors file"


class GridVariants(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of degradation, its options and its rates; ``none`` has the single rate 0.

    Attributes:
        kind: ``none``, or the name of a registered degradation, such as ``drop`` or ``shrink``.
        rates: how strong, each a variant: 0 changes nothing, 1 is the most.
        options: of the degradation, such as ``keep: centre`` of ``shrink``.
    """

    kind: str
    rates: Annotated[tuple[Share, ...], Meta(min_length=1)] = (0.0,)
    options: dict[str, Any] = {}


class GridCard(Card, frozen=True, kw_only=True):
    """A grid: methods x variants x seeds, and what is done with each.

    Attributes:
        methods: names of method cards, in the order of the tables; the first is the baseline.
        variants: which strokes the methods are trained on.
        seeds: of strokes and training together; several give intervals.
        job: the name of a registered job of grids, such as ``train``.
        protocol: the protocol used when none is named; the dataset's own where empty.
        overrides: fields of the protocol that are replaced, as by ``--set``, which comes after.
    """

    methods: Annotated[tuple[str, ...], Meta(min_length=1)]
    variants: Annotated[tuple[GridVariants, ...], Meta(min_length=1)] = (GridVariants("none"),)
    seeds: Annotated[tuple[Seed, ...], Meta(min_length=1)] = (0,)
    job: str = "train"
    protocol: str = ""
    overrides: dict[str, Any] = msgspec.field(default_factory=dict)


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
    known = {"part", *TIMING, "options"}
    flat = {k: v for k, v in term.items() if k in known}
    return {**flat, "options": {k: v for k, v in term.items() if k not in known}}
