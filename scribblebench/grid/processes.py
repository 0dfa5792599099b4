"""Several cells at once, a process each."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any

import torch

from scribblebench.grid.attempt import Job, attempt, interrupt, terminable
from scribblebench.grid.display import Display
from scribblebench.store.record import Record


def in_processes(missing: Sequence[Job], jobs: int, display: Display) -> list[Record]:
    """Run jobs in a pool of processes, the cores shared evenly among them."""
    context = multiprocessing.get_context("spawn")  # a forked CUDA context does not work
    records: list[Record] = []
    with context.Manager() as manager, terminable():
        events: Any = manager.Queue()
        threads = max(1, (os.cpu_count() or 1) // jobs)
        with ProcessPoolExecutor(jobs, context, _prepare, (events, threads, os.getpid())) as pool:
            waiting = [pool.submit(_attempt_there, job) for job in missing]
            try:
                while waiting:
                    _show_events(events, display)
                    waiting, ended = _split(waiting)
                    for future in ended:
                        records.append(future.result())
                        display.finished(records[-1])
            except KeyboardInterrupt:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
    if any(record.status == "interrupted" for record in records):
        raise KeyboardInterrupt
    return records


def _split(futures: list[Future[Record]]) -> tuple[list[Future[Record]], list[Future[Record]]]:
    ended = [future for future in futures if future.done()]
    return [future for future in futures if not future.done()], ended


def _show_events(events: Any, display: Display) -> None:
    try:
        display.event(events.get(timeout=0.2))
        while True:
            display.event(events.get_nowait())
    except queue.Empty:
        return


_events: Any = None  # the queue of this worker process, set once by _prepare


def _prepare(events: Any, threads: int, parent: int) -> None:
    global _events  # a pool hands its initialiser's work to its tasks only this way
    _events = events
    torch.set_num_threads(threads)
    signal.signal(signal.SIGTERM, interrupt)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)  # the parent was killed: nobody is left to hear of this cell


def _attempt_there(job: Job) -> Record:
    return attempt(job, _events.put)
