"""Cores, and the settings of threads in the environment."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping

from scribblebench.doctor.finding import Asked, Finding

_ABOUT = "threads"
_COUNTS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
# What binds threads to cores binds those of every process to the same ones.
_BINDING = ("OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY", "KMP_AFFINITY")
_UNBOUND = ("", "false", "none", "disabled")


def processor(asked: Asked) -> Iterator[Finding]:
    """Tell the cores, and which settings of threads are in the way of several cells at once."""
    del asked
    cores, usable = os.cpu_count() or 1, usable_cores()
    of = f"{usable} of {cores}" if usable < cores else f"{cores}"
    yield Finding("ok", "CPU", f"{platform.machine()}, {of} {'core' if cores == 1 else 'cores'}")
    faults = [*_counts(os.environ, usable), *_bindings(os.environ), *_limit(os.environ)]
    yield from faults
    if not faults:
        told = [f"{name}={os.environ[name]}" for name in (*_COUNTS, "OMP_WAIT_POLICY") if name in os.environ]
        yield Finding("ok", _ABOUT, f"{', '.join(told) or 'nothing set'}; a cell has those of its protocol")


def usable_cores() -> int:
    """Count the cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _counts(environment: Mapping[str, str], usable: int) -> Iterator[Finding]:
    for name in _COUNTS:
        # OMP_NUM_THREADS may be a list, one number a level of nesting.
        first = environment.get(name, "1").split(",")[0].strip()
        if not first.isdecimal() or int(first) < 1:
            yield _warning(f"{name}={environment[name]} is no number of threads", f"Unset {name}.")
        elif int(first) > usable:
            told = f"{name}={environment[name]}, but there are {usable} cores"
            yield _warning(told, f"Unset {name}, or set it to 1.")


def _bindings(environment: Mapping[str, str]) -> Iterator[Finding]:
    for name in _BINDING:
        if environment.get(name, "").lower() not in _UNBOUND:
            told = f"{name}={environment[name]} binds the cells that run at once to the same cores"
            yield _warning(told, f"Unset {name}.")


def _limit(environment: Mapping[str, str]) -> Iterator[Finding]:
    if environment.get("OMP_THREAD_LIMIT"):
        told = (
            f"OMP_THREAD_LIMIT={environment['OMP_THREAD_LIMIT']} may give a cell fewer threads than recorded"
        )
        yield _warning(told, "Unset OMP_THREAD_LIMIT.")


def _warning(text: str, todo: str) -> Finding:
    return Finding("warning", _ABOUT, text, todo)
