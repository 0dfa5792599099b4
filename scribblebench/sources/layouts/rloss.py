"""rloss (and what descends from it): a VOC root with palette PNGs, read by PIL."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from scribblebench.core.files import write_atomic
from scribblebench.pictures.labels import is_plain
from scribblebench.scribbles.png import Labels, encode_labels
from scribblebench.sources.folder import DatasetFolder
from scribblebench.sources.layouts import LAYOUTS, MASKS, Complete, link, link_images, with_masks, write_lists
from scribblebench.sources.variant import Variant


@LAYOUTS.register
class Rloss(Complete, frozen=True):
    """Photographs and masks as links, lists of ids; labels in ``pascal_2012_scribble``."""

    labels: ClassVar[Labels] = "palette"

    def complete(self, variant: Variant, dataset: DatasetFolder) -> None:
        """Add photographs, masks and lists."""
        for split, ids in write_lists(variant, dataset).items():
            link_images(variant, dataset, ids)
            for image in with_masks(dataset, split, ids):
                _link_mask(dataset, image, variant.root / MASKS / f"{image}.png")


def _link_mask(dataset: DatasetFolder, image: str, target: Path) -> None:
    """Link a mask that its readers take for what it is; write any other anew."""
    path = dataset.mask_path(image)
    if dataset.card.values.masks or not is_plain(path):
        write_atomic(target, encode_labels(dataset.mask(image)))
    else:
        link(path, target)
