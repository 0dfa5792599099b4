from __future__ import annotations

from typing import Any

import pytest

from scribblebench.training import cost
from scribblebench.training.build import make_network
from scribblebench.training.data import Places


def test_a_probe_counts_steps_and_images(
    make_cell: Any, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    """24 training images in batches of 5 are 4 steps an epoch; there are 8 validation images."""
    acted: list[object] = []
    monkeypatch.setattr(cost, "_seconds", lambda action, device: acted.append(action()) or 2.0)
    clock = iter([10.0, 12.0])
    monkeypatch.setattr(cost.time, "perf_counter", lambda: next(clock, 12.0))
    cell = make_cell("rw-ss", epochs=3, batch=5)
    found = cost.probe(cell, places)
    assert found.seconds == 3 * 4 * 2.0 + 8 * 2.0 / cost.IMAGES
    assert len(acted) == 1
    assert found.parameters == sum(p.numel() for p in make_network(cell, places).parameters())
    assert found.memory_mb > 100
