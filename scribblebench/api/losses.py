"""Losses as plain functions: tensors in, a scalar out. Each is the registered part of the same name.

Shapes in all of them:

- ``logits``: float (batch, classes, h, w), at the network's own grid; the loss takes them to the pixels where
  it needs that (bilinear, corners aligned).
- ``images``: float (batch, 3, height, width), normalised as torchvision's weights want it (``normalise``).
- ``labels``: long (batch, height, width), class indices and the ignore index.
- ``valid``: bool (batch, height, width), False on padding; without it, nothing is padded.

Keyword arguments beyond those are the part's own options with their defaults (docs/methods.md); an unknown
one or a value out of range raises ``UserError``, tensors that do not fit each other ``ValueError``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from scribblebench.losses import LOSSES
from scribblebench.ops.colour import normalise as normalise
from scribblebench.ops.step import Output, Step
from scribblebench.ops.walk import Energies

IGNORE = 255
Walk = Callable[[Tensor], tuple[Tensor, Tensor]]


def partial_cross_entropy(logits: Tensor, labels: Tensor, *, ignore_index: int = IGNORE) -> Tensor:
    """Mean cross-entropy in nats over the labelled pixels of the batch: the first term of RW-SS, Eq. 11.

    0, with gradient 0, where no pixel is labelled.

    >>> logits = torch.tensor([[[[0.0, 5.0]], [[0.0, -5.0]]]])
    >>> partial_cross_entropy(logits, torch.tensor([[[1, 255]]]))
    tensor(0.6931)
    """
    return _value("partial_cross_entropy", {}, _step(labels, logits, ignore_index=ignore_index))


def entropy(logits: Tensor, *, valid: Tensor | None = None, **options: Any) -> Tensor:
    """Mean entropy in nats of the class probabilities of a pixel (RW-SS, Eq. 10).

    >>> entropy(torch.zeros(1, 4, 3, 3)) / torch.log(torch.tensor(4.0))
    tensor(1.)
    """
    return _value("entropy", options, _step(_unlabelled(valid, logits), logits, valid=valid))


def gated_crf(logits: Tensor, images: Tensor, *, valid: Tensor | None = None, **options: Any) -> Tensor:
    """Potts energy between neighbours of like colour, per cell (Obukhov et al. 2019, arXiv 1906.04651).

    >>> gated_crf(torch.tensor([20.0, -20.0]).view(1, 2, 1, 1).expand(1, 2, 8, 8), torch.zeros(1, 3, 8, 8))
    tensor(0.)
    """
    return _value("gated_crf", options, _step(_unlabelled(valid, images), logits, images, valid))


def dense_crf(logits: Tensor, images: Tensor, *, valid: Tensor | None = None, **options: Any) -> Tensor:
    """Potts energy between all pixels of like place and colour, in [0, 1] (Tang et al. 2018, ECCV)."""
    return _value("dense_crf", options, _step(_unlabelled(valid, images), logits, images, valid))


def normalized_cut(logits: Tensor, images: Tensor, *, valid: Tensor | None = None, **options: Any) -> Tensor:
    """What each class cuts off, summed: between 0 and the number of classes (Tang et al. 2018, CVPR)."""
    return _value("normalized_cut", options, _step(_unlabelled(valid, images), logits, images, valid))


def tree_energy(
    logits: Tensor,
    images: Tensor,
    labels: Tensor,
    embedding: Tensor | None = None,
    *,
    valid: Tensor | None = None,
    ignore_index: int = IGNORE,
    **options: Any,
) -> Tensor:
    """Distance of unlabelled predictions from their tree-filtered mean (Liang et al. 2022).

    Args:
        logits: see the module.
        images: see the module.
        labels: see the module.
        embedding: float (batch, any number, h, w): the network's own features, for the second tree. Without
            it there is the image's tree alone.
        valid: see the module.
        ignore_index: the label of unlabelled pixels.
        options: ``sigma`` and ``stride``.
    """
    features = {} if embedding is None else {"embedding": embedding}
    step = _step(labels, logits, images, valid, ignore_index, features)
    return _value("tree_energy", {"high_level": embedding is not None, **options}, step)


def self_supervision(
    images: Tensor, walk: Walk, *, draw: float, valid: Tensor | None = None, **options: Any
) -> Tensor:
    """Self-supervision on the neural eigenspace (RW-SS, Eq. 8 and 9): an image and its transform agree.

    The walk on n = h w cells has the transition matrix ``P = softmax(Q K')``, which is never made.

    Args:
        images: float (batch, 3, height, width), with ``height - 1`` a multiple of ``h - 1``.
        walk: your network up to the walk: images -> Q and K, float (batch, width, h, w) each. It is called
            twice, the second time on the transformed images and without gradient.
        draw: a uniform number in [0, 1) of this step: it chooses the transform.
        valid: bool (batch, height, width), False on padding.
        options: ``transform``, ``trace``, ``share`` and so on.

    Returns:
        The mean divergence of a row in nats, plus ``trace`` times the difference of the traces.

    >>> pixels = lambda images: (images[..., ::4, ::4], images[..., ::4, ::4])
    >>> images = torch.linspace(0, 1, 243).view(1, 3, 9, 9)
    >>> bool(self_supervision(images, pixels, draw=0.0, transform="flip") < 1e-6)
    True
    """

    def output(given: Tensor, **_: Any) -> Output:
        queries, keys = walk(given)
        height, width = queries.shape[-2:]
        rows = [maps.flatten(2).mT for maps in (queries, keys)]
        return Output(queries, Energies(rows[0], rows[1], height, width))

    def again(given: Tensor, **options: Any) -> Output:
        with torch.no_grad():
            return output(given, **options)

    step = _step_of(images, _unlabelled(valid, images), valid, output(images), IGNORE, again, draw)
    return _value("self_supervision", {**options, "on": "eigenspace"}, step)


def _value(name: str, options: dict[str, Any], step: Step) -> Tensor:
    return LOSSES.build(name, options, "scribblebench")(step).value


def _step(
    labels: Tensor,
    logits: Tensor,
    images: Tensor | None = None,
    valid: Tensor | None = None,
    ignore_index: int = IGNORE,
    features: dict[str, Tensor] | None = None,
) -> Step:
    if logits.ndim != 4 or len(logits) != len(labels):
        raise ValueError(f"logits of shape {tuple(logits.shape)} for labels of shape {tuple(labels.shape)}")
    if images is None:
        images = logits.new_zeros(len(labels), 3, *labels.shape[-2:])
    output = Output(logits, logits=logits, features=features or {})
    return _step_of(images, labels, valid, output, ignore_index, _no_second_pass, 0.0)


def _step_of(
    images: Tensor,
    labels: Tensor,
    valid: Tensor | None,
    output: Output,
    ignore_index: int,
    forward: Callable[..., Output],
    draw: float,
) -> Step:
    known = torch.ones_like(labels, dtype=torch.bool) if valid is None else valid
    pixels = (len(images), *images.shape[-2:])
    if images.ndim != 4 or images.shape[1] != 3 or not labels.shape == known.shape == pixels:
        shapes = ", ".join(f"{tuple(maps.shape)}" for maps in (images, labels, known))
        raise ValueError(f"images, labels and valid of shapes {shapes} do not belong together")
    return Step(images, labels, known, output, forward, ignore_index, lambda name: draw)


def _unlabelled(valid: Tensor | None, maps: Tensor) -> Tensor:
    """Labels of a batch without any, of the size of its pixels."""
    size = maps.shape[-2:] if valid is None else valid.shape[-2:]
    return torch.full((len(maps), *size), IGNORE, dtype=torch.int64, device=maps.device)


def _no_second_pass(images: Tensor, **options: Any) -> Output:
    raise TypeError("this loss has no network to run again")
