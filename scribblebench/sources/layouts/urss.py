"""URSS, the code of RW-SS: a VOC root with grey PNGs, read by OpenCV, and a superpixel map per image."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from scribblebench.core.files import write_atomic
from scribblebench.pictures.size import picture_size
from scribblebench.scribbles.png import Labels, encode_labels
from scribblebench.sources.folder import DatasetFolder
from scribblebench.sources.layouts import LAYOUTS, MASKS, Complete, link_images, with_masks, write_lists
from scribblebench.sources.variant import Variant

SUPERPIXELS = "superpixels"


@LAYOUTS.register
class Urss(Complete, frozen=True):
    """As rloss, but masks are grey too: OpenCV reads a palette PNG's colours, not its labels.

    Its training opens ``superpixels/<id>.png`` for every image, maps of superpixel borders that were
    never published. Empty ones are written: the entropy loss then acts on every pixel, as in the paper.
    """

    labels: ClassVar[Labels] = "grey"

    def complete(self, variant: Variant, dataset: DatasetFolder) -> None:
        """Add photographs, grey masks, empty superpixel maps and lists."""
        for split, ids in write_lists(variant, dataset).items():
            link_images(variant, dataset, ids)
            for image in with_masks(dataset, split, ids):
                grey = encode_labels(dataset.mask(image), "grey")
                write_atomic(variant.root / MASKS / f"{image}.png", grey)
        for image in variant.ids:
            width, height = picture_size(dataset.image_path(image))
            empty = encode_labels(np.zeros((height, width), dtype=np.uint8), "grey")
            write_atomic(variant.root / SUPERPIXELS / f"{image}.png", empty)
