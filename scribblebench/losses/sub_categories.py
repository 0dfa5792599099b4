"""Sub-categories that a network finds in its own features (SC-CAM, Chang et al., CVPR 2020)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np
import torch
from msgspec import Meta
from torch import Tensor
from torch.nn.functional import multilabel_soft_margin_loss, one_hot

from scribblebench.core.seeds import rng
from scribblebench.losses import LOSSES
from scribblebench.ops.class_activations import pooled
from scribblebench.ops.k_means import k_means
from scribblebench.ops.step import Loss, LossValue, Step, at_least_float32

_ROUND, _SEEN, _FOUND = (f"sub_categories.{name}" for name in ("round", "seen.", "found."))


@LOSSES.register
class SubCategories(Loss, frozen=True):
    """Multi-label soft-margin loss of sub-categories, which k-means finds anew when a round begins.

    For each class, the pooled features of the images that have it are divided into as many clusters as the
    network has maps for; an image with several classes is of one cluster of each. The features are those of
    each image's last crop, kept from step to step; the publication takes whole images in a pass of their own.

    Attributes:
        round: which one; a stage of a higher one begins with new clusters. Round 0 only looks, and costs 0.
    """

    round: Annotated[int, Meta(ge=0)] = 1

    def needs(self) -> frozenset[str]:
        """Maps of sub-categories (see ``Loss``)."""
        return frozenset({"sub_categories"})

    def __call__(self, step: Step) -> LossValue:
        """Compute the loss of one step."""
        maps = at_least_float32(step.output.features["sub_categories"])
        scores = pooled(maps, step.valid)
        features = pooled(at_least_float32(step.output.before), step.valid).detach()
        classes = step.tags.shape[1] - 1
        for image, feature, tags in zip(step.ids, features, step.tags, strict=True):
            step.memory[_SEEN + image] = torch.cat([tags[1:].to(feature.dtype), feature])
        done = step.memory.get(_ROUND)
        if self.round and (done is None or int(done) < self.round):
            step.memory.update(clustered(step.memory, classes, scores.shape[1] // classes, self.round))
            step.memory[_ROUND] = torch.tensor(self.round)
        known = [step.memory.get(_FOUND + image) for image in step.ids]
        rows = [row for row, found in enumerate(known) if found is not None]
        if not self.round or not rows:
            return LossValue(scores.sum() * 0)
        found = torch.stack([part for part in known if part is not None]).to(scores.device)
        return LossValue(
            multilabel_soft_margin_loss(scores[rows], _targets(found, scores.shape[1] // classes).to(scores))
        )


def _targets(found: Tensor, clusters: int) -> Tensor:
    """Clusters by class, -1 where an image lacks it, (images, classes), to (images, classes * clusters)."""
    return one_hot(found + 1, clusters + 1)[..., 1:].flatten(1)


def clustered(memory: Mapping[str, Tensor], classes: int, clusters: int, number: int) -> dict[str, Tensor]:
    """Find the sub-categories of all images that were seen.

    Args:
        memory: by image, its tags and its pooled feature in one.
        classes: without the background.
        clusters: of each class.
        number: of the round, which seeds k-means.

    Returns:
        By image, the cluster in each class, -1 where it lacks the class, long (classes,).
    """
    images = sorted(name.removeprefix(_SEEN) for name in memory if name.startswith(_SEEN))
    seen = np.stack([memory[_SEEN + image].double().cpu().numpy() for image in images])
    found = np.full((len(images), classes), -1)
    for index in range(classes):
        members = seen[:, index] > 0
        draws = rng("sub_categories", number, index)
        found[members, index] = k_means(seen[members, classes:], clusters, draws)
    return {_FOUND + image: torch.from_numpy(row) for image, row in zip(images, found, strict=True)}
