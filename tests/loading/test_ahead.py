from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from scribblebench.loading.ahead import ahead


def test_one_is_made_ahead_and_no_more() -> None:
    made: list[int] = []
    second = threading.Event()

    def numbers() -> Iterator[int]:
        for number in range(4):
            made.append(number)
            if number == 1:
                second.set()
            yield number

    sequence = ahead(numbers())
    assert next(sequence) == 0
    assert second.wait(10)  # though nobody has asked for it
    assert made == [0, 1]
    assert list(sequence) == [1, 2, 3]


def test_what_making_one_raises_comes_in_its_place() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise OSError("a disk is gone")

    sequence = ahead(broken())
    assert next(sequence) == 1
    with pytest.raises(OSError, match="a disk is gone"):
        next(sequence)


def test_whoever_stops_early_leaves_no_thread() -> None:
    before = threading.active_count()
    sequence = ahead(iter(range(10**9)))
    assert next(sequence) == 0
    sequence.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
