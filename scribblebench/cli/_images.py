"""The images of a dataset: which a command shows, and what is to be said of the splits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from scribblebench.core.errors import UserError, first_ten
from scribblebench.core.seeds import uniform

if TYPE_CHECKING:
    from pathlib import Path

    from scribblebench.sources.folder import DatasetFolder


def warn_of_splits(source: DatasetFolder) -> None:
    """Print what a user should know of a dataset's splits, such as ids on two lists."""
    for notice in source.notices():
        click.echo(f"Warning: {notice}.", err=True)


def warn_of_extra(folder: Path, extra: list[str]) -> None:
    """Print which files of a folder of predictions are of no image that is scored."""
    if extra:
        click.echo(
            f"Warning: {folder} also holds {first_ten(extra)}: of no val image, and left out.", err=True
        )


def pick_images(ids: list[str], images: tuple[str, ...] | None, count: int, *draw: str | int) -> list[str]:
    """Return the images asked for, or some at random that do not depend on which others there are.

    Args:
        ids: all images of the split.
        images: those asked for, if any.
        count: how many are drawn where none is asked for.
        draw: the names of the draw.

    Raises:
        UserError: an image is not in the split.
    """
    if images is None:
        return sorted(sorted(ids, key=lambda image: uniform(*draw, image))[:count])
    if unknown := [image for image in images if image not in ids]:
        raise UserError(f"--images {unknown[0]}: no such image in the split. Give ids of its list.")
    return list(images)
