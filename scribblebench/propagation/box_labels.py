"""SDI's first labels of boxes: whole ones (Naive, Box), or their middles (Box_i)."""

from __future__ import annotations

from typing import ClassVar

from scribblebench.propagation import PROPAGATIONS, Labels, Propagation, Seen
from scribblebench.propagation._boxes import first_labels, on_background
from scribblebench.scribbles.mark import Mark


@PROPAGATIONS.register
class BoxLabels(Propagation, frozen=True):
    """Background outside of all boxes; in a box its class (Khoreva et al., CVPR 2017, Section 3).

    Attributes:
        whole: fill boxes. Else the middle fifth of a box's area has its class and the rest of it is ignored.
    """

    whole: bool = True

    works_with: ClassVar[frozenset[str]] = frozenset({"boxes"})

    def spread(self, seen: Seen) -> Labels:
        """Make the labels of one image (see ``Propagation``)."""

        def draw(number: int, mark: Mark, behind: Labels) -> Labels:
            del number, behind
            return first_labels(mark, self.whole, seen.ignore_index)

        return on_background(seen, draw)
