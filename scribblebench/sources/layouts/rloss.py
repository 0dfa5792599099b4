"""rloss (and what descends from it): a VOC root with palette PNGs, read by PIL."""

from __future__ import annotations

from typing import ClassVar

from scribblebench.scribbles.png import Labels
from scribblebench.sources.folder import DatasetFolder
from scribblebench.sources.layouts import LAYOUTS, MASKS, Complete, link, link_images, write_lists
from scribblebench.sources.variant import Variant


@LAYOUTS.register
class Rloss(Complete, frozen=True):
    """Photographs and masks as links, lists of ids; labels in ``pascal_2012_scribble``."""

    labels: ClassVar[Labels] = "palette"

    def complete(self, variant: Variant, dataset: DatasetFolder) -> None:
        """Add photographs, masks and lists."""
        for ids in write_lists(variant, dataset).values():
            link_images(variant, dataset, ids)
            for image in ids if dataset.card.has_masks else []:
                link(dataset.mask_path(image), variant.root / MASKS / f"{image}.png")
