"""The curves of records as scalars for TensorBoard, a folder a cell."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from scribblebench.core.errors import UserError
from scribblebench.core.files import aside
from scribblebench.store.record import Record

Scalar = tuple[int, str, float]


def scalars(record: Record) -> Iterator[Scalar]:
    """Yield epoch, name and value of all that was logged, and the mean IoU at the last epoch.

    What was not finite is left out.
    """
    for entry in record.curve:
        epoch = entry.get("epoch")
        for name, value in entry.items():
            if name != "epoch" and value is not None and epoch is not None:
                yield int(epoch), name, value
    for name, score in (("miou", record.miou), ("miou_crf", record.miou_crf)):
        if score is not None:
            yield record.epochs, name, score


def write_scalars(record: Record, folder: Path) -> int:
    """Write the scalars of a record; they replace those of an earlier call.

    Args:
        record: with a curve.
        folder: of this cell.

    Returns:
        How many there are.

    Raises:
        UserError: TensorBoard is not installed, or the folder cannot be written.
    """
    try:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter
    except ImportError as error:
        raise UserError("No TensorBoard here: pip install 'scribblebench[tensorboard]'.") from error
    found, began = list(scalars(record)), datetime.fromisoformat(record.started).timestamp()
    with aside(folder) as new:
        writer = EventFileWriter(str(new))
        for epoch, name, value in found:
            when = began + record.seconds * epoch / max(1, record.epochs)
            summary = Summary(value=[Summary.Value(tag=name, simple_value=value)])
            writer.add_event(Event(step=epoch, wall_time=when, summary=summary))
        writer.close()
        shutil.rmtree(folder, ignore_errors=True)
        new.rename(folder)
    return len(found)
