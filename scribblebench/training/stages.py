"""What a cell trains with, stage by stage: its losses, and labels that are made when a stage begins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from scribblebench.loading.images import Pictures, load_pictures
from scribblebench.nn.network import Network
from scribblebench.propagation import Propagation
from scribblebench.sources.label_maps import LabelMaps, Labels
from scribblebench.sources.workers import in_order
from scribblebench.training.build import make_network, make_relabelling, make_terms
from scribblebench.training.cell import Cell
from scribblebench.training.data import Places, told, training_batches
from scribblebench.training.loop import Trainer
from scribblebench.training.relabel import Asked, Predict, Propagated, relabelled
from scribblebench.training.spans import Span, spans

Advance = Callable[[int, int], None]
# A propagation may take seconds an image.
_CHUNK = 4


class Stages:
    """The stages of a cell.

    Args:
        cell: its method has one or more of them.
        places: where data, checkpoints and label maps are.
        network: with initial weights.
    """

    def __init__(self, cell: Cell, places: Places, network: Network) -> None:
        self._cell, self._places = cell, places
        self._strokes = training_batches(cell, places)
        self.spans = spans(cell.method, cell.protocol.epochs)
        terms = make_terms(cell.method, self.spans[0].losses)
        self.trainer = Trainer(network, terms, self._strokes, cell.protocol)

    def can_resume(self, epochs: int) -> bool:
        """Tell whether a run can go on from here: not when labels were lost that its network made."""
        within = [span for span in self.spans if span.first < epochs < span.last and span.sees_predictions]
        return all(label_maps(self._cell, self._places, span).are_whole(self._strokes.ids) for span in within)

    def begin_anew(self) -> None:
        """Give the network its initial weights again, and forget what was learned."""
        self.trainer.begin_anew(make_network(self._cell, self._places).state_dict())

    def enter(self, span: Span, epochs: int, advance: Advance) -> None:
        """Let the trainer train as a stage says.

        Args:
            span: the stage.
            epochs: that the network is trained for; at the stage's first, its labels are made with it.
            advance: told of images that have their labels, and of images in all.
        """
        batches = self._strokes
        if span.labels:
            batches = replace(batches, labels=self._labels(span, advance), told=batches.labels)
        if span.fresh and epochs == span.first:
            self.begin_anew()
        self.trainer.enter(make_terms(self._cell.method, span.losses), batches, span.schedule)

    def _labels(self, span: Span, advance: Advance) -> Pictures:
        maps, strokes = label_maps(self._cell, self._places, span), self._strokes

        def make(ids: Sequence[str]) -> Iterable[tuple[str, Labels]]:
            part = span.propagation(f"method {self._cell.method.name}")
            tell = told(self._cell, self._places)
            return relabelled(strokes, ids, part, self._ask(part), tell)

        if span.sees_predictions:
            maps.ensure(strokes.ids, make, lambda done: advance(done, len(strokes.ids)))
        else:
            prepare_labels(self._cell, self._places, advance=advance)
        sizes = [(height, width) for height, width in strokes.images.sizes.tolist()]
        made = load_pictures(lambda index: maps.label(strokes.ids[index]), sizes, 1)
        return made.to(strokes.labels.pixels.device)

    def _ask(self, part: Propagation) -> Predict:
        protocol, network = self._cell.protocol, self.trainer.network
        return Asked(network.eval(), part, self._strokes, make_relabelling(protocol), protocol)


def prepare_labels(
    cell: Cell, places: Places, workers: int = 1, advance: Advance = lambda done, total: None
) -> None:
    """Make the labels of a cell's first stage, if that has other ones than the strokes, or find them.

    Args:
        cell: the cell.
        places: where data and label maps are.
        workers: processes.
        advance: told of images that have their labels, and of images in all.
    """
    span = spans(cell.method, cell.protocol.epochs)[0]
    if not span.labels:
        return
    ids = sorted(places.dataset.ids("train"))

    def make(missing: Sequence[str]) -> Iterable[tuple[str, Labels]]:
        part = span.propagation(f"method {cell.method.name}")
        tell = told(cell, places, workers)
        return in_order(Propagated(places.dataset, tell, part).of, missing, workers, _CHUNK)

    label_maps(cell, places, span).ensure(ids, make, lambda done: advance(done, len(ids)))


def label_maps(cell: Cell, places: Places, span: Span) -> LabelMaps:
    """Say where the labels of a stage are kept: they are shared by all cells that would make the same."""
    made_from: dict[str, Any] = cell.labels_identity(span)
    return LabelMaps.below(places.runs / "label-maps", made_from)
