"""Strokes, drawn as a label map: what this benchmark is about."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from scribblebench.sources.folder import DatasetFolder
from scribblebench.sources.manifest import Digests, stated_variant
from scribblebench.sources.spec import VariantSpec
from scribblebench.sources.variant import Variant, ensure_variant, make_variant
from scribblebench.supervision import SUPERVISIONS, Supervision, Targets, Tell, Told, tags_of_map


class _Drawn(NamedTuple):
    dataset: DatasetFolder
    variant: Variant

    def of(self, image: str) -> Targets:
        labels = self.variant.label(image)
        return Targets(labels, tags_of_map(labels, self.dataset.card))


@SUPERVISIONS.register
class Strokes(Supervision, frozen=True):
    """The strokes of a variant, which lies on disk so that other code can read it too."""

    word: ClassVar[str] = "scribble"
    reads: ClassVar[frozenset[str]] = frozenset({"strokes"})

    def told(self, of: Told) -> Tell:
        """Make the variant, or find it (see ``Supervision``)."""
        if made := of.made.get(of.variant.id):
            variant = make_variant(of.dataset, "train", of.variant, made, of.workers, known=of.train)
        else:
            folder = of.variants / of.dataset.card.name
            variant = ensure_variant(of.dataset, of.variant, folder, workers=of.workers, known=of.train)
        return _Drawn(of.dataset, variant).of

    def stated(self, train: Digests, variant: VariantSpec, ignore_index: int) -> dict[str, Any]:
        """Strokes, masks where a degradation looks at them, and the variant (see ``Supervision``)."""
        del ignore_index
        looked_at = {"masks": train.masks} if variant.needs_masks() else {}
        return {"strokes": train.strokes, **looked_at, **stated_variant(variant)}
