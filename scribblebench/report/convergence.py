"""Whether training had come to rest: before that, a ratio says as much of the budget as of the scribbles."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from scribblebench.store.record import Record

# Settled before the experiment of docs/experiments.md, on images held out of training: runs below it did not
# gain from twice the epochs, runs above it did.
FLAT = 0.01
# A fifth of fewer epochs has no two halves.
_LEAST_EPOCHS = 10


def loss_fall(losses: Sequence[float | None]) -> float | None:
    """Say which share of its whole descent the training loss made between the two halves of the last fifth.

    It is the descent, not the loss, that is the measure: a network that learns its training set by heart has
    a loss near 0, which keeps halving and no longer matters.

    >>> loss_fall([1.0] * 16 + [0.5, 0.5, 0.4, 0.4])
    0.166667

    Args:
        losses: mean training loss of every epoch; None where it was not finite.

    Returns:
        A fraction; None for runs of fewer than 10 epochs, where a loss was not finite, and where the loss
        ended no lower than it began.
    """
    last = losses[-(len(losses) // 5) :]
    known = [loss for loss in (*losses[:1], *last) if loss is not None]
    if len(losses) < _LEAST_EPOCHS or len(known) <= len(last):
        return None
    half = len(last) // 2
    start, before, after = known[0], fmean(known[1 : 1 + half]), fmean(known[-half:])
    return round((before - after) / (start - after), 6) if after < start else None


def record_fall(record: Record) -> float | None:
    """Return ``loss_fall`` of a record's training loss."""
    return loss_fall([epoch.get("loss") for epoch in record.curve])


def is_flat(record: Record) -> bool:
    """Tell whether the loss had come to rest; unknown counts as not, but for external results.

    Nobody here saw their training: a note beside the table says so.
    """
    fall = record_fall(record)
    return record.external or (fall is not None and abs(fall) <= FLAT)
