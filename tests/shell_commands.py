"""The commands that our documents show, as the shell would hand them to the program."""

from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
# The shell itself expands variables, quotes, comments and continued lines; programs only say what they got.
_PROLOGUE = """
set -u
scribblebench() { printf '%s\\0' "$@"; printf '\\n\\0'; }
python() { :; }; make() { :; }; pip() { :; }; bash() { :; }
"""


@dataclass(frozen=True)
class Shown:
    """A command and where it stands."""

    file: str
    arguments: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.file}: scribblebench {shlex.join(self.arguments)}"


def shown() -> list[Shown]:
    """List the commands of README.md and docs, those in running text too, each once."""
    found = []
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        name, text = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
        blocks = [block for block in _blocks(text) if re.search(r"(^ *|[\"'])scribblebench ", block, re.M)]
        spans = [" ".join(s.split()) for s in re.findall(r"(?<!`)`(scribblebench [^`]*)`(?!`)", text)]
        found += [Shown(name, arguments) for script in (*blocks, *spans) for arguments in _run(script)]
    return list(dict.fromkeys(found))


def _blocks(text: str) -> list[str]:
    """Return fenced blocks of no language or the shell's, and indented ones."""
    fences = re.findall(r"^```(.*?)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    fenced = [block for language, block in fences if language in ("", "sh", "bash")]
    rest = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    indented = re.findall(r"(?:^|\n\n)((?: {4}.*\n(?:\n(?= {4}))?)+)", rest)
    return [*fenced, *indented]


def _run(script: str) -> list[tuple[str, ...]]:
    """Hand a script to the shell and return the arguments of each call of the program."""
    answer = subprocess.run(
        ["/bin/sh", "-f"], input=_PROLOGUE + script, capture_output=True, text=True, check=False
    )
    if answer.returncode or answer.stderr:
        raise ValueError(f"the shell cannot read\n{script}\n{answer.stderr}")
    calls = answer.stdout.split("\n\0")
    return [tuple(call.split("\0")[:-1]) for call in calls if call]
