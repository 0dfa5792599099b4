"""One training step of a small network with a walk, for the losses."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from scribblebench.core import seeds
from scribblebench.ops.step import Output, Step
from scribblebench.ops.walk import Energies

SIDE, STRIDE, CLASSES = 49, 8, 4
FEATURES = (
    "embedding",
    "boundary",
    "coarse",
    "activations",
    "affinity",
    "sub_categories",
    "cross",
    "box_mask",
)


class Network(nn.Module):
    """A strided convolution, a walk and a classifier; the walk is explicit."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Conv2d(3, 6, 9, stride=STRIDE, padding=4)
        self.query, self.key, self.value = (nn.Conv2d(6, 6, 1) for _ in range(3))
        self.alpha = nn.Parameter(torch.tensor(0.5))
        self.classifier = nn.Conv2d(6, CLASSES, 1)
        self.embedding = nn.Conv2d(6, 3, 1)
        self.boundary = nn.Conv2d(6, 1, 1)
        self.coarse = nn.Conv2d(6, CLASSES, 1)
        self.activations = nn.Conv2d(6, CLASSES - 1, 1)
        self.affinity = nn.Conv2d(6, 3, 1, bias=False)
        self.sub_categories = nn.Conv2d(6, (CLASSES - 1) * 2, 1)
        self.cross = nn.Conv2d(6, 3 * CLASSES, 1)
        self.box_mask = nn.Conv2d(6, CLASSES, 1)
        self.calls: list[tuple[str, bool]] = []

    def forward(self, images: Tensor) -> Output:
        before = self.trunk(images)
        query, key, value = (part(before).flatten(2).mT for part in (self.query, self.key, self.value))
        energies = Energies(query, key, *before.shape[-2:])
        walked = (energies.matrix() @ value).mT.reshape(before.shape)
        after = self.alpha * walked + before
        features = {name: getattr(self, name)(before) for name in FEATURES}
        logits = self.classifier(after)
        # On a grid fine enough for the strokes to have cells of it under them.
        scales = (logits, self.classifier(interpolate(after, scale_factor=2.0)))
        return Output(before, energies, self.alpha, after, logits, features, scales)

    def second_pass(self, images: Tensor, until: str, update_statistics: bool = False) -> Output:
        self.calls.append((until, update_statistics))
        output = self(images)
        kept = {"energies": None, "after": output.after, "logits": output.after}[until]
        return Output(
            output.before, output.energies, output.alpha, kept, output.logits if until == "logits" else None
        )


@pytest.fixture
def network() -> Network:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Network()


def step_of(
    network: Network,
    labelled: bool = True,
    padded: bool = True,
    ignore_index: int = 255,
    draw: float = 0.7,
    mixed: bool = False,
) -> Step:
    """Build a step in the network's precision; ``labelled`` and ``padded`` say how much of the images is.

    ``mixed`` gives each image strokes of two classes.
    """
    generator = torch.Generator().manual_seed(seeds.integer_seed("step"))
    images = torch.randn(2, 3, SIDE, SIDE, generator=generator).to(network.alpha.dtype)
    valid = torch.ones(2, SIDE, SIDE, dtype=torch.bool)
    if padded:
        valid[0, :, :12] = valid[1, 30:] = False
    images = images * valid[:, None]
    labels = torch.full((2, SIDE, SIDE), ignore_index)
    if labelled:
        labels[0, 20:23, 15:40] = 1
        labels[1, 5:8, 5:20] = 3
    if mixed:
        labels[:, 12:15, 40:44] = 2
    output = network(images)
    tags = torch.tensor([[True, True, True, False], [True, False, True, True]]) & labelled

    def averaged(images: Tensor, decay: float) -> Output:
        with torch.no_grad():
            return network.second_pass(images, "logits")

    return Step(
        images,
        labels,
        valid,
        output,
        network.second_pass,
        ignore_index,
        lambda name: draw,
        ids=("one", "other"),
        averaged=averaged,
        tags=tags,
    )


@pytest.fixture
def make_step(network: Network) -> Callable[..., Step]:
    """Build a step of the network (see ``step_of``)."""
    return partial(step_of, network)
