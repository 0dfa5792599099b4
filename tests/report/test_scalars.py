"""What TensorBoard reads is what the record holds: its own reader is the oracle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from scribblebench.report.scalars import write_scalars
from scribblebench.training.data import Places
from scribblebench.training.run_cell import blank_record


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of TensorBoard's own packages
def test_tensorboard_reads_the_curve(make_cell: Any, places: Places, tmp_path: Path) -> None:
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    curve = [{"epoch": 1.0, "loss": 1.5, "rate": 0.1}, {"epoch": 2.0, "loss": None, "rate": 0.05}]
    record = msgspec.structs.replace(
        blank_record(make_cell("rw"), places), status="done", miou=0.25, epochs=2, curve=curve, seconds=8.0
    )
    for _ in range(2):  # the second call replaces what the first wrote
        assert write_scalars(record, tmp_path / "cell") == 4
    read = reader.EventAccumulator(str(tmp_path / "cell")).Reload()
    found = {tag: [(e.step, e.value) for e in read.Scalars(tag)] for tag in read.Tags()["scalars"]}
    assert found == {
        "loss": [(1, 1.5)],
        "rate": [(1, pytest.approx(0.1)), (2, pytest.approx(0.05))],
        "miou": [(2, 0.25)],
    }
    first, second = (event.wall_time for event in read.Scalars("rate"))
    assert second - first == pytest.approx(4.0)
