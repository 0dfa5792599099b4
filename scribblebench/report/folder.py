"""The folder of a report: a page in it always belongs to the tables beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from scribblebench.core.errors import UserError
from scribblebench.core.files import aside
from scribblebench.report.page import GENERATOR

PAGE = "index.html"
# A page may have come from anybody: nothing but such files is removed on its word.
_OWN = re.compile(r"[\w+-][\w.+-]*\.(csv|md|tex|png|svg|html)", re.ASCII)
_FILES = re.compile(r'<meta name="files" content="([^"]*)">')


def check_free(out: Path) -> None:
    """Look whether a folder can hold a report.

    Raises:
        UserError: it is a file, or holds a page of something else.
    """
    if out.exists() and not out.is_dir():
        raise UserError(f"{out} is a file. Give --out a folder.")
    if (out / PAGE).exists() and GENERATOR not in _page(out):
        raise UserError(f"{out} holds an {PAGE} of something else. Give --out another folder.")


def publish(files: Mapping[str, bytes | str], out: Path) -> None:
    """Replace an earlier report by a new one; other files of the folder stay.

    All is written aside first, so an earlier report stays whole if that fails. Then the earlier page goes,
    the files take their places, and the new page comes last: whatever stops this, no page stands beside
    tables of another report.

    Args:
        files: name -> content, the page among them.
        out: the folder.

    Raises:
        UserError: the folder cannot be written.
    """
    for name in files:
        if (out / name).is_dir():
            raise UserError(
                f"{out / name} is a folder where the report has a file. Give --out another folder."
            )
    with aside(out / PAGE) as new:
        for name, content in files.items():
            (new / name).write_bytes(content.encode() if isinstance(content, str) else content)
        earlier = _earlier(out)
        (out / PAGE).unlink(missing_ok=True)
        for name in earlier - files.keys():
            if (out / name).is_file():
                (out / name).unlink()
        for name in sorted(files, key=lambda name: name == PAGE):
            (new / name).replace(out / name)


def _earlier(out: Path) -> set[str]:
    """Name the files of the report that stands in a folder; a page alone knows them."""
    listed = _FILES.search(_page(out)) if (out / PAGE).exists() else None
    return {name for name in (listed[1].split() if listed else ()) if _OWN.fullmatch(name)}


def _page(out: Path) -> str:
    return (out / PAGE).read_text(encoding="utf-8", errors="replace")
