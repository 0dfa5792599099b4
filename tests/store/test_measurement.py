from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from scribblebench.core.errors import UserError
from scribblebench.store.measurement import SCHEMA, Measurement, read_measurements, write_measurement

BLANK = Measurement(
    job="efficiency",
    method="rw",
    method_title="+RW",
    dataset="voc2012",
    protocol="paper",
    identity={"crop": 465},
    started="2026-01-01T00:00:01+00:00",
    rows=[{"parameters": 328_321, "gflops": 0.5, "note": None}],
)


def test_what_is_written_is_read_in_the_order_it_was_measured(tmp_path: Path) -> None:
    earlier = msgspec.structs.replace(
        BLANK, method="zebra", started="2026-01-01T00:00:00+00:00", identity={"crop": 97}
    )
    for measurement in (BLANK, earlier):
        write_measurement(tmp_path, measurement)
    assert read_measurements(tmp_path, "efficiency") == [earlier, BLANK]
    assert read_measurements(tmp_path, "variation") == []
    assert not list(tmp_path.glob("*.json"))  # where the records of trained cells are


def test_another_identity_is_another_file(tmp_path: Path) -> None:
    other = msgspec.structs.replace(BLANK, identity={"crop": 97})
    assert other.path(tmp_path) != BLANK.path(tmp_path)
    assert msgspec.structs.replace(BLANK, rows=(), commit="x").path(tmp_path) == BLANK.path(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "is not a measurement"), ('{"job": 1}', r"\$\.job"), (None, f"newer than {SCHEMA}")],
)
def test_a_broken_file_is_named(tmp_path: Path, text: str | None, message: str) -> None:
    path = write_measurement(tmp_path, BLANK)
    whole = path.read_text(encoding="utf-8").replace('"schema": 1', f'"schema": {SCHEMA + 1}')
    path.write_text(text or whole, encoding="utf-8")
    with pytest.raises(UserError, match=message) as raised:
        read_measurements(tmp_path, "efficiency")
    assert str(path) in str(raised.value)
