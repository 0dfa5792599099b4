"""What comes before training: strokes are read once, and variants made before any cell begins."""

from __future__ import annotations

import io
import pickle
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console

from scribblebench.core.errors import UserError
from scribblebench.core.library import Library
from scribblebench.grid.asked import Asked
from scribblebench.grid.cells import expand
from scribblebench.grid.display import Display
from scribblebench.grid.prepare import prepare_variants
from scribblebench.sources.readers import xml
from scribblebench.training.cell import Cell
from scribblebench.training.data import Places, training_batches


def shrink_grid(places: Places) -> list[Cell]:
    library = Library()
    asked = Asked(
        grid=library.grid("shrink"),
        methods=[library.method("baseline"), library.method("rw")],
        protocol=library.protocol("toy"),
        overrides={},
        dataset=places.dataset.card,
        seeds=(0,),
        device=places.device,
        runs=places.runs,
        variants=places.variants,
    )
    return expand(asked, places.dataset)


def prepare(cells: list[Cell], places: Places) -> None:
    with Display(len(cells), Console(file=io.StringIO())) as display:
        prepare_variants(cells, places, display)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each stroke file was parsed."""
    counts: Counter[str] = Counter()
    original = xml.read_xml

    def counted(data: bytes, image: str, *rest: Any) -> Any:
        counts[image] += 1
        return original(data, image, *rest)

    monkeypatch.setattr(xml, "read_xml", counted)
    return counts


def test_strokes_are_parsed_once_for_a_whole_grid(places: Places, parsed: Counter[str]) -> None:
    cells = shrink_grid(places)
    prepare(cells, places)
    assert parsed == Counter(places.dataset.ids("train"))  # once each, and none of the validation images
    elsewhere = pickle.loads(pickle.dumps(places))  # as a process of its own sees them  # noqa: S301 - our own bytes
    for cell in cells:
        training_batches(cell, elsewhere)
    assert parsed.total() == 24


def test_every_variant_is_there_before_training(places: Places) -> None:
    cells = shrink_grid(places)
    prepare(cells, places)
    made = {path.name for path in (places.variants / "toy").iterdir() if path.is_dir()}
    assert made == {cell.variant.id for cell in cells}


def test_a_repainted_label_map_is_refused(places: Places) -> None:
    cell = shrink_grid(places)[-1]
    prepare([cell], places)
    labels: Path = places.variants / "toy" / cell.variant.id / "pascal_2012_scribble"
    first, second = sorted(labels.glob("*.png"))[:2]
    first.write_bytes(second.read_bytes())
    with pytest.raises(UserError, match=rf"{first.name}.*other labels"):
        training_batches(cell, places)


def test_strokes_that_changed_refuse_the_old_variant(places: Places, tmp_path: Path) -> None:
    cell = shrink_grid(places)[-1]
    prepare([cell], places)
    changed = msgspec.structs.replace(cell, train=msgspec.structs.replace(cell.train, strokes="other"))
    with pytest.raises(UserError, match="was made from other data"):
        training_batches(changed, places)
