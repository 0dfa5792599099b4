"""Whether a walk's P goes to cells of the same class, and what other P would do to the same features.

A trained network is kept as it is, and the masks of the validation images are asked. Beside its own walk
stand others of one form, ``f^L = (f^{L-1} + P f^{L-1}) / 2``: values as they are and alpha 1, but for a
factor that the classifier never saw. One of them is an oracle, whose P is made from the masks.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import interpolate

from scribblebench.core.errors import UserError
from scribblebench.nn.heads.plain import PlainHead
from scribblebench.nn.heads.random_walk import RandomWalk, RandomWalkHead, compared
from scribblebench.nn.network import Network
from scribblebench.nn.walk import Walk, coarse_cells, walk_once
from scribblebench.ops.affinity import Affinity, affinity, label_of_cells, oracle
from scribblebench.ops.diagnostics import diagnose
from scribblebench.ops.step import Output
from scribblebench.ops.walk import Energies
from scribblebench.store.confusion import confusion, mean_iou
from scribblebench.store.measurement import Value
from scribblebench.training.cell import Cell
from scribblebench.training.data import Places
from scribblebench.training.looks import Look, looks, predicted, trained_network

# Raise it when equal networks, images and masks would be measured otherwise than before.
RULE = 1

# Walks that need no training, as the cards of their names have them.
OTHERS: Mapping[str, RandomWalk] = MappingProxyType(
    {
        "uniform": RandomWalk(uniform=True, value="identity", alpha="fixed"),
        "posterior": RandomWalk(similarity="posterior", energy_scale=10.0, alpha="fixed"),
        "image": RandomWalk(similarity="image", alpha="fixed"),
    }
)
# The network without its walk, and with it as it was trained; its own P in the common form; P from masks.
NONE, TRAINED, OWN, ORACLE = "none", "as trained", "own", "oracle"


@dataclass
class Tally:
    """What one walk has come to, image by image.

    Attributes:
        counts: which class was predicted for which, over pixels.
        affinity: sums over rows of P.
        shapes: what P looks like (see ``diagnose``), one an image.
    """

    counts: NDArray[np.int64] | int = 0
    affinity: Affinity = field(default_factory=Affinity)
    shapes: list[dict[str, float]] = field(default_factory=list)

    @property
    def miou(self) -> float:
        """Mean IoU of the pixels that were seen."""
        return mean_iou(np.asarray(self.counts))

    def row(self) -> dict[str, Value]:
        """Return what the table shows of P; nothing where none was measured."""
        if not self.shapes:
            return {}
        means = {k: sum(shape[k] for shape in self.shapes) / len(self.shapes) for k in self.shapes[0]}
        return {"auc": self.affinity.mean_auc, "lift": self.affinity.lift, **means}


@torch.no_grad()
def affinities(cell: Cell, places: Places) -> list[dict[str, Value]]:
    """Measure a trained cell on its validation images: a row for each P.

    mIoU is that of the centres of the images that a look shows (see ``looks``), not of the record.

    Raises:
        UserError: the cell was not trained here, or its head has no classifier of cells.
    """
    network = trained_network(cell, places)
    head = _classifying(network, cell)
    tallies: dict[str, Tally] = defaultdict(Tally)
    images = places.dataset.ids("val")
    for look in looks(cell, places, images):
        mask = places.dataset.mask(look.image)[look.window]
        output = network(look.normalised)
        labels = cell_labels(mask, look, output.before.shape[-2:], _stride(head), cell)
        walks = walks_of(head, output, look.normalised, labels, len(cell.classes))
        for name, energies in walks.items():
            tally = tallies[name]
            tally.affinity = tally.affinity.plus(affinity(energies, labels, cell.ignore_index))
            tally.shapes.append(diagnose(energies))
        for name, logits in logits_of(head, output, walks).items():
            prediction = predicted(logits, look)
            tallies[name].counts += confusion(prediction, mask, len(cell.classes), cell.ignore_index)
    return [_row(name, tallies, cell.seed, _alpha(head), len(images)) for name in sorted(tallies, key=_place)]


def _row(
    name: str, tallies: Mapping[str, Tally], seed: int, alpha: float | None, images: int
) -> dict[str, Value]:
    tally = tallies[name]
    return {
        "seed": seed,
        "p": name,
        "sees_masks": "yes" if name == ORACLE else "no",
        "alpha": alpha if name == TRAINED else None,
        **tally.row(),
        "miou": tally.miou,
        "gain": tally.miou - tallies[NONE].miou,
        "images": images,
    }


def _place(name: str) -> int:
    return (NONE, TRAINED, OWN, *OTHERS, ORACLE).index(name)


def _classifying(network: Network, cell: Cell) -> PlainHead:
    if isinstance(network.head, PlainHead):
        return network.head
    raise UserError(
        f"The affinity of walks needs a classifier of cells, which 'head: {cell.method.network['head']}' "
        "does not have. Name methods with 'head: plain' or 'head: random_walk'."
    )


def _stride(head: PlainHead) -> int:
    return head.walk.form.walk_stride if isinstance(head, RandomWalkHead) else 1


def _alpha(head: PlainHead) -> float | None:
    return float(head.walk.alpha) if isinstance(head, RandomWalkHead) else None


def walks_of(
    head: PlainHead, output: Output, images: Tensor, labels: Tensor, classes: int
) -> dict[str, Energies]:
    """Name of a walk -> factors of its P on one look."""
    before = output.before
    walks = {} if output.energies is None else {OWN: output.energies}
    for name, options in OTHERS.items():
        form = dataclasses.replace(options.form, walk_stride=_stride(head))
        walks[name] = Walk(before.shape[1], form).energies(compared(form, head, before, images))
    return {**walks, ORACLE: oracle(labels, walks["uniform"].height, classes)}


def logits_of(head: PlainHead, output: Output, walks: Mapping[str, Energies]) -> dict[str, Tensor]:
    """Name of a walk -> logits of the look: without one, as trained, and of the common form with each P."""
    before, identity = output.before, nn.Identity()
    logits = {NONE: head.classify(before)}
    if output.energies is not None and output.logits is not None:
        logits[TRAINED] = output.logits
    for name, energies in walks.items():
        logits[name] = head.classify((before + walk_once(before, energies, identity, _stride(head))) / 2)
    return logits


def cell_labels(mask: NDArray[np.uint8], look: Look, cells: torch.Size, stride: int, cell: Cell) -> Tensor:
    """The class of each cell of the walk's grid, from the mask of what the look shows."""
    pixels = torch.from_numpy(mask.copy())[None, None].to(look.pixels.device).float()
    zoomed = interpolate(pixels, look.pixels.shape[-2:], mode="nearest")[0, 0].long()
    height, width = (coarse_cells(side, stride) for side in cells)
    return label_of_cells(zoomed, height, width, len(cell.classes), cell.ignore_index)
