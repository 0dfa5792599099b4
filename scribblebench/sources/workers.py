"""Many images through one function, in order, on one process or several."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from scribblebench.core.errors import UserError
from scribblebench.core.parent import end_with
from scribblebench.scribbles.digest import pixels_digest, strokes_digest
from scribblebench.sources.job import Job
from scribblebench.sources.manifest import ImageRecord

_CHUNK = 32
T = TypeVar("T")


class Outcome(NamedTuple):
    """What became of one image: its line of the manifest and the repairs, or an error."""

    record: bytes
    repairs: Counter[str]
    error: str = ""


class _Task(NamedTuple):
    job: Job
    folder: Path | None
    masks: bool

    def run(self, image: str) -> Outcome:
        try:
            if self.folder is None:
                return self._read(image)
            return Outcome(*self.job.write(image, self.folder))
        except UserError as error:
            return Outcome(b"", Counter(), str(error))

    def _read(self, image: str) -> Outcome:
        dataset = self.job.dataset
        annotation, repairs = dataset.read(image)
        mask = pixels_digest(dataset.mask(image)) if self.masks and dataset.card.has_masks else ""
        record = ImageRecord(
            image, strokes_digest(annotation), len(annotation.strokes), (), 0, "", "", "", "", mask=mask
        )
        return Outcome(msgspec.json.encode(record), repairs)


def each_image(
    job: Job, ids: list[str], folder: Path | None, workers: int = 1, masks: bool = True
) -> Generator[Outcome, None, None]:
    """Run a job over images, and yield their outcomes in the order of ``ids``.

    Args:
        job: what to do.
        ids: the images.
        folder: where to write; None only reads the source.
        workers: processes; a short list is done in this one.
        masks: without a folder: read the masks too.
    """
    return in_order(_Task(job, folder, masks).run, ids, workers, _CHUNK)


def in_order(
    run: Callable[[str], T], ids: Sequence[str], workers: int, chunk: int
) -> Generator[T, None, None]:
    """Run a function on images, and yield its results in the order of ``ids``.

    Args:
        run: can be sent to another process, with all that it holds.
        ids: the images.
        workers: processes; a list of one chunk is done in this one.
        chunk: images that a process is handed at a time: few where one takes seconds.

    Raises:
        UserError: a process died.
    """
    workers = min(workers, -(-len(ids) // chunk))
    if workers <= 1:
        yield from map(run, ids)
        return
    chunks = [ids[i : i + chunk] for i in range(0, len(ids), chunk)]
    # spawn: a fork would copy the locks of the threads that draw the progress bar.
    executor = ProcessPoolExecutor(workers, get_context("spawn"), _start, (run, os.getpid()))
    try:
        with _without_interrupts():
            results = executor.map(_run_chunk, chunks)
        for found in results:
            yield from found
    except BrokenProcessPool as error:
        raise UserError(
            "A worker process died. Use fewer workers if memory is short; a script that uses several "
            "must start its work under 'if __name__ == \"__main__\":'."
        ) from error
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """Let processes that start here ignore Ctrl-C, which reaches the whole group: the parent stops them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def default_workers() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_function: Callable[[str], Any] | None = None


def _start(run: Callable[[str], Any], parent: int) -> None:
    global _function
    _function = run
    end_with(parent)


def _run_chunk(images: list[str]) -> list[Any]:
    if _function is None:
        raise RuntimeError("the worker was not started by in_order")
    return [_function(image) for image in images]
