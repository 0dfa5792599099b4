"""What of a record's identity decides where its cell may stand in a table, and under which name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from scribblebench.core.files import fingerprint
from scribblebench.store.record import Record

# Rules of training that every method of a table shares; all others are those of a method's own parts.
_SHARED_RULES = ("training", "augmentation", "backbone")
_MARK_DIGITS = 6


def conditions(record: Record) -> dict[str, Any]:
    """Return the parts of a record's identity that every cell of a table must share, as far as it has them.

    The same card names may stand for other conditions: a card that was edited, other weights, another
    folder of data, a later version of the program.
    """
    training = record.identity.get("training", {})
    parts = {
        "protocol": training.get("protocol"),
        "rules of training": {k: v for k, v in _rules(training).items() if _is_shared(k)} or None,
        "evaluation": record.identity.get("evaluation"),
        # In the earlier schema one digest covered all of the training data that was looked at.
        "training data": training.get("data") or training.get("photographs"),
        "validation data": record.identity.get("val"),
    }
    return {name: part for name, part in parts.items() if part is not None}


def settings(record: Record) -> str:
    """Digest of all that the cells of a table share but for their strokes."""
    return fingerprint([*_names(record), conditions(record)])


def claimable(record: Record) -> str:
    """Digest of what an external result shares with the cells beside which it claims to stand.

    Those are the names, the classes and what is scored; the rest is known of our own cells alone.
    """
    return fingerprint([*_names(record), conditions(record).get("validation data")])


def _names(record: Record) -> list[Any]:
    return [record.schema, record.dataset, record.protocol, record.overrides, record.classes]


def strokes(record: Record) -> str:
    """Name the strokes that a cell was trained on, before degradation; empty where it saw none."""
    labels = _labels(record)
    return f"{labels['strokes']} {_rules(labels).get('strokes', '')}".strip() if "strokes" in labels else ""


def method(record: Record) -> str:
    """Digest of what a method is made of: a card may be edited under its name."""
    training = record.identity.get("training", {})
    own = {k: v for k, v in _rules(training).items() if not _is_shared(k)}
    return fingerprint([own, *(training.get(key) for key in ("supervision", "network", "losses"))])


def degradation(record: Record) -> str:
    """Digest of what a degradation does, whatever its rate and seed: a part may be edited under its name.

    Empty where nothing was degraded: undegraded strokes, and cells that saw masks.
    """
    labels = _labels(record)
    if not labels.get("variant", {}).get("degradations"):
        return ""
    variant = {k: v for k, v in labels.get("variant", {}).items() if k != "seed"}
    steps = [{k: v for k, v in step.items() if k != "rate"} for step in variant.pop("degradations", ())]
    rules = {k: v for k, v in _rules(labels).items() if k != "strokes"}
    return fingerprint([steps, variant, rules])


def marks(found: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str], str]:
    """Tell definitions that bear one name apart: that of the last start keeps the bare name.

    Args:
        found: name, digest of a definition (empty where there is none), and when a cell of it was started.

    Returns:
        Name and digest -> what is put behind the name.

    >>> marks([("rw", "1a2b3c4d", "2026-01-01"), ("rw", "5e6f7a8b", "2026-01-02")])
    {('rw', '1a2b3c4d'): ' [1a2b3c]', ('rw', '5e6f7a8b'): ''}
    """
    listed = [entry for entry in found if entry[1]]
    last: dict[str, tuple[str, str]] = {}
    for name, digest, started in listed:
        last[name] = max(last.get(name, ("", "")), (started, digest))
    return {
        (name, digest): "" if digest == last[name][1] else f" [{digest[:_MARK_DIGITS]}]"
        for name, digest, _ in listed
    }


def _labels(record: Record) -> Mapping[str, Any]:
    found: Mapping[str, Any] = record.identity.get("training", {}).get("labels", {})
    return found


def _rules(part: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = part.get("rules", {})
    return found


def _is_shared(rule: str) -> bool:
    """Tell whether a rule, such as ``backbone tiny``, is one of the whole table's."""
    return rule.partition(" ")[0] in _SHARED_RULES


def supervision(record: Record) -> str:
    """Name the kind of supervision that a cell's losses saw; empty where that is not known."""
    word = str(record.identity.get("training", {}).get("supervision", ""))
    # Records say it by the word of the first ones.
    return "strokes" if word == "scribble" else word
