"""Cells as tasks of job arrays of Slurm, through submitit."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import torch
from msgspec import Meta

from scribblebench.core.errors import UserError
from scribblebench.grid.attempt import Ended, Job, attempt
from scribblebench.grid.display import Display
from scribblebench.grid.executors import EXECUTORS, Executor
from scribblebench.grid.stopping import StoppedError, stoppable
from scribblebench.store.plan import Plan, plans_folder, write_plan
from scribblebench.store.record import Record, read_record, record_path
from scribblebench.training.run_cell import blank_record

if TYPE_CHECKING:
    import submitit

# Seconds between two looks at the queue, as many as one cell may be late without anybody minding.
LOOK = 3.0
# Seconds that Slurm gives a task between its warning and its end: enough to write a state.
WARNING = 60
# Set before torch is imported: threads that wait for work must not take the cores of those that have some.
_SETUP = ("export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}",)
_log = logging.getLogger(__name__)


@EXECUTORS.register
class Slurm(Executor, frozen=True):
    """Hands Slurm the missing cells as one job array, and waits for them; it need not stay.

    Attributes:
        jobs: tasks at once; 0 for as many as Slurm likes.
        slurm: options of sbatch by their long names, such as ``partition``, ``time`` and ``gres``.
        collect: hand over nothing, only wait for what was handed over before.
    """

    jobs: Annotated[int, Meta(ge=0)] = 0
    slurm: dict[str, str] = msgspec.field(default_factory=dict)
    collect: bool = False

    def at_once(self, cells: int, device: torch.device) -> int:
        """Believe that Slurm runs all at once, unless fewer were asked for (see ``Executor``)."""
        del device
        return max(1, min(self.jobs or cells, cells))

    def run(self, jobs: Sequence[Job], plan: Plan, display: Display) -> list[Ended]:
        """Hand over what is not in the queue yet, and wait until nothing is (see ``Executor``)."""
        runs = jobs[0].places.runs
        tasks, now = dict(plan.tasks), queued()
        missing = [job for job in jobs if tasks.get(job.cell.slug) not in now]
        if missing and not self.collect:
            tasks |= self._submit(missing, runs)
            write_plan(runs, msgspec.structs.replace(plan, tasks=tasks))
            display.line(f"{len(missing)} cells handed to Slurm; their logs are in {_logs(runs)}")
        try:
            with stoppable():
                return list(_collected(jobs, tasks, display))
        except StoppedError:
            _log.warning("Slurm goes on without this program. The same command with --collect waits for it.")
            raise

    def _submit(self, jobs: Sequence[Job], runs: Path) -> dict[str, str]:
        """Return the task of each cell that is handed over, such as ``1234_5``."""
        executor = _executor(_logs(runs))
        named = {name.replace("-", "_"): value for name, value in self.slurm.items()}
        known = executor._valid_parameters() - {"additional_parameters", "setup", "array_parallelism"}
        time_limit = {"time": named.pop("time")} if "time" in named else {}
        extra = {name.replace("_", "-"): named.pop(name) for name in list(named) if name not in known}
        executor.update_parameters(
            job_name="scribblebench",
            setup=list(_SETUP),
            signal_delay_s=WARNING,
            array_parallelism=self.jobs or len(jobs),
            additional_parameters={"requeue": True, "open-mode": "append", **extra, **time_limit},
            **named,
        )
        cuda = any("gpu" in f"{name}={value}" for name, value in self.slurm.items())
        try:
            submitted = executor.map_array(_Task(cuda), [replace(job, wait=True) for job in jobs])
        except Exception as error:  # submitit's own kinds of error, and those of sbatch
            raise UserError(f"Slurm took no job: {_one_line(error)}") from error
        return {job.cell.slug: task.job_id for job, task in zip(jobs, submitted, strict=True)}


@dataclass(frozen=True)
class _Task:
    """What a node does with a job."""

    cuda: bool

    def __call__(self, job: Job) -> str:
        """Run a cell, and ask for another turn where Slurm ends this one before the cell's end."""
        if self.cuda:
            job = replace(job, places=replace(job.places, device=torch.device("cuda")))
        with _warned() as heard:
            ended = attempt(job, lambda event: None)
        if (
            signal.SIGUSR2 in heard
        ):  # after SIGTERM it is Slurm that decides: it cancels, or preempts and requeues
            _requeue()
        return ended.record.status


@contextlib.contextmanager
def _warned() -> Iterator[set[int]]:
    """Let the first signal that Slurm sends before an end raise ``StoppedError``; yield which came."""
    heard: set[int] = set()

    def stop(number: int, frame: FrameType | None) -> None:
        first = not heard
        heard.add(number)
        if first:
            raise StoppedError

    before = {number: signal.signal(number, stop) for number in (signal.SIGUSR2, signal.SIGTERM)}
    yield heard
    for number, handler in before.items():
        signal.signal(number, handler)


def _requeue() -> None:
    array, task = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
    name = f"{array}_{task}" if array else os.environ["SLURM_JOB_ID"]
    subprocess.run(["scontrol", "requeue", name], check=False)  # noqa: S603, S607 - Slurm's own, wherever it is


def queued() -> frozenset[str]:
    """List the tasks that Slurm has not done with, such as ``1234_5``.

    Raises:
        UserError: there is no Slurm here.
    """
    command = ["squeue", "--me", "--noheader", "--array", "--format=%i"]
    while True:
        try:
            found = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed
        except FileNotFoundError as error:
            raise UserError("No squeue here: --executor slurm works where Slurm's commands are.") from error
        if not found.returncode:
            return frozenset(found.stdout.split())
        _log.warning("Slurm does not answer: %s", " ".join(found.stderr.split()))
        time.sleep(10 * LOOK)


def _collected(jobs: Sequence[Job], tasks: Mapping[str, str], display: Display) -> Iterator[Ended]:
    """Yield what became of each cell once its task has left the queue."""
    waiting = {job.cell.slug: job for job in jobs}
    while waiting:
        now = queued()
        for slug in [slug for slug in waiting if tasks.get(slug) not in now]:
            record = _outcome(waiting.pop(slug), tasks.get(slug))
            display.finished(record)
            yield Ended(record, ours=True)
        if waiting:
            time.sleep(LOOK)


def _outcome(job: Job, task: str | None) -> Record:
    """Read a cell's record; where it tells of no end, say so."""
    try:
        record = read_record(record_path(job.places.runs, job.cell.slug))
    except UserError:
        record = msgspec.structs.replace(blank_record(job.cell, job.places), status="interrupted")
    if record.status in ("done", "failed"):
        return record
    where = f"its task {task} left Slurm's queue before its end" if task else "it was not handed to Slurm"
    return msgspec.structs.replace(record, status="interrupted", reason=where)


def _logs(runs: Path) -> Path:
    return plans_folder(runs) / "slurm"


def _executor(folder: Path) -> submitit.SlurmExecutor:
    try:
        import submitit
    except ImportError as error:
        raise UserError("--executor slurm needs submitit: pip install 'scribblebench[slurm]'.") from error
    try:
        return submitit.SlurmExecutor(folder=folder)
    except RuntimeError as error:
        raise UserError(f"--executor slurm: {_one_line(error)}") from error


def _one_line(error: Any) -> str:
    return " ".join(str(error).split())
