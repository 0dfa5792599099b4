"""All checks, one after the other."""

from __future__ import annotations

from collections.abc import Iterator

from scribblebench.core.errors import UserError
from scribblebench.doctor.cuda import cuda
from scribblebench.doctor.data import data
from scribblebench.doctor.extras import extras
from scribblebench.doctor.finding import Asked, Check, Finding
from scribblebench.doctor.packages import packages
from scribblebench.doctor.pair import pair
from scribblebench.doctor.processor import processor
from scribblebench.doctor.results import results
from scribblebench.doctor.room import disk, memory

CHECKS: tuple[Check, ...] = (packages, pair, processor, cuda, memory, disk, data, extras, results)


def examine(asked: Asked) -> Iterator[Finding]:
    """Run every check; what one cannot look at is found wrong, and the others go on.

    Args:
        asked: where to look.
    """
    for check in CHECKS:
        try:
            yield from check(asked)
        except (UserError, OSError) as error:
            yield Finding("wrong", check.__name__, str(error))
