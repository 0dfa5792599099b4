"""Finished cells by names that people can type: ``rw-ss@shrink-0.5#0``."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from scribblebench.core.errors import UserError, first_ten
from scribblebench.store.record import Record, read_record, read_records


class Found(NamedTuple):
    """A finished cell, and the folder of records where its weights are kept too."""

    record: Record
    runs: Path


def readable(record: Record) -> str:
    """Name a cell by what people remember of it; dataset and protocol are not in it."""
    variant = record.kind if record.kind == "none" else f"{record.kind}-{record.rate:g}"
    return f"{record.method}@{variant}#{record.seed}"


def find_cell(runs: Path, name: str) -> Found:
    """Find a finished cell.

    Args:
        runs: folder of records.
        name: ``method@variant#seed``, where the end may be left out while one cell alone is meant; or the
            record's slug; or the path of the record, or of the weights.

    Raises:
        UserError: no such cell, several of them, or one whose network is not here.
    """
    path = Path(name)
    if path.suffix == ".json":
        return Found(_trained(read_record(path)), path.parent)
    if path.suffix == ".safetensors":
        runs = path.parent.parent
    if not runs.is_dir():
        raise UserError(f"No folder {runs}. Run 'scribblebench run --grid shrink', or give --runs.")
    records = [r for r in read_records(runs).records if r.status == "done" and not r.external]
    meant = [record for record in records if _is_meant(record, name, path)]
    if not meant:
        raise UserError(_unknown(runs, name, records))
    if len(meant) > 1:
        raise UserError(_several(name, meant))
    return Found(meant[0], runs)


def _trained(record: Record) -> Record:
    if record.status != "done" or record.external:
        why = "another program predicted" if record.external else f"it is {record.status}"
        raise UserError(f"{record.slug} has no network here: {why}. Give a finished cell of 'run'.")
    return record


def _is_meant(record: Record, name: str, path: Path) -> bool:
    if path.suffix == ".safetensors":
        return record.training_id == path.stem
    full = readable(record)
    return name in (record.slug, full) or full.startswith((f"{name}@", f"{name}#"))


def _unknown(runs: Path, name: str, records: Sequence[Record]) -> str:
    names = sorted({readable(record) for record in records})
    if not names:
        return f"{runs} has no finished cell. Run 'scribblebench run --grid shrink', or give --runs."
    close = difflib.get_close_matches(name, [*names, *(record.slug for record in records)], n=1)
    hint = f" Did you mean '{close[0]}'?" if close else ""
    return f"{runs} has no finished cell '{name}'.{hint} There are: {first_ten(names)}."


def _several(name: str, records: Sequence[Record]) -> str:
    names = sorted({readable(record) for record in records})
    if len(names) == len(records):
        return f"'{name}' may be {len(names)} cells: {first_ten(names)}. Give one of these names."
    listed = [f"{record.slug} ({_setting(record)})" for record in records]
    return f"'{name}' may be {len(records)} cells: {first_ten(listed)}. Give one of the first words."


def _setting(record: Record) -> str:
    """Say under what a cell was trained: the protocol, what ``--set`` replaced."""
    replaced = (f"{key}={value}" for key, value in sorted(record.overrides.items()))
    return " ".join((record.protocol, *replaced))
