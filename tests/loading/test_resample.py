"""Labels of zoomed crops, against a loop over all pixels of the image."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from scribblebench.core.cards import Augmentation
from scribblebench.core.seeds import rng
from scribblebench.loading.augment import draw, warp
from scribblebench.loading.batches import Batches
from scribblebench.loading.images import Pictures
from scribblebench.loading.resample import footprint, nearest

IGNORE = 255


def zoomed(height: int, width: int, zoom: float) -> Tensor:
    """Where the pixels of a zoomed image lie in it."""
    sides = [(torch.arange(max(1, round(side * zoom))) + 0.5) / zoom - 0.5 for side in (height, width)]
    at = torch.stack(torch.meshgrid(*sides, indexing="ij"), dim=-1)
    return at.clamp(min=0).minimum(torch.tensor([height - 1.0, width - 1.0]))[None]


@given(st.integers(1, 9), st.integers(1, 9), st.floats(0.2, 1.5), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_a_pixel_has_the_label_nearest_within_its_square(
    height: int, width: int, zoom: float, seed: int
) -> None:
    random = np.random.default_rng(seed)
    labels = np.where(random.random((height, width)) < 0.3, random.integers(0, 4, (height, width)), IGNORE)
    given_labels = torch.from_numpy(labels.astype(np.uint8))[None, None]
    at, scale = zoomed(height, width, zoom), torch.tensor([zoom])
    found = footprint(given_labels, at, scale, IGNORE)[0]
    under = nearest(given_labels, at)[0]
    half = 0.5 / scale.item()
    for (row, column), label in np.ndenumerate(found.numpy()):
        y, x = at[0, row, column].tolist()
        candidates = [
            ((v - y) ** 2 + (u - x) ** 2, int(labels[v, u]))
            for v in range(height)
            for u in range(width)
            if abs(v - y) < half - 1e-5 and abs(u - x) < half - 1e-5 and labels[v, u] != IGNORE
        ]
        if under[row, column] != IGNORE:
            assert label == under[row, column]
        elif candidates:
            closest = min(candidates)[0]
            assert label in {name for length, name in candidates if length <= closest + 1e-4}
    assert found.shape == under.shape


@pytest.mark.parametrize("zoom", [0.25, 0.3, 0.45, 0.8])
def test_a_thin_stroke_stays_whole(zoom: float) -> None:
    rows, columns = np.mgrid[:80, :90]
    line = np.abs(rows - 0.63 * columns - 7) < 1.2
    labels = torch.from_numpy(np.where(line, 3, IGNORE).astype(np.uint8))[None, None]
    at = zoomed(80, 90, zoom)
    kept = footprint(labels, at, torch.tensor([zoom]), IGNORE)[0].numpy() != IGNORE
    assert scipy.ndimage.label(kept, np.ones((3, 3)))[1] == 1
    broken = nearest(labels, at)[0].numpy() != IGNORE
    assert kept[broken].all()
    if zoom == 0.25:
        assert scipy.ndimage.label(broken, np.ones((3, 3)))[1] > 3


def test_windows_hold_every_footprint() -> None:
    """A batch cut from the images' windows is the one made from whole images."""
    random = np.random.default_rng(0)
    pixels = torch.from_numpy(random.integers(0, 256, (6, 3, 150, 170), dtype=np.uint8))
    marks = np.where(random.random((6, 1, 150, 170)) < 0.03, 2, IGNORE)
    labels = torch.from_numpy(marks.astype(np.uint8))
    ranges = Augmentation(scale=(0.25, 0.6), rotation=10, rotation_odds=1.0, labels="footprint")
    ids = [f"image {i}" for i in range(6)]
    tags = torch.zeros(6, 3, dtype=torch.bool)
    batches = Batches(
        ids, Pictures.of(pixels), Pictures.of(labels), tags, ranges, 33, 6, 0, IGNORE, torch.device("cpu")
    )
    (batch,) = batches.epoch(0)
    draws = draw(ranges, 0, 0, ids)
    whole = warp(pixels, labels, draws, torch.tensor([[150, 170]] * 6), 33, IGNORE, thin=True)
    order = rng("order", 0, 0).permutation(6).tolist()
    assert torch.equal(batch.labels, whole.labels[order])
    plain = warp(pixels, labels, draws, torch.tensor([[150, 170]] * 6), 33, IGNORE)
    assert (whole.labels != IGNORE).sum() > 2 * (plain.labels != IGNORE).sum()
