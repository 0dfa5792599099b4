"""A measurement: what is known of a method besides its mIoU, one JSON file each, below the records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from scribblebench.core.errors import UserError
from scribblebench.core.files import fingerprint
from scribblebench.store.document import Reading, read_document, read_folder, write_document

# 1: without checksums. 2: a checksum beside the fields.
SCHEMA = 2
Value = str | int | float | None


class Measurement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one job of a grid measured of one method.

    Attributes:
        schema: version of this layout.
        job: what was measured, such as ``efficiency``.
        method: the method card's name; ``method_title`` its title.
        dataset: the dataset card's name.
        protocol: the protocol card's name.
        overrides: protocol fields replaced by ``--set``.
        identity: everything that decides the numbers, resolved.
        rows: the numbers, as rows of a table.
        started: ISO 8601, with the time zone.
        seconds: wall time.
        versions: library -> version.
        device: what it ran on.
        commit: the program's commit, empty where unknown.
        command: the command line.
    """

    job: str
    method: str
    method_title: str
    dataset: str
    protocol: str
    identity: dict[str, Any]
    schema: int = SCHEMA
    overrides: dict[str, Any] = {}
    rows: Sequence[Mapping[str, Value]] = ()
    started: str = ""
    seconds: float = 0.0
    versions: dict[str, str] = {}
    device: str = ""
    commit: str = ""
    command: str = ""

    @property
    def slug(self) -> str:
        """File-name safe name for people; it ends in the start of the identity's SHA-256."""
        return f"{self.dataset}_{self.method}_{self.protocol}_{fingerprint(self.identity)[:10]}"

    @property
    def settings(self) -> str:
        """The overrides as they are given on the command line, such as ``crop=97``."""
        return " ".join(f"{key}={value}" for key, value in sorted(self.overrides.items()))

    def path(self, runs: Path) -> Path:
        """Return its own file below a folder of records: the job has a folder of its own."""
        return runs / self.job / f"{self.slug}.json"


def write_measurement(runs: Path, measurement: Measurement) -> Path:
    """Write a measurement, whole or not at all.

    Raises:
        UserError: the folder cannot be written.
    """
    path = measurement.path(runs)
    write_document(path, measurement)
    return path


def read_measurements(runs: Path, job: str) -> Reading[Measurement]:
    """Read every measurement of one job, in the order in which they were made; damaged ones apart."""
    found = read_folder(runs / job, read_measurement)
    return Reading(sorted(found.records, key=lambda measurement: measurement.started), found.damaged)


def read_measurement(path: Path) -> Measurement:
    """Read one measurement.

    Raises:
        UserError: the file is unreadable, damaged, not a measurement, or written by a later version.
    """
    found = read_document(path, Measurement, SCHEMA, "a measurement")
    if path.stem != found.slug:
        raise UserError(f"{path} contradicts itself: its name should be {found.slug}.json. Remove it.")
    return found
