"""Decoded photographs of a split, in one file that all processes of a machine read."""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

from scribblebench.core.errors import NoSpaceError
from scribblebench.core.files import aside, fingerprint, free_space
from scribblebench.loading.images import Pictures, decode, load_pictures, planes
from scribblebench.pictures.decoded import decoded_file, lock_of, of_the_same
from scribblebench.pictures.photographs import decoder
from scribblebench.pictures.size import picture_size
from scribblebench.sources.stamps import SETTLED, Stamp, newest, stamp
from scribblebench.store.lock import wait_lock

# Raise it when a photograph would be decoded to other bytes, or the file's form changes.
RULE = 1
_DIGEST = hashlib.sha256().digest_size
# Photographs that are decoded before they are written.
_AT_ONCE = 256
# Fewer are decoded sooner than looked for.
_FEW = 32
_log = logging.getLogger(__name__)


def shared_photographs(paths: Sequence[Path], folder: Path) -> Pictures:
    """Map decoded photographs into memory; where nobody has decoded them yet, do.

    What a file holds is good for as long as the photographs keep their stamps, and is read through once
    before it is used: a damaged one is made anew. Where the folder has no room, they are decoded into the
    memory of this process.

    Args:
        paths: the photographs.
        folder: where the file is kept, hidden; it can be removed at any time.

    Raises:
        UserError: a photograph is missing or is not certainly one.
    """
    sizes = [picture_size(path)[::-1] for path in paths]
    stamps = stamp(paths)
    if len(paths) >= _FEW and _settled(stamps) and _has_room(folder, sizes):
        names = fingerprint([os.fsencode(path.absolute()).hex() for path in paths])
        file = decoded_file(folder, names[:12], fingerprint([RULE, decoder(), stamps])[:12])
        try:
            return _mapped(file, paths, sizes)
        except NoSpaceError as error:
            _log.info("%s Photographs are decoded into memory.", error)
    return load_pictures(lambda index: decode(paths[index], "RGB"), sizes, 3)


def _settled(stamps: Stamp) -> bool:
    """Say whether no photograph may change again within one tick of its clock."""
    return time.time_ns() - newest(stamps) > SETTLED


def _has_room(folder: Path, sizes: Sequence[tuple[int, int]]) -> bool:
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    return os.access(there, os.W_OK) and free_space(folder) > 1.1 * 3 * sum(h * w for h, w in sizes)


def _mapped(file: Path, paths: Sequence[Path], sizes: Sequence[tuple[int, int]]) -> Pictures:
    length = 3 * sum(height * width for height, width in sizes)
    with wait_lock(lock_of(file)):
        if not _is_whole(file, length):
            for other in of_the_same(file):
                other.unlink(missing_ok=True)
            _write(file, paths)
            _log.info("%d photographs are decoded, in %s (%.1f GiB).", len(paths), file, length / 2**30)
    # Private pages: nobody writes to them, so they are the file's own, once for all processes.
    pixels = torch.from_file(str(file), shared=False, size=length, dtype=torch.uint8)
    return Pictures(pixels, torch.tensor(sizes).reshape(-1, 2), 3)


def _write(file: Path, paths: Sequence[Path]) -> None:
    digest = hashlib.sha256()
    with aside(file) as new, ThreadPoolExecutor(os.cpu_count()) as pool:
        with (new / file.name).open("xb") as out:
            for first in range(0, len(paths), _AT_ONCE):
                some = paths[first : first + _AT_ONCE]
                for image in pool.map(_bytes, some):
                    out.write(image)
                    digest.update(image)
            out.write(digest.digest())
        (new / file.name).replace(file)


def _bytes(path: Path) -> bytes:
    return planes(decode(path, "RGB")).numpy().tobytes()


def _is_whole(file: Path, length: int) -> bool:
    if not file.is_file() or file.stat().st_size != length + _DIGEST:
        return False
    digest, left = hashlib.sha256(), length
    with file.open("rb", buffering=0) as stream:
        block = bytearray(2**20)
        while left and (count := stream.readinto(memoryview(block)[: min(left, len(block))])):
            digest.update(memoryview(block)[:count])
            left -= count
        return stream.read() == digest.digest()
