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
from types import FrameType
from typing import TYPE_CHECKING

import torch

from scribblebench.grid.attempt import Job, attempt, terminable
from scribblebench.grid.display import Display, Event
from scribblebench.store.record import Record

if TYPE_CHECKING:
    from multiprocessing.queues import Queue

    Events = Queue[Event]


def in_processes(missing: Sequence[Job], jobs: int, display: Display) -> list[Record]:
    """Run jobs in a pool of processes, the cores shared evenly among them."""
    context = multiprocessing.get_context("spawn")  # a forked CUDA context does not work
    events: Events = context.Queue()
    threads = max(1, (os.cpu_count() or 1) // jobs)
    records: list[Record] = []
    with terminable(), ProcessPoolExecutor(jobs, context, _prepare, (events, threads, os.getpid())) as pool:
        waiting = [pool.submit(_attempt_there, job) for job in missing]
        try:
            while waiting:
                _show_events(events, display)
                waiting, ended = _split(waiting)
                for future in ended:
                    records.append(future.result())
                    display.finished(records[-1])
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in multiprocessing.active_children():
                worker.terminate()
            raise
    return records


def _split(futures: list[Future[Record]]) -> tuple[list[Future[Record]], list[Future[Record]]]:
    ended = [future for future in futures if future.done()]
    return [future for future in futures if not future.done()], ended


def _show_events(events: Events, display: Display) -> None:
    try:
        display.event(events.get(timeout=0.2))
        while True:
            display.event(events.get_nowait())
    except queue.Empty:
        return


class _Worker:
    """What a worker process knows: set once by ``_prepare``, since a pool's tasks carry only a job."""

    events: Events
    busy = False


def _prepare(events: Events, threads: int, parent: int) -> None:
    _Worker.events = events
    torch.set_num_threads(threads)
    # Ctrl-C reaches every process of a terminal; the parent passes it on once, as SIGTERM.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _stop)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _stop(number: int, frame: FrameType | None) -> None:
    if _Worker.busy:
        raise KeyboardInterrupt
    os._exit(0)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)  # the parent was killed: nobody is left to hear of this cell


def _attempt_there(job: Job) -> Record:
    _Worker.busy = True
    record = attempt(job, _Worker.events.put)
    if record.status == "interrupted":
        os._exit(0)  # the pool has handed over cells in advance; they are for another day
    _Worker.busy = False
    return record
