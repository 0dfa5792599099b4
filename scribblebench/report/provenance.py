"""What the cells of a group ran under, in words and as rows; and when and where a report was written."""

from __future__ import annotations

import os
import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from scribblebench import __version__
from scribblebench.report.collect import Group
from scribblebench.report.conditions import conditions
from scribblebench.report.notes import counted

_DIGEST = 64
_DIGITS = 10


@dataclass(frozen=True)
class Written:
    """When and where a report was written.

    Attributes:
        when: to the minute.
        machine: system, processor and number of cores.
        versions: of what reckons and draws.
    """

    when: str
    machine: str
    versions: str

    @classmethod
    def now(cls) -> Written:
        """Ask the clock and the machine; ``SOURCE_DATE_EPOCH`` replaces the clock, for equal bytes."""
        fixed = os.environ.get("SOURCE_DATE_EPOCH", "")
        when = datetime.fromtimestamp(int(fixed), UTC) if fixed.isdigit() else datetime.now().astimezone()
        cores = counted(os.cpu_count() or 1, "core")
        packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "matplotlib"))
        return cls(
            f"{when:%Y-%m-%d %H:%M %Z}",
            f"{platform.system()} {platform.machine()}, {cores}",
            f"scribblebench {__version__}, Python {platform.python_version()}, {packages}",
        )


def in_words(group: Group) -> str:
    """Say a protocol in a sentence or two, as far as a record of the group holds it; empty without one."""
    shared = conditions(group.sample)
    protocol = shared.get("protocol") or {}
    sentences = [
        _listed("Trained", _training(protocol)),
        _listed("Network:", _network(protocol)),
        _listed("Scored", _scoring(shared.get("evaluation") or {})),
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _training(protocol: Mapping[str, Any]) -> Iterator[str]:
    optimizer = protocol.get("optimizer") or {}
    if "epochs" in protocol:
        yield f"for {counted(protocol['epochs'], 'epoch')}"
    if "batch" in protocol and "crop" in protocol:
        side = protocol["crop"]
        yield f"in batches of {protocol['batch']} crops of {side} \u00d7 {side} pixels"
    if "part" in optimizer:
        rate = f" at learning rate {optimizer['lr']:g}" if "lr" in optimizer else ""
        yield f"by {optimizer['part']}{rate}"
    if "schedule" in protocol:
        yield f"{str(protocol['schedule']).replace('_', ' ')} schedule"


def _network(protocol: Mapping[str, Any]) -> Iterator[str]:
    if "backbone" in protocol:
        weights = protocol.get("weights", "none")
        start = "random weights" if weights == "none" else f"weights {_short(weights)}"
        yield f"{protocol['backbone']} from {start}"
    if "output_stride" in protocol:
        yield f"output stride {protocol['output_stride']}"
    if "head_width" in protocol:
        yield f"{protocol['head_width']} channels before the classifier"


def _scoring(evaluation: Mapping[str, Any]) -> Iterator[str]:
    if "part" in evaluation:
        yield f"by {str(evaluation['part']).replace('_', ' ')} inference"
    if evaluation.get("scales"):
        yield f"at scale {' and '.join(f'{scale:g}' for scale in evaluation['scales'])}"
    if evaluation.get("flip"):
        yield "with flips"
    if evaluation.get("crf"):
        yield "without and with a dense CRF"


def _listed(start: str, parts: Iterable[str]) -> str:
    found = list(parts)
    return f"{start} {', '.join(found)}." if found else ""


def settings(group: Group) -> list[tuple[str, str]]:
    """List every condition that the cells of a group share: dotted name and value."""
    return [
        (".".join(path), _text(value))
        for name, part in conditions(group.sample).items()
        for path, value in _leaves((name,), part)
    ]


def _leaves(path: tuple[str, ...], part: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(part, Mapping) and part:
        for key, value in part.items():
            yield from _leaves((*path, str(key)), value)
    else:
        yield path, part


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_text(item) for item in value) or "none"
    if isinstance(value, Mapping):
        return "none"
    return f"{value:g}" if isinstance(value, float) else _short(str(value))


def _short(text: str) -> str:
    """Cut a SHA-256: its first digits tell it from others.

    >>> _short("ab" * 32), _short("imagenet")
    ('ababababab…', 'imagenet')
    """
    return f"{text[:_DIGITS]}\u2026" if len(text) == _DIGEST and text.isalnum() else text


def ran_on(group: Group) -> dict[str, list[str]]:
    """What the cells ran on: heading -> distinct values, with the number of cells where they differ."""
    records = [cell.record for cell in group.cells]
    days = sorted(record.started[:10] for record in records if record.started)
    return {
        "Trained": [" to ".join(dict.fromkeys((days[0], days[-1])))] if days else ["unknown"],
        "Device": _distinct(record.device for record in records),
        "Versions": _distinct(", ".join(f"{k} {v}" for k, v in sorted(r.versions.items())) for r in records),
        "Commit": _distinct(record.commit for record in records),
        "Command": _distinct(record.command for record in records),
    }


def _distinct(values: Iterable[str]) -> list[str]:
    counts = Counter(values)
    if len(counts) == 1:
        return [value or "unknown" for value in counts]
    return [f"{value or 'unknown'} ({counted(count)})" for value, count in counts.most_common()]
