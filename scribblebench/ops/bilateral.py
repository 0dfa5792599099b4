"""How alike the predictions of pixels near in place and colour are: what the cut losses are made of."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import msgspec
import torch
from msgspec import Meta
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import pad

from scribblebench.core.cards import Positive
from scribblebench.ops.blocks import first_of_blocks, mean_of_blocks
from scribblebench.ops.colour import rgb
from scribblebench.ops.lattice import Lattice, build
from scribblebench.ops.step import Step

Sigma = Annotated[float, Meta(gt=0)]


class Sums(NamedTuple):
    """With A the kernel of an image and S_k the probabilities of class k at its pixels, padding left out.

    Attributes:
        agreement: S_k' A S_k, (batch, classes).
        degree: 1' A S_k, (batch, classes).
        total: 1' A 1, (batch,).
    """

    agreement: Tensor
    degree: Tensor
    total: Tensor


class Bilateral(msgspec.Struct, frozen=True):
    """``A_ij = exp(-|x_i - x_j|^2 / 2 xy^2 - |c_i - c_j|^2 / 2 rgb^2)``, A_ii included, on the lattice.

    Attributes:
        xy: standard deviation over place, as a share of the image's longer side.
        rgb: standard deviation over colour, in levels of 0-255.
        block: side of the blocks of pixels that count as one: probabilities are averaged, colours taken.
    """

    xy: Sigma
    rgb: Sigma
    block: Positive

    def sums(self, step: Step) -> Sums:
        """Take the sums of one step; two losses of one kernel do so once."""
        if self not in step.memo:
            probabilities = mean_of_blocks(torch.softmax(step.logits, dim=1), self.block)
            images = first_of_blocks(step.images, self.block)
            valid = first_of_blocks(step.valid, self.block)
            step.memo[self] = self.sums_of(probabilities, images, valid)
        found: Sums = step.memo[self]
        return found

    def sums_of(self, probabilities: Tensor, images: Tensor, valid: Tensor) -> Sums:
        """Take the sums of a batch, differentiable in the probabilities.

        Args:
            probabilities: (batch, classes, height, width).
            images: normalised, (batch, 3, height, width).
            valid: False on padding, bool (batch, height, width).
        """
        per_image = [self._of_image(*image) for image in zip(probabilities, images, valid, strict=True)]
        agreement, degree, total = (torch.stack(part) for part in zip(*per_image, strict=True))
        return Sums(agreement, degree, total)

    def _of_image(self, probabilities: Tensor, image: Tensor, valid: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        pixels = valid.flatten().nonzero().view(-1)
        if not len(pixels):  # nothing but padding
            nothing = 0 * probabilities.sum(dim=(1, 2))
            return nothing, nothing, nothing.sum().detach()
        lattice = build(self._features(image, pixels))
        sums: tuple[Tensor, Tensor, Tensor] = _AgreementOnLattice.apply(probabilities, pixels, lattice)
        return sums

    def _features(self, image: Tensor, pixels: Tensor) -> Tensor:
        """Place and colour of an image's pixels in standard deviations, (pixels, 5)."""
        height, width = image.shape[-2:]
        features = image.new_empty(5, height, width)
        features[0] = torch.arange(height, device=image.device)[:, None] / (self.xy * max(height, width))
        features[1] = torch.arange(width, device=image.device) / (self.xy * max(height, width))
        torch.mul(rgb(image[None])[0], 255 / self.rgb, out=features[2:])
        rows = features.flatten(1)
        return (rows if len(pixels) == rows.shape[1] else rows.index_select(1, pixels)).T


class _AgreementOnLattice(torch.autograd.Function):
    """The sums without ever leaving the lattice's vertices.

    The lattice is A = c P'BP: P splats, B blurs, c P' slices. With V = P [S, 1] the sums are dot products of
    columns of V and BV; the gradient of c V_k'BV_k to S_k is c P'(B + B')V_k. So a step costs one splat, two
    blurs and one slice, where filtering and its gradient would cost two of each.
    """

    @staticmethod
    def forward(
        ctx: Any, probabilities: Tensor, pixels: Tensor, lattice: Lattice
    ) -> tuple[Tensor, Tensor, Tensor]:
        vertices = lattice.splat(_rows_and_ones(probabilities, pixels))
        blurred = _blur(vertices, lattice)
        ctx.save_for_backward(vertices, blurred, pixels)
        ctx.lattice, ctx.shape = lattice, probabilities.shape
        degree = blurred[:, -1] @ vertices * _gain(lattice)
        agreement = (vertices * blurred).sum(dim=0) * _gain(lattice)
        total = degree[-1].clone()
        ctx.mark_non_differentiable(total)
        return agreement[:-1], degree[:-1], total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, agreement: Tensor, degree: Tensor, _: Tensor) -> tuple[Tensor, None, None]:
        vertices, blurred, pixels = ctx.saved_tensors
        both = _blur(vertices, ctx.lattice.transposed).add_(blurred).mul_(pad(agreement, (0, 1)))
        both.addcmul_(blurred[:, -1:], pad(degree, (0, 1)))
        classes, height, width = ctx.shape
        rows = ctx.lattice.slice(both)
        if len(pixels) < height * width:
            rows = rows.new_zeros(height * width, classes + 1).index_copy_(0, pixels, rows)
        return rows.T[:-1].reshape(ctx.shape), None, None


def _rows_and_ones(maps: Tensor, pixels: Tensor) -> Tensor:
    """Channels of some pixels and a last column of ones, (pixels, channels + 1)."""
    rows = maps.new_ones(maps[0].numel(), len(maps) + 1)
    rows[:, :-1] = maps.flatten(1).T
    return rows if len(pixels) == len(rows) else rows.index_select(0, pixels)


def _gain(lattice: Lattice) -> float:
    """What slicing multiplies by, beside its weights."""
    return 1 / (1 + 0.5 ** (lattice.weights.shape[1] - 1))


def _blur(vertices: Tensor, lattice: Lattice) -> Tensor:
    for blur in lattice.blurs:
        vertices = blur(vertices)
    return vertices
