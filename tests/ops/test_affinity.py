"""What P knows of classes, against scipy and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from scribblebench.ops import tiles
from scribblebench.ops.affinity import Affinity, affinity, label_of_cells, oracle
from scribblebench.ops.walk import Energies

IGNORE = 9


def by_hand(energies: np.ndarray, labels: np.ndarray) -> Affinity:
    """Row by row, with the U statistic of Mann and Whitney, who count ties as halves."""
    found = Affinity()
    for i in np.flatnonzero(labels != IGNORE):
        others = [j for j in np.flatnonzero(labels != IGNORE) if j != i]
        row, same = energies[i, others], labels[others] == labels[i]
        if same.any() and not same.all():
            auc = scipy.stats.mannwhitneyu(row[same], row[~same]).statistic / (same.sum() * (~same).sum())
            found = found.plus(Affinity(1, auc, scipy.special.softmax(row)[same].sum(), same.mean()))
    return found


@given(
    st.lists(st.sampled_from([0, 1, 2, IGNORE]), min_size=1, max_size=14), st.booleans(), st.integers(0, 99)
)
@settings(max_examples=40, deadline=None)
def test_sums_are_those_of_the_loop(labels: list[int], ties: bool, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    queries, keys = (torch.randn(1, len(labels), 3, generator=generator).double() for _ in range(2))
    if ties:
        queries, keys = queries.round(), keys.round()
    with pytest.MonkeyPatch.context() as patch:  # several blocks of rows
        patch.setattr(tiles, "_LEAST_ROWS", 3)
        patch.setattr(tiles, "_CPU_TILE", 1)
        ours = affinity(Energies(queries, keys, 1, len(labels)), torch.tensor(labels), IGNORE)
    expected = by_hand((queries[0] @ keys[0].T).numpy(), np.array(labels))
    np.testing.assert_allclose(ours, expected, rtol=1e-9)


def test_a_uniform_walk_knows_nothing_and_the_oracle_all() -> None:
    labels = torch.tensor([0, 0, 1, 2, 2, 2, 0, IGNORE])
    nothing = torch.zeros(1, 8, 1)
    uniform = affinity(Energies(nothing, nothing, 2, 4), labels, IGNORE)
    assert (uniform.mean_auc, uniform.lift) == (0.5, pytest.approx(1))
    seeing = oracle(labels, height=2, classes=3)
    assert (seeing.height, seeing.width) == (2, 4)
    transition = seeing.matrix()[0]
    for i, label in enumerate(labels.tolist()):
        share = torch.ones(8) / 8 if label == IGNORE else (labels == label) / (labels == label).sum()
        torch.testing.assert_close(transition[i], share.float(), atol=1e-6, rtol=0)
    assert affinity(seeing, labels, IGNORE).mean_auc == 1


def test_without_a_row_there_is_no_number() -> None:
    nothing = torch.zeros(1, 4, 1)
    found = affinity(Energies(nothing, nothing, 2, 2), torch.full((4,), IGNORE), IGNORE)
    assert (found.mean_auc, found.lift) == (None, None)


def test_a_cell_has_the_label_of_most_pixels_around_it() -> None:
    mask = torch.randint(0, 4, (9, 13), generator=torch.Generator().manual_seed(0))
    mask[mask == 3] = IGNORE
    mask[6:, :4] = IGNORE
    found = label_of_cells(mask, 3, 4, classes=3, ignore_index=IGNORE).view(3, 4)
    for i in range(3):
        for j in range(4):
            square = mask[max(0, 4 * i - 2) : 4 * i + 3, max(0, 4 * j - 2) : 4 * j + 3].flatten().tolist()
            counts = [square.count(c) for c in range(3)]
            assert found[i, j] == (counts.index(max(counts)) if any(counts) else IGNORE)
    assert found[2, 0] == IGNORE
