from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from scribblebench.core.errors import UserError
from scribblebench.store.document import Reading
from scribblebench.store.measurement import (
    SCHEMA,
    Measurement,
    read_measurement,
    read_measurements,
    write_measurement,
)

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
    assert read_measurements(tmp_path, "efficiency").records == [earlier, BLANK]
    assert read_measurements(tmp_path, "variation") == Reading([], [])
    assert not list(tmp_path.glob("*.json"))  # where the records of trained cells are


def test_another_identity_is_another_file(tmp_path: Path) -> None:
    other = msgspec.structs.replace(BLANK, identity={"crop": 97})
    assert other.path(tmp_path) != BLANK.path(tmp_path)
    assert msgspec.structs.replace(BLANK, rows=(), commit="x").path(tmp_path) == BLANK.path(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not a measurement"),
        ('{"job": 1}', r"\$\.job"),
        ((f'"schema": {SCHEMA}', f'"schema": {SCHEMA + 1}'), f"newer than {SCHEMA}"),
        (("328321", "328320"), "checksum"),
    ],
)
def test_a_broken_file_is_named_and_the_others_are_read(
    tmp_path: Path, text: str | tuple[str, str], message: str
) -> None:
    other = msgspec.structs.replace(BLANK, method="other")
    write_measurement(tmp_path, other)
    path = write_measurement(tmp_path, BLANK)
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole.replace(*text) if isinstance(text, tuple) else text, encoding="utf-8")
    with pytest.raises(UserError, match=message) as raised:
        read_measurement(path)
    assert str(path) in str(raised.value)
    assert read_measurements(tmp_path, "efficiency") == Reading([other], [(path, str(raised.value))])


def test_a_measurement_under_another_name_is_refused(tmp_path: Path) -> None:
    path = write_measurement(tmp_path, BLANK)
    with pytest.raises(UserError, match="contradicts itself"):
        read_measurement(path.rename(path.with_name("copy.json")))
