"""Find a picture by its id: under the suffix that it should have, or under another that means the same."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from pathlib import Path

from scribblebench.core.errors import UserError, first_ten
from scribblebench.core.files import visible
from scribblebench.core.names import nfc


def find(folder: Path, image: str, suffix: str, others: tuple[str, ...] = ()) -> Path:
    """Return the path of an image's file in a folder.

    Args:
        folder: where it lies, perhaps in a folder below.
        image: the id.
        suffix: what its name should end in; a file with exactly this ending is taken.
        others: endings that will do as well. Upper and lower case are one.

    Returns:
        The file; where there is none, the path that it should have.

    Raises:
        UserError: several files will do and none is the one that should be there; the id lies there under an
            ending that will not do, or in other letters; or what bears the name is no file.
    """
    exact = folder / f"{image}{suffix}"
    if exact.is_file() or not folder.is_dir():
        return exact
    if exact.exists():
        raise UserError(f"{exact} is a folder or a device, not a file. Put the file in its place.")
    there = _files(folder, folder.stat().st_mtime_ns).get(_key(image), ())
    right = [path for path in there if path.suffix.lower() in (suffix.lower(), *others)]
    same = [path for path in right if nfc(path.relative_to(folder).as_posix()).startswith(f"{nfc(image)}.")]
    if len(same) == 1:
        return same[0]
    if same:
        names = first_ten(path.name for path in same)
        raise UserError(f"{folder} holds {names}: which is {image}? Name it {exact.name}, or leave one.")
    if there:
        names = first_ten(path.name for path in there)
        raise UserError(f"{exact} is missing, but {names} lies there. Convert it, or mend the list.")
    return exact


@lru_cache(maxsize=4)
def _files(folder: Path, modified: int) -> dict[str, tuple[Path, ...]]:
    """Index a folder by id: upper and lower case are one, and accents however they are kept.

    Built only where a file has another name.
    """
    del modified  # it is part of the cache's key
    found: dict[str, list[Path]] = defaultdict(list)
    for path in visible(folder, "**/*"):
        if path.is_file():
            found[_key(path.relative_to(folder).with_suffix("").as_posix())].append(path)
    return {image: tuple(paths) for image, paths in found.items()}


def _key(image: str) -> str:
    return nfc(image).casefold()
