"""Results as one file to hand on: records, confusion counts and measurements, with digests of each."""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from scribblebench import __version__
from scribblebench.core.cards import Archive
from scribblebench.core.errors import UserError
from scribblebench.core.files import file_sha256, to_json, write_atomic
from scribblebench.report.collect import read_cells
from scribblebench.report.measured import KINDS
from scribblebench.sources.unpack import unpack
from scribblebench.store.measurement import Measurement, read_measurements
from scribblebench.store.record import Record, confusion_path, log_path, record_path

SCHEMA = 1
MANIFEST, ENVIRONMENT, _RUNS = "manifest.json", "environment.json", "runs"
# The zip format's first day: the same results give the same bytes.
_DATE = (1980, 1, 1, 0, 0, 0)
# What a bundle may hold: a folder of records each under its number, a folder of measurements below it.
_NAME = re.compile(r"runs/[0-9]{1,3}(/[a-z]+)?/[A-Za-z0-9._+-]+\.(json|npz|log)")


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a bundle says of itself.

    Attributes:
        schema: version of this layout.
        program: version of the program that wrote it.
        files: name in the bundle -> SHA-256 of its bytes.
    """

    schema: int
    program: str
    files: dict[str, str]


def write_bundle(
    folders: Sequence[Path], path: Path, dataset: str | None = None, protocol: str | None = None
) -> int:
    """Write the sound records of some folders into one file, whole or not at all.

    Equal results give equal bytes: names in order, no times. Weights, predictions and damaged files stay
    behind.

    Args:
        folders: of records; a bundle's own are found by :func:`opened`.
        path: the file, ending in ``.zip``.
        dataset: only results of this dataset.
        protocol: only results of this protocol.

    Returns:
        The number of records and measurements.

    Raises:
        UserError: the name is no zip's, there is nothing to bundle, or the file cannot be written.
    """
    if path.suffix != ".zip":
        raise UserError(f"--bundle {path}: a bundle is a zip. Give a name such as {path.stem or 'mine'}.zip.")
    files: dict[str, bytes] = {}
    known: list[Record | Measurement] = []
    for number, folder in enumerate(dict.fromkeys(folders)):
        measured = [m for job in KINDS for m in read_measurements(folder, job).records]
        both: list[Record | Measurement] = [*(cell.record for cell in read_cells(folder).records), *measured]
        for one in both:
            if dataset in (None, one.dataset) and protocol in (None, one.protocol):
                known.append(one)
                for file in _files(folder, one):
                    name = f"{_RUNS}/{number}/{file.relative_to(folder).as_posix()}"
                    files[name] = file.read_bytes()
    if not known:
        raise UserError("No sound record to bundle. Run 'scribblebench run --grid shrink' first.")
    files[ENVIRONMENT] = to_json(_environment(known)).encode()
    digests = {name: sha256(content).hexdigest() for name, content in files.items()}
    manifest = Manifest(SCHEMA, __version__, digests)
    files[MANIFEST] = to_json(msgspec.to_builtins(manifest)).encode()
    write_atomic(path, _zipped(files))
    return len(known)


@contextmanager
def opened(sources: Sequence[Path]) -> Iterator[list[Path]]:
    """Give folders of records as they are, and bundles unpacked into folders that go when the block ends.

    Raises:
        UserError: a bundle is damaged, holds what a bundle cannot, or was written by a later version.
    """
    with ExitStack() as stack:
        folders: list[Path] = []
        for source in sources:
            if source.suffix != ".zip" or source.is_dir():
                folders.append(source)
                continue
            root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="scribblebench-")))
            folders += _unpacked(source, root / "new")
        yield folders


def _files(folder: Path, one: Record | Measurement) -> list[Path]:
    if isinstance(one, Measurement):
        return [one.path(folder)]
    counted = [confusion_path(folder, one.slug)] if one.status == "done" else []
    log = log_path(folder, one.slug)
    return [record_path(folder, one.slug), *counted, *([log] if one.log and log.is_file() else [])]


def _environment(known: Sequence[Record | Measurement]) -> dict[str, Any]:
    """Say on what the results were made, as they say themselves: every distinct value."""
    libraries = sorted({library for one in known for library in one.versions})
    return {
        "versions": {
            library: sorted({one.versions[library] for one in known if library in one.versions})
            for library in libraries
        },
        "devices": sorted({one.device for one in known} - {""}),
        "commits": sorted({one.commit for one in known} - {""}),
        "commands": sorted({one.command for one in known} - {""}),
    }


def _zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.create_system = 3  # else the bytes tell the system on which they were written
            # Confusion counts too, though they are zips: stored, the end of one would pass for the end of a
            # bundle that is cut short.
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name])
    return buffer.getvalue()


def _unpacked(path: Path, root: Path) -> list[Path]:
    """Unpack a bundle, compare it with its manifest, and list its folders of records in order."""
    if not path.is_file():
        raise UserError(f"No bundle {path}. Make one: scribblebench report --bundle {path.name}.")
    if not _is_bundle(path):
        raise UserError(f"{path} is damaged or no bundle: it has no {MANIFEST}. Ask for the bundle again.")
    whole = Archive(
        name="bundle.zip",
        urls=(),
        extract={name: name for name in (MANIFEST, ENVIRONMENT, _RUNS)},
    )
    building = root.with_name("building")
    try:
        unpack(path, whole, building)
    except OSError as error:
        raise UserError(f"Cannot unpack {path}: {error.strerror or error}.") from error
    manifest = _manifest(path, building)
    found = {file.relative_to(building).as_posix() for file in building.rglob("*") if file.is_file()}
    _compare(path, building, manifest.files, found - {MANIFEST})
    building.rename(root)
    return sorted((root / _RUNS).iterdir(), key=lambda folder: int(folder.name))


def _is_bundle(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return {MANIFEST, ENVIRONMENT} <= set(archive.namelist())
    except (zipfile.BadZipFile, OSError):
        return False


def _manifest(path: Path, root: Path) -> Manifest:
    try:
        found = msgspec.json.decode((root / MANIFEST).read_bytes(), type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UserError(
            f"{path}: {MANIFEST} is not a bundle's ({error}). Ask for the bundle again."
        ) from error
    if found.schema > SCHEMA:
        raise UserError(
            f"{path} has schema {found.schema}, newer than {SCHEMA} of this program. Update scribblebench."
        )
    return found


def _compare(path: Path, root: Path, digests: Mapping[str, str], found: set[str]) -> None:
    """Look whether every file is there, is a bundle's, and is as it was; name the first that is not."""
    for name in sorted(found | digests.keys()):
        if name not in digests:
            wrong = "is not in the manifest"
        elif name not in found:
            wrong = "is missing"
        elif name != ENVIRONMENT and not _NAME.fullmatch(name):
            wrong = "is nothing that a bundle holds"
        elif file_sha256(root / name) != digests[name]:
            wrong = "was changed after it was written"
        else:
            continue
        raise UserError(f"{path}: {name} {wrong}. Ask for the bundle again.")
