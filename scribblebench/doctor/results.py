"""The folder of records: what is damaged, failed or was interrupted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from scribblebench.doctor.finding import Asked, Finding
from scribblebench.grid.status import status
from scribblebench.store.confusion import matrices_are_whole
from scribblebench.store.document import Reading
from scribblebench.store.record import Record, confusion_path, read_records

_ABOUT = "results"


def results(asked: Asked) -> Iterator[Finding]:
    """Tell how the cells of a folder stand, and which of its files cannot be used."""
    if not asked.runs.is_dir():
        yield Finding("ok", _ABOUT, f"none yet in {asked.runs}")
        return
    reading = read_records(asked.runs)
    yield Finding("ok", _ABOUT, f"{asked.runs}: {status(asked.runs, every=True).summary}")
    yield from _damaged(reading, asked)
    ended = [record for record in reading.records if record.status in ("failed", "interrupted")]
    yield from _unfinished(
        [r for r in ended if r.status == "failed"], "failed", "--rerun failed runs them anew."
    )
    carried_on = "The same 'run' carries on."
    yield from _unfinished([r for r in ended if r.status == "interrupted"], "interrupted", carried_on)


def _damaged(reading: Reading[Record], asked: Asked) -> Iterator[Finding]:
    for _, message in reading.damaged:
        yield Finding("wrong", _ABOUT, message)
    done = [record for record in reading.records if record.status == "done"]
    paths = {
        confusion_path(asked.runs, one.slug): one for one in done if not matrices_are_whole(asked.runs, one)
    }
    missing = [path for path in paths if not path.exists()]
    for path in sorted(paths.keys() - missing):
        told = f"{path} is not the file that its record speaks of"
        yield Finding("wrong", _ABOUT, told, "The same 'run' makes it again.")
    if missing:  # records alone, as they are published
        told = f"{len(missing)} of {len(done)} done have no confusion matrices, such as {missing[0].stem}"
        yield Finding("warning", _ABOUT, told, "The same 'run' runs them again.")


def _unfinished(records: Sequence[Record], what: str, todo: str) -> Iterator[Finding]:
    """Tell of cells that ended, a line for those of one reason."""
    by_reason = defaultdict(list)
    for record in records:
        by_reason[record.reason].append(record.slug)
    for reason, slugs in by_reason.items():
        yield Finding("warning", _ABOUT, f"{len(slugs)} {what}, such as {slugs[0]}: {reason}", todo)
