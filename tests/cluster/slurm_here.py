"""A Slurm of two nodes on one machine, out of Debian's packages: munge, a controller and two node daemons."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

CONF = """
ClusterName=here
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort=17001
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/controller.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/controller.log
SlurmdLogFile={folder}/%n.log
MailProg=/bin/true
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobRequeue=1
ReturnToService=2
KillWait=20
SlurmdTimeout=15
InactiveLimit=0
NodeName=node1 NodeHostname={host} NodeAddr=127.0.0.1 Port=17011 CPUs=1 State=UNKNOWN
NodeName=node2 NodeHostname={host} NodeAddr=127.0.0.1 Port=17012 CPUs=1 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
PROGRAMS = ("slurmctld", "slurmd", "munged", "sbatch")


def install() -> None:
    """Install Debian's packages where they are missing."""
    if all(shutil.which(name) for name in PROGRAMS):
        return
    for command in (
        ["apt-get", "update"],
        ["apt-get", "install", "--yes", "--no-install-recommends", "slurm-wlm", "munge"],
    ):
        subprocess.run(command, check=True)


class Cluster:
    """The daemons, which all work in one folder and touch nothing else.

    Args:
        folder: of configuration, sockets, states and logs.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.daemons: dict[str, subprocess.Popen[bytes]] = {}
        os.environ["SLURM_CONF"] = str(folder / "slurm.conf")

    def __enter__(self) -> Cluster:
        (self.folder / "state").mkdir(parents=True)
        text = CONF.format(host=socket.gethostname(), folder=self.folder)
        (self.folder / "slurm.conf").write_text(text, encoding="utf-8")
        key = self.folder / "munge.key"
        key.touch(0o600)
        key.write_bytes(os.urandom(128))
        names = ("key", "socket", "pid", "log", "seed")
        options = [f"--{name if name == 'socket' else f'{name}-file'}" for name in names]
        files = [f"{o}={self.folder / f'munge.{name}'}" for o, name in zip(options, names, strict=True)]
        self._start("munge", ["munged", "--foreground", "--force", *files])
        self._until("munge", lambda: (self.folder / "munge.socket").exists())
        self._start("controller", ["slurmctld", "-D"])
        for node in ("node1", "node2"):
            self.start_node(node)
        self._until("nodes", lambda: self.ask("sinfo", "-h", "-o", "%D %t").split() == ["2", "idle"])
        return self

    def __exit__(self, *error: object) -> None:
        self.ask("scancel", "--me")
        time.sleep(2)
        for daemon in reversed(self.daemons.values()):
            daemon.terminate()
        for daemon in self.daemons.values():
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()

    def _start(self, name: str, command: list[str]) -> None:
        with (self.folder / f"{name}.out").open("ab") as out:
            self.daemons[name] = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)

    def start_node(self, name: str) -> None:
        """Start the daemon of a node."""
        (self.folder / f"spool-{name}").mkdir(exist_ok=True)
        self._start(name, ["slurmd", "-D", "-N", name])

    def kill_node(self, name: str) -> int:
        """Let a node die, with all that runs there; return how many processes that were."""
        self.daemons[name].send_signal(signal.SIGKILL)
        self.daemons[name].wait()
        tasks = processes(f"SLURMD_NODENAME={name}")
        victims = [*keepers(tasks), *tasks]
        for process in victims:
            kill(process)
        return len(victims)

    @staticmethod
    def ask(*command: str) -> str:
        """Run one of Slurm's commands; return what it says."""
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

    def state(self, node: str) -> str:
        """Return what Slurm thinks of a node, such as ``idle`` or ``down``."""
        return self.ask("sinfo", "-h", "-n", node, "-o", "%t")

    def running(self) -> dict[str, str]:
        """Return the tasks that run, and on which node."""
        lines = self.ask("squeue", "--me", "-h", "-r", "-t", "RUNNING", "-o", "%i %N").splitlines()
        return dict(line.split() for line in lines if len(line.split()) == 2)

    def _until(self, what: str, true: object, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not true():  # type: ignore[operator]
            if time.monotonic() > deadline:
                raise SystemExit(f"{what}: not there after {seconds:.0f} s. See {self.folder}.")
            time.sleep(0.5)


def processes(setting: str) -> list[int]:
    """List the processes with a setting in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if setting.encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def keepers(tasks: list[int]) -> list[int]:
    """List Slurm's own processes that look after tasks: the parents of these."""
    found = set()
    for task in tasks:
        try:
            stat = (Path("/proc") / str(task) / "stat").read_text(encoding="utf-8")
            parent = stat.rpartition(")")[2].split()[1]
            if (Path("/proc") / parent / "cmdline").read_bytes().startswith(b"slurmstepd"):
                found.add(int(parent))
        except OSError:
            continue
    return sorted(found)


def kill(process: int) -> None:
    """End a process at once."""
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return
