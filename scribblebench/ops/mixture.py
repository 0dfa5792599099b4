"""A Gaussian of every class that has strokes in an image, around the mean of their features."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import one_hot

# No logarithm of a probability below this is taken.
EPSILON = 1e-6


@dataclass(frozen=True)
class Mixture:
    """The labelled pixels of a batch and the Gaussians ``r_c(x) = exp(-d(f(x), mu_c)^2)`` that they make.

    ``d`` is the mean absolute difference over the channels, ``mu_c`` the mean of the features of class c in
    one image. They have no variance. Everything is differentiable in the features.

    Attributes:
        features: of the labelled pixels, (pixels, channels).
        images: which image each is in, long (pixels,).
        classes: its class, long (pixels,).
        present: whether a class has a labelled pixel in an image, bool (batch, classes).
        centres: mu, (batch, classes, channels); 0 where the class is not present.
    """

    features: Tensor
    images: Tensor
    classes: Tensor
    present: Tensor
    centres: Tensor

    @classmethod
    def of(cls, features: Tensor, images: Tensor, classes: Tensor, size: tuple[int, int]) -> Mixture:
        """Make the Gaussians.

        Args:
            features: of the labelled pixels, (pixels, channels).
            images: which image each is in, long (pixels,).
            classes: its class, long (pixels,).
            size: number of images and of classes.
        """
        member = one_hot(images * size[1] + classes, size[0] * size[1]).to(features.dtype)
        count = member.sum(dim=0)
        centres = member.T @ features / count.clamp(min=1)[:, None]
        return cls(features, images, classes, (count > 0).view(size), centres.view(*size, -1))

    def fit(self, features: Tensor, log_probabilities: Tensor, counted: Tensor) -> Tensor:
        """Cross-entropy of the network's probabilities to r, and of r to the labels, the mean of the two.

        Each is a mean over pixels and over the classes present in their image. r is not detached.

        Args:
            features: (batch, channels, nodes).
            log_probabilities: of the network, (batch, classes, nodes).
            counted: which nodes count, bool (batch, nodes); those of images without a labelled pixel do not.
        """
        counted = counted & self.present.any(dim=1, keepdim=True)
        of_nodes, of_labels = [features.new_zeros(())], [features.new_zeros(())]
        for image in self.present.any(dim=1).nonzero().flatten():
            names = self.present[image].nonzero().flatten()
            centres, nodes, own = self.centres[image, names], counted[image], self.images == image
            likely = log_probabilities[image][names][:, nodes].T
            of_nodes.append(_to_mixture(likely, squared_distance(features[image, :, nodes].T, centres)))
            inside = self.classes[own][:, None] == names
            of_labels.append(_to_labels(squared_distance(self.features[own], centres), inside))
        by_node = torch.stack(of_nodes).sum() / counted.sum().clamp(min=1)
        return (by_node + torch.stack(of_labels).sum() / max(1, len(self.classes))) / 2

    def separation(self) -> Tensor:
        """Mean of ``exp(-d^2)`` between the means over images of two classes' centres; 0 for one class."""
        images = self.present.sum(dim=0)
        means = (self.centres.sum(dim=0) / images.clamp(min=1)[:, None])[images > 0]
        alike = torch.exp(-squared_distance(means, means)).triu(diagonal=1)
        return alike.sum() / max(1, len(means) * (len(means) - 1) // 2)


def absence(log_probabilities: Tensor, present: Tensor, counted: Tensor) -> Tensor:
    """Mean over nodes of ``-sum ln(1 - p_c)``, c the classes without a labelled pixel in the image.

    Args:
        log_probabilities: (batch, classes, nodes).
        present: bool (batch, classes).
        counted: which nodes count, bool (batch, nodes); those of images without a labelled pixel do not.
    """
    counted = counted & present.any(dim=1, keepdim=True)
    cost = -(log_not(log_probabilities) * ~present[..., None]).sum(dim=1)
    return (cost * counted).sum() / counted.sum().clamp(min=1)


def squared_distance(one: Tensor, other: Tensor) -> Tensor:
    """Square the mean absolute difference over the channels of (n, channels) and (k, channels): (n, k).

    >>> squared_distance(torch.tensor([[0.0, 1.0]]), torch.tensor([[2.0, 1.0], [0.0, 7.0]]))
    tensor([[1., 9.]])
    """
    return (torch.cdist(one, other, p=1) / one.shape[1]).square()


def log_not(logarithm: Tensor) -> Tensor:
    """``ln(1 - p)`` from ``ln p``.

    >>> log_not(torch.tensor([0.25, 0.75]).log()).exp()
    tensor([0.7500, 0.2500])
    """
    return torch.log((-torch.expm1(logarithm)).clamp(min=EPSILON))


def _to_mixture(log_probabilities: Tensor, distance: Tensor) -> Tensor:
    """Sum over nodes of the mean over classes of the cross-entropy of p to ``r = exp(-distance)``."""
    r = torch.exp(-distance)
    return -(r * log_probabilities + (1 - r) * log_not(log_probabilities)).mean(dim=1).sum()


def _to_labels(distance: Tensor, inside: Tensor) -> Tensor:
    """Sum over pixels of the mean over classes of the cross-entropy of ``r = exp(-distance)`` to labels."""
    return torch.where(inside, distance, -log_not(-distance)).mean(dim=1).sum()
