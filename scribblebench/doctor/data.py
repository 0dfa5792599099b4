"""The folders of datasets: what is missing in them, and which archive has it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from scribblebench.core.cards import DatasetCard
from scribblebench.core.errors import UserError, first_ten
from scribblebench.core.files import visible
from scribblebench.core.library import Library
from scribblebench.doctor.finding import Asked, Finding, Level
from scribblebench.sources.folder import DatasetFolder, found_reader, open_dataset
from scribblebench.sources.kinds import KINDS


def data(asked: Asked) -> Iterator[Finding]:
    """Tell of each dataset whose card is in reach whether its folder is whole."""
    library = Library(*asked.cards)
    for name in [asked.dataset] if asked.dataset else library.names("datasets"):
        try:
            yield from _of(library.dataset(name), asked)
        except UserError as error:
            yield Finding("wrong", f"data {name}", str(error))


def _of(card: DatasetCard, asked: Asked) -> Iterator[Finding]:
    root = asked.data_dir or Path("data") / card.name / "source"
    if not root.is_dir():
        yield _absent(card, root, "wrong" if asked.dataset else "warning")
        return
    missing = list(_missing(card, root))
    yield from missing
    if not any(found.level == "wrong" for found in missing):
        yield from _files(open_dataset(card, root))


def _absent(card: DatasetCard, root: Path, level: Level) -> Finding:
    about, told = f"data {card.name}", f"no folder {root}"
    if KINDS.get(card.source).at_first_use:
        return Finding("ok", about, f"{told}; it is generated when it is first used")
    elsewhere = f"--dataset {card.name} --data-dir DIR"
    if not card.archives:
        return Finding(level, about, told, f"Give {elsewhere}; its card names no archives.")
    names = ", ".join(archive.name for archive in card.archives)
    fetch = f"Run 'scribblebench fetch {card.name}', or give {elsewhere}."
    return Finding(level, about, f"{told}; it is made of {names}", fetch)


def _missing(card: DatasetCard, root: Path) -> Iterator[Finding]:
    """Tell which of its parts a folder lacks."""
    layout, folder = card.layout, DatasetFolder(card, root, found_reader(card, root))
    for place, what in ((layout.images, "photographs"), (layout.masks, "dense masks")):
        if not visible(root / place, "*"):
            yield _lacks(card, root, place, what)
    for split, name in card.splits.items():
        # A training list may be missing where strokes say which images they are of.
        if folder.list_path(split) is None and not (split == "train" and folder.strokes):
            yield _lacks(card, root, f"{layout.lists}/{name}.txt", f"the list of {split} images")
    if folder.strokes in ("", "masks"):
        yield _lacks(
            card, root, layout.strokes, "strokes; without them they are traced from masks", "warning"
        )


def _lacks(card: DatasetCard, root: Path, place: str, what: str, level: Level = "wrong") -> Finding:
    told = f"{root / place} is missing or empty: {what}"
    for archive in card.archives:
        if any(PurePosixPath(place).is_relative_to(target) for target in archive.extract.values()):
            note = f" ({archive.note})" if archive.note else ""
            anew = f"Unpack it there, or run 'scribblebench fetch {card.name} --out DIR' for a new folder."
            return Finding(
                level, f"data {card.name}", f"{told}, from {archive.name}, {archive.urls[0]}{note}", anew
            )
    return Finding(level, f"data {card.name}", told, "Put them there.")


def _files(folder: DatasetFolder) -> Iterator[Finding]:
    """Tell which photographs and masks of the lists are not there."""
    about, counts, whole = f"data {folder.card.name}", [], True
    for split in folder.card.splits:
        ids = folder.ids(split)
        counts.append(f"{len(ids):,} {split}")
        without = [image for image in ids if not folder.image_path(image).is_file()]
        if split == "val":
            without += [image for image in ids if not folder.mask_path(image).is_file()]
        if without:
            whole = False
            told = (
                f"{len(without)} of {len(ids)} {split} images lack photograph or mask: {first_ten(without)}"
            )
            yield Finding("wrong", about, told, "Add the files, or take the ids off the list.")
    yield from (Finding("warning", about, notice) for notice in folder.notices())
    if whole:
        yield Finding(
            "ok", about, f"{folder.root}: {' and '.join(counts)} images, strokes from {folder.strokes}"
        )
