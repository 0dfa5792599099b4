"""Label maps are made once, go on where they were stopped, and are not believed when they were changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest

from scribblebench.sources.label_maps import LabelMaps

IDS = ["a", "b", "sub/c", "d"]


class Maker:
    """Makes a map of one label an image, and remembers for which it was asked."""

    def __init__(self, stop_before: str = "") -> None:
        self.stop_before, self.made = stop_before, []

    def __call__(self, ids: Sequence[str]) -> Iterable[tuple[str, np.ndarray]]:
        for image in ids:
            if image == self.stop_before:
                raise KeyboardInterrupt
            self.made.append(image)
            yield image, np.full((3, 4), IDS.index(image), dtype=np.uint8)


@pytest.fixture
def maps(tmp_path: Path) -> LabelMaps:
    return LabelMaps.below(tmp_path, {"by": "hand"})


def made(maps: LabelMaps, stop_before: str = "") -> list[str]:
    maker = Maker(stop_before)
    maps.ensure(IDS, maker)
    return maker.made


def test_they_are_made_once(maps: LabelMaps) -> None:
    assert made(maps) == IDS
    assert made(maps) == []
    assert [maps.label(image).max() for image in IDS] == [0, 1, 2, 3]
    assert LabelMaps.below(maps.root.parent, {"by": "foot"}).root != maps.root


def test_what_was_made_before_a_stop_is_kept_if_it_is_whole(maps: LabelMaps) -> None:
    with pytest.raises(KeyboardInterrupt):
        made(maps, stop_before="sub/c")
    assert not maps.root.exists()
    half = maps.root.with_name(f"{maps.root.name}.making")
    (half / "b.png").write_bytes((half / "a.png").read_bytes())
    with (half / "labels.jsonl").open("a", encoding="utf-8") as journal:
        journal.write('{"image": "d", "sha2')  # killed while it wrote
    assert made(maps) == ["b", "sub/c", "d"]
    assert [maps.label(image).max() for image in IDS] == [0, 1, 2, 3]
    assert not half.exists()


def test_changed_ones_are_made_again(maps: LabelMaps) -> None:
    made(maps)
    maps.path("b").write_bytes(maps.path("a").read_bytes())
    assert not maps.are_whole(IDS)
    assert made(maps) == IDS
    assert maps.label("b").max() == 1
