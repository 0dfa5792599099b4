"""Archives into the cache: mirrors in turn, interrupted downloads carried on, checksums checked by pooch."""

from __future__ import annotations

import hashlib
import http.client
import logging
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pooch

from scribblebench.core.cards import Archive
from scribblebench.core.errors import UserError
from scribblebench.core.files import file_sha256

Report = Callable[[int, int], None]

_ATTEMPTS = 3
_BLOCK = 1 << 18
_SECONDS = 60.0


@dataclass(frozen=True)
class Fetched:
    """An archive in the cache.

    Attributes:
        archive: what the card says of it.
        path: where it lies.
        sha256: what it hashes to.
    """

    archive: Archive
    path: Path
    sha256: str


class _CutOffError(OSError):
    """The connection ended before the file did; what has come is kept."""


def default_cache() -> Path:
    """Return the user's cache folder, shared by all checkouts."""
    return Path(pooch.os_cache("scribblebench"))


def obtain(archive: Archive, cache: Path, offline: bool, report: Report) -> Fetched:
    """Return an archive, from the cache where it is there and right, else from the first mirror that has it.

    Args:
        archive: its names and checksum.
        cache: folder of downloads; a file that a person put there counts like one.
        offline: use the cache alone.
        report: told the bytes done and in all.

    Raises:
        UserError: no mirror has it, or what came has another checksum; or it is not in the cache and
            ``offline``.
    """
    path = cache / archive.name
    if path.is_file():
        found = file_sha256(path)
        if found == (archive.sha256 or found):
            return Fetched(archive, path, found)
        if offline:
            raise UserError(
                f"{path} has the SHA-256 {found}, not the card's {archive.sha256}. Fetch it again."
            )
    elif offline:
        raise UserError(f"{path} is missing, and --offline forbids to fetch it. Put it there, or go online.")
    failures = []
    for url in archive.urls:
        try:
            _retrieve(archive, url, cache, report)
        except (OSError, ValueError, http.client.HTTPException) as error:
            failures.append(f"{urllib.parse.urlsplit(url).hostname}: {_reason(error)}")
        else:
            for part in cache.glob(f".{archive.name}.*.part"):
                part.unlink()
            return Fetched(archive, path, file_sha256(path))
    tried = "; ".join(failures)
    raise UserError(f"Cannot fetch {archive.name} ({tried}). Try again later, or put the file at {path}.")


def _retrieve(archive: Archive, url: str, cache: Path, report: Report) -> None:
    """Let pooch fetch, check and file one archive; it never leaves a wrong file under the right name."""
    pooch.get_logger().setLevel(logging.WARNING)

    def downloader(address: str, output: str | BinaryIO, _: object) -> None:
        part = cache / f".{archive.name}.{hashlib.sha256(address.encode()).hexdigest()[:8]}.part"
        if not archive.sha256:
            # Two halves of different files would go unnoticed.
            part.unlink(missing_ok=True)
        _download(address, part, report)
        part.replace(str(output))

    pooch.retrieve(
        url,
        known_hash=f"sha256:{archive.sha256}" if archive.sha256 else None,
        fname=archive.name,
        path=cache,
        downloader=downloader,
    )


def _download(url: str, part: Path, report: Report) -> None:
    """Fetch into ``part``, behind what is there already; a cut connection is taken up again."""
    for attempt in range(_ATTEMPTS):
        try:
            return _carry_on(url, part, report)
        except (_CutOffError, http.client.IncompleteRead, ConnectionError, TimeoutError):
            if attempt == _ATTEMPTS - 1:
                raise
    return None


def _carry_on(url: str, part: Path, report: Report) -> None:
    done = part.stat().st_size if part.is_file() else 0
    headers = {"User-Agent": "scribblebench", "Accept-Encoding": "identity"}
    if done:
        headers["Range"] = f"bytes={done}-"
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - cards hold http and https only
    try:
        response = urllib.request.urlopen(request, timeout=_SECONDS)  # noqa: S310 - as above
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            # What is there does not belong to the file as it is now.
            part.unlink()
            raise _CutOffError("the file has changed") from error
        raise
    with response:
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            done = 0
        length = response.headers.get("Content-Length")
        total = done + int(length) if length else 0
        with part.open("ab" if done else "wb") as file:
            while block := response.read(_BLOCK):
                file.write(block)
                done += len(block)
                report(done, max(done, total))
    if done < total:
        raise _CutOffError(f"cut off after {done:,} of {total:,} bytes")


def _reason(error: Exception) -> str:
    """Say in a few words what went wrong with one mirror."""
    if isinstance(error, urllib.error.HTTPError):
        return f"{error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError):
        return str(error.reason)
    wrong = re.search(r"but got '?(\w+)", str(error))  # how pooch puts it
    if wrong:
        return f"SHA-256 {wrong[1]} is not the card's"
    return " ".join(str(error).split()) or type(error).__name__
