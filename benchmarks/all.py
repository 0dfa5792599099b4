"""Run the benchmarks of single pieces, and keep what they print with where it came from.

    python benchmarks/all.py --data-dir VOC2012        # without it, painted pictures, and no make_dataset
    python benchmarks/all.py --data-dir VOC2012 --only crf losses
    python benchmarks/all.py --device cuda --out results/measured/benchmarks-cuda

Each is a program of its own, which prints what it measures as ``name=value``. What one prints goes into a
JSON file of its name, in ``--out``, with versions, device, threads, commit and command. One that fails
does not stop the others; the exit code is 1 then.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import measuring  # noqa: F401  it sets how threads wait
import msgspec
import torch

from scribblebench.core.files import write_atomic
from scribblebench.training import provenance

HERE = Path(__file__).parent
# What a file of figures is named; the program, and what it is called with. Those of PHOTOGRAPHS see
# ``--data-dir``, where it is given.
ON_CPU: Mapping[str, Sequence[str]] = {
    "augmentation": ("augmentation",),
    "feeding": ("feeding", "--output-stride", "16", "--repeats", "1"),
    "step": ("step", "--repeats", "2"),
    "walk": ("walk", "--n", "841", "3481", "--repeats", "3"),
    "eigenspace": ("eigenspace", "--n", "841", "3481"),
    "labelled_pixels": ("labelled_pixels",),
    "depthwise": ("depthwise", "--threads", "1", "--batch", "8"),
    "crf": ("crf", "--repeats", "3"),
    "losses": ("losses",),
    "evaluation": ("evaluation",),
    "make_dataset": ("make_dataset", "--count", "4000"),
    "overhead": ("overhead",),
}
_CARD = ("--device", "cuda", "--batch", "8")
ON_CUDA: Mapping[str, Sequence[str]] = {
    "feeding_stride_16": ("feeding", *_CARD, "--images", "128", "--output-stride", "16"),
    "feeding_stride_8": ("feeding", *_CARD, "--images", "128", "--output-stride", "8"),
    "step_stride_16": ("step", *_CARD, "--output-stride", "16", "--repeats", "10"),
    "step_stride_8": ("step", *_CARD, "--output-stride", "8", "--repeats", "5"),
    "augmentation": ("augmentation", *_CARD, "--threads", "16"),
    "eigenspace": ("eigenspace", *_CARD, "--n", "841", "3481", "8281"),
    "walk": ("walk", *_CARD, "--n", "841", "3481"),
    "labelled_pixels": ("labelled_pixels", *_CARD),
    "losses": ("losses", *_CARD),
}
PHOTOGRAPHS = ("augmentation", "crf", "feeding", "losses", "make_dataset")
NEED_PHOTOGRAPHS = ("make_dataset",)
_FIGURE = re.compile(r"\b([a-z_0-9]+)=(-?\d+(?:\.\d+)?(?:e-?\d+)?)\b")


def figures(line: str) -> dict[str, float]:
    """Read what a line says.

    >>> figures("n=841 ours: crf_ratio=0.35 threads=2")
    {'n': 841.0, 'crf_ratio': 0.35, 'threads': 2.0}
    """
    return {name: float(value) for name, value in _FIGURE.findall(line)}


def run(name: str, program: str, options: Sequence[str], out: Path) -> bool:
    """Run one benchmark, show and keep what it prints; tell whether it went well."""
    started = datetime.now(UTC).isoformat(timespec="seconds")
    command = [sys.executable, str(HERE / f"{program}.py"), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        lines = []
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line.rstrip())
    if process.returncode:
        print(f"{name}: failed with code {process.returncode}", file=sys.stderr)
        return False
    words = ["VOC-SUBSET" if "/" in word else word for word in options]  # paths say nothing elsewhere
    device = torch.device("cuda" if "cuda" in options else "cpu")
    kept = {
        "benchmark": name,
        "command": " ".join(["python", f"benchmarks/{program}.py", *words]),
        "started": started,
        "commit": provenance.commit(),
        "versions": provenance.versions(),
        "device": provenance.device_name(device, os.cpu_count() or 1),
        "waiting_threads": os.environ["OMP_WAIT_POLICY"],
        "figures": [{"line": line, **figures(line)} for line in lines],
    }
    write_atomic(out / f"{name}.json", msgspec.json.format(msgspec.json.encode(kept)).decode() + "\n")
    return True


def main() -> None:
    """Parse the command line and run what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices={**ON_CPU, **ON_CUDA}, help="these alone")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--data-dir", type=Path, help="a dataset in VOC's layout, for real photographs")
    parser.add_argument(
        "--out", type=Path, default=Path("results/measured/benchmarks"), help="folder of the JSON files"
    )
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    known = ON_CUDA if given.device == "cuda" else ON_CPU
    photographs = ["--data-dir", str(given.data_dir)] if given.data_dir else []
    ended = [
        run(name, program, [*options, *(photographs if program in PHOTOGRAPHS else ())], given.out)
        for name, (program, *options) in known.items()
        if name in (given.only or known) and (photographs or program not in NEED_PHOTOGRAPHS)
    ]
    sys.exit(not all(ended))


if __name__ == "__main__":
    main()
