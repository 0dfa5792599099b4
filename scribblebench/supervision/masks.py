"""Dense masks: full supervision, the reference that weak supervision is measured against."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from scribblebench.sources.folder import DatasetFolder
from scribblebench.sources.manifest import Digests
from scribblebench.sources.spec import VariantSpec
from scribblebench.supervision import SUPERVISIONS, Supervision, Targets, Tell, Told, tags_of_map


class _Dense(NamedTuple):
    dataset: DatasetFolder

    def of(self, image: str) -> Targets:
        labels = self.dataset.mask(image)
        return Targets(labels, tags_of_map(labels, self.dataset.card))


@SUPERVISIONS.register
class Masks(Supervision, frozen=True):
    """The masks as they are: no degradation changes them."""

    word: ClassVar[str] = "masks"
    reads: ClassVar[frozenset[str]] = frozenset({"masks"})
    degradable: ClassVar[bool] = False

    def told(self, of: Told) -> Tell:
        """Read the masks (see ``Supervision``)."""
        return _Dense(of.dataset).of

    def stated(self, train: Digests, variant: VariantSpec, ignore_index: int) -> dict[str, Any]:
        """The masks alone (see ``Supervision``)."""
        del variant
        return {"masks": train.masks, "ignore_index": ignore_index}
