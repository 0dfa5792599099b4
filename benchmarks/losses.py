"""Losses between pixels, forward and backward.

    python benchmarks/losses.py --threads 2

First the dense CRF loss on what a public C++ lattice with OpenMP was measured on: 8 images of 232 x 232 (half
of a crop of 465), 21 classes, 2 threads, 0.301 s forward and 0.098 s backward. Then every such loss as
its card has it, at a crop of 465 and output stride 8, from the network's logits on. Trees and lattices are
made anew each time. Times are medians; the images are smooth noise unless ``--data-dir`` names a folder.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import measuring  # first: it sets how threads wait, which torch reads when it is imported
import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from scribblebench.core.library import Library
from scribblebench.ops.bilateral import Bilateral
from scribblebench.ops.blocks import first_of_blocks, mean_of_blocks
from scribblebench.ops.colour import normalise
from scribblebench.ops.step import Loss, Output, Step
from scribblebench.training.build import make_terms

CROP, CELLS, CLASSES, EMBEDDING = 465, 59, 21, 256
PEER_SECONDS = 0.40
METHODS = (
    "dense-crf",
    "ncl",
    "kcl",
    "gated-crf",
    "tree-energy",
    "soft-self-labels",
    "agmm",
    "rawks",
    "rawks-learned",
)


def photographs(batch: int, folder: Path | None) -> Tensor:
    """Read the first JPEGs of a folder at the crop's size, or make smooth noise, 0-255 (batch, 3, h, w)."""
    if folder is None:
        generator = torch.Generator().manual_seed(0)
        coarse, fine = (torch.rand(batch, 3, side, side, generator=generator) for side in (24, CROP))
        smooth = interpolate(coarse, (CROP, CROP), mode="bicubic", align_corners=True)
        return ((0.95 * smooth + 0.05 * fine) * 255).clamp(0, 255)
    images = []
    for path in sorted(folder.rglob("*.jpg"))[:batch]:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB").resize((CROP, CROP)))
        images.append(torch.from_numpy(pixels.copy()).permute(2, 0, 1).float())
    assert len(images) == batch, f"{folder} holds {len(images)} JPEGs, fewer than --batch {batch}"
    return torch.stack(images)


def make_step(images: Tensor, logits: Tensor, embedding: Tensor) -> Step:
    """See a batch as a training step whose strokes are every 16th row's first tenth and a few last pixels."""
    labels = torch.full((len(images), *images.shape[-2:]), 255, device=images.device)
    labels[:, ::16, : CROP // 10] = 1
    labels[:, ::64, -CROP // 20 :] = 2
    valid = torch.ones_like(labels, dtype=torch.bool)
    output = Output(logits, logits=logits, features={"embedding": embedding, "boundary": embedding[:, :1]})
    return Step(images, labels, valid, output, _no_second_pass, 255, lambda name: 0.5)


def _no_second_pass(*_: object, **__: object) -> Output:
    raise NotImplementedError("no loss measured here looks twice")


def inputs(args: argparse.Namespace) -> tuple[Tensor, Tensor, Tensor]:
    """Make images, logits as sure as a half-trained network's, and an embedding."""
    generator = torch.Generator().manual_seed(1)
    images = normalise(photographs(args.batch, args.data_dir)).to(args.device)
    coarse = 3 * torch.randn(args.batch, CLASSES, 8, 8, generator=generator)
    logits = interpolate(coarse, (CELLS, CELLS), mode="bilinear", align_corners=True).to(args.device)
    embedding = torch.rand(args.batch, EMBEDDING, CELLS, CELLS, generator=generator).to(args.device) / 10
    return images, logits.requires_grad_(), embedding.requires_grad_()


def run(losses: list[Loss], given: tuple[Tensor, Tensor, Tensor]) -> None:
    """Take one step of a card's losses, forward and backward."""
    step = make_step(*given)
    torch.autograd.grad(torch.stack([loss(step).value for loss in losses]).sum(), given[1])


def lattice_only(images: Tensor, probabilities: Tensor) -> None:
    """Run the dense CRF loss forward and backward from probabilities at its own resolution."""
    valid = torch.ones_like(images[:, 0], dtype=torch.bool)
    sums = Bilateral(100 / 513, 15.0, 1).sums_of(probabilities, images, valid)
    torch.autograd.grad(1 - sums.agreement.sum() / sums.total.sum(), probabilities)


def main() -> None:
    """Parse the command line and measure."""
    args = measuring.arguments(__doc__, batch=8, pictures=True)
    given = inputs(args)
    small = first_of_blocks(given[0], 2), mean_of_blocks(make_step(*given).logits.softmax(dim=1), 2).detach()
    small[1].requires_grad_()
    seconds = measuring.medians({"dense_crf": partial(lattice_only, *small)}, args)["dense_crf"]
    shape = "x".join(map(str, small[1].shape))
    print(f"dense_crf {shape} threads={args.threads} seconds={seconds:.3f}", end=" ")
    print(f"peer_seconds={PEER_SECONDS:.2f} loss_ratio={seconds / PEER_SECONDS:.2f}", flush=True)
    for method in METHODS:
        terms = make_terms(Library().method(method))
        losses = [term.loss for term in terms if term.card.part != "partial_cross_entropy"]
        seconds = measuring.medians({method: partial(run, losses, given)}, args)[method]
        print(f"{method} crop={CROP} batch={args.batch} seconds={seconds:.3f}", flush=True)


if __name__ == "__main__":
    main()
