"""What other people's code expects around a variant, one layout a file.

A layout adds links and lists to a variant's folder; it changes nothing that the manifest speaks of.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import ClassVar

from scribblebench.core.errors import UserError
from scribblebench.core.files import write_atomic
from scribblebench.core.registry import Part, Registry
from scribblebench.pictures.size import turn_of
from scribblebench.scribbles.png import Labels
from scribblebench.sources.folder import DatasetFolder
from scribblebench.sources.variant import Variant

IMAGES = "JPEGImages"
MASKS = "SegmentationClassAug"
LISTS = "ImageSets/SegmentationAug"


class Complete(Part, frozen=True):
    """One layout.

    Attributes:
        labels: the kind of label PNG that its readers need.
    """

    labels: ClassVar[Labels]

    def complete(self, variant: Variant, dataset: DatasetFolder) -> None:
        """Add to a variant's folder what the layout's readers look for.

        Args:
            variant: the folder.
            dataset: the source of photographs, masks and lists.

        Raises:
            UserError: the source lacks something, or the folder cannot be written.
        """
        raise NotImplementedError


LAYOUTS: Registry[Complete] = Registry("layout", __name__, Complete)


def write_lists(variant: Variant, dataset: DatasetFolder) -> dict[str, list[str]]:
    """Write ``ImageSets/SegmentationAug/<split>.txt`` for the variant's split and for those with a list.

    Returns:
        The ids of each split written.
    """
    own = variant.manifest.source.split
    splits = {split: dataset.ids(split) for split in dataset.card.splits if dataset.list_path(split)}
    splits[own] = variant.ids
    for split, ids in splits.items():
        write_atomic(variant.root / LISTS / f"{split}.txt", "".join(f"{image}\n" for image in ids))
    return splits


def with_masks(dataset: DatasetFolder, split: str, ids: list[str]) -> list[str]:
    """List the images of a split whose dense masks a layout shows.

    ``has_masks`` speaks of the training split alone: others may have some all the same, to be scored on.
    """
    if dataset.card.has_masks:
        return ids
    return [image for image in ids if split != "train" and dataset.mask_path(image).is_file()]


def link(source: Path, target: Path) -> None:
    """Make ``target`` a link to ``source``; where links are impossible, a copy.

    Raises:
        UserError: ``source`` is missing, or ``target`` cannot be written.
    """
    if not source.is_file():
        raise UserError(f"{source} is missing. Fetch it, or take its id off the list.")
    if target.exists():
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)  # a link that points nowhere any more
        try:
            target.symlink_to(source.resolve())
        except (OSError, NotImplementedError):
            shutil.copyfile(source, target)
    except OSError as error:
        raise UserError(f"Cannot write {target}: {error.strerror or error}.") from error


def link_images(variant: Variant, dataset: DatasetFolder, ids: list[str]) -> None:
    """Link the photographs under the names that VOC gives them.

    Raises:
        UserError: one is missing, or EXIF turns it.
    """
    for image in ids:
        path = dataset.image_path(image)
        if turn_of(path) > 1:
            raise UserError(
                f"{path} is turned by its EXIF orientation, which this code's readers pass over. Turn its "
                "pixels first (ImageMagick: mogrify -auto-orient)."
            )
        link(path, variant.root / IMAGES / f"{image}.jpg")
