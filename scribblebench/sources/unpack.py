"""Archives to folders: only what the card names, only regular files, never outside the folder."""

from __future__ import annotations

import gzip
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

from scribblebench.core.cards import Archive
from scribblebench.core.errors import UserError

Member = tuple[str, bool, IO[bytes] | None]

# Pictures are packed already, and XML packs to a tenth; small archives of anything may pass.
_RATIO = 200
_FLOOR = 64 * 2**20
# RuntimeError: a zip that asks for a password, or of an unknown compression.
_DAMAGE = (tarfile.TarError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)
_GZIP = b"\x1f\x8b"


def unpack(path: Path, archive: Archive, root: Path) -> int:
    """Copy what the card names from an archive into a dataset's folder.

    Args:
        path: the archive, or a plain file.
        archive: its card entry.
        root: the folder.

    Returns:
        The number of files.

    Raises:
        UserError: damaged; a name or a link that leads out of the archive; or a named folder is not in it.
    """
    if not path.name.endswith((".tar", ".tar.gz", ".tgz", ".zip")):
        return _copy(path, archive, root)
    counts = dict.fromkeys(archive.extract, 0)
    with _damage(path):
        budget = _Budget(path)
        members = _zip_members(path, budget) if path.suffix == ".zip" else _tar_members(path, budget)
        for name, regular, file in members:
            key, place = _place(_safe(name, str(path)), archive.extract)
            if key is None:
                continue
            if not regular or file is None:
                raise UserError(
                    f"{path}: '{name}' is a link or a device. The archive is not what the card means."
                )
            _write(file, root / _safe(place, "the card"))
            counts[key] += 1
    missing = [key for key, count in counts.items() if not count]
    if missing:
        raise UserError(
            f"{path} holds no {' and no '.join(missing)}. It is not the file that the card means."
        )
    return sum(counts.values())


def _copy(path: Path, archive: Archive, root: Path) -> int:
    place = archive.extract.get(archive.name)
    if place is None:
        raise UserError(f"The card has no place for {archive.name}. Name the file itself under extract.")
    with path.open("rb") as file:
        _write(file, root / _safe(place, "the card"))
    return 1


def _place(name: PurePosixPath, extract: dict[str, str]) -> tuple[str | None, str]:
    for key, place in extract.items():
        if name.is_relative_to(key):
            return key, str(PurePosixPath(place) / name.relative_to(key))
    return None, ""


def _safe(name: str, where: str) -> PurePosixPath:
    """Return a relative path, or refuse one that could lead elsewhere, on Windows too."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or "\0" in name:
        raise UserError(f"{where}: '{name}' leads out of its folder. Do not trust this archive.")
    return path


class _Budget:
    """How much an archive may unpack to; more is no data set, but a bomb.

    Args:
        path: the archive.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._left = max(_FLOOR, _RATIO * path.stat().st_size)

    def spend(self, count: int) -> None:
        """Count bytes.

        Raises:
            UserError: there are too many.
        """
        self._left -= count
        if self._left < 0:
            raise UserError(
                f"{self._path} unpacks to more than {_RATIO} times its size. Do not trust this archive."
            )


class _Counted:
    """A stream whose bytes are counted against a budget: headers and skipped members too."""

    def __init__(self, file: IO[bytes], budget: _Budget) -> None:
        self._file = file
        self._budget = budget

    def read(self, count: int) -> bytes:
        data = self._file.read(count)
        self._budget.spend(len(data))
        return data


def _tar_members(path: Path, budget: _Budget) -> Iterator[Member]:
    with path.open("rb") as packed, ExitStack() as stack:
        zipped = packed.peek(2)[:2] == _GZIP
        file: Any = stack.enter_context(gzip.open(packed)) if zipped else packed
        # Read from front to end, block by block: nothing is unpacked before it is counted.
        counted: Any = _Counted(file, budget)
        tar = stack.enter_context(tarfile.open(fileobj=counted, mode="r|"))
        for member in tar:
            if not member.isdir():
                yield member.name, member.isreg(), tar.extractfile(member) if member.isreg() else None


def _zip_members(path: Path, budget: _Budget) -> Iterator[Member]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.is_dir():
                continue
            kind = stat.S_IFMT(member.external_attr >> 16)
            regular = kind in (0, stat.S_IFREG)
            budget.spend(member.file_size)  # zipfile reads no more than that
            with archive.open(member) as file:
                yield member.filename, regular, file if regular else None


def _write(file: IO[bytes], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as out:
        shutil.copyfileobj(file, out)


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    """Name the archive when its reader gives up on it."""
    try:
        yield
    except (
        tarfile.TarError,
        gzip.BadGzipFile,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        RuntimeError,
    ) as error:
        why = (str(error) or type(error).__name__).splitlines()[0].rstrip(":")
        raise UserError(f"{path} is damaged or no archive ({why}). Delete it and fetch it again.") from error
