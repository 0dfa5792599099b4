"""Components, depths and ways on foot, against SciPy's and scikit-image's own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from scipy import ndimage
from skimage.graph import MCP_Geometric

from scribblebench.core.seeds import rng
from scribblebench.scribbles import depths
from scribblebench.scribbles.components import Component, Parts, components
from scribblebench.scribbles.footpaths import Footpaths


def blobs(seed: int, shape: tuple[int, int] = (90, 130)) -> NDArray[np.uint8]:
    """Three classes in random blobs, some of them at the border, and pixels without a class."""
    field = ndimage.gaussian_filter(rng("blobs", seed).random((4, *shape)), (0, 6, 6))
    return np.array([0, 3, 7, 255], np.uint8)[field.argmax(axis=0)]


@pytest.mark.parametrize("seed", range(4))
def test_components_are_those_of_scipy_in_order(seed: int) -> None:
    label_map = blobs(seed)
    wanted = []
    for value in (0, 3, 7):
        numbers, count = ndimage.label(label_map == value, np.ones((3, 3)))
        wanted += [(value, numbers == number) for number in range(1, count + 1)]
    found = components(label_map, 255)
    assert [component.class_index for component in found] == [value for value, _ in wanted]
    for component, (_, pixels) in zip(found, wanted, strict=True):
        y, x = np.nonzero(component.visible)
        places = np.stack([x, y], axis=1) + component.origin
        np.testing.assert_array_equal(places, np.argwhere(pixels)[:, ::-1])
        assert component.first == tuple(places[0])
    areas = [np.count_nonzero(pixels) for _, pixels in wanted]
    assert len(components(label_map, 255, min_area=40)) == sum(area >= 40 for area in areas)


def flood(mask: NDArray[np.uint8], class_index: int) -> list[set[tuple[int, int]]]:
    """Components by flooding, eight neighbours."""
    left = {(int(y), int(x)) for y, x in np.argwhere(mask == class_index)}
    found = []
    while left:
        front = {left.pop()}
        component = set(front)
        while front:
            around = {(y + dy, x + dx) for y, x in front for dy in (-1, 0, 1) for dx in (-1, 0, 1)}
            front = around & left
            left -= front
            component |= front
        found.append(component)
    return found


@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 7), st.integers(1, 9)), elements=st.integers(0, 2)))
def test_parts_are_those_of_a_flood(mask: NDArray[np.uint8]) -> None:
    parts = Parts(mask, [1, 2])
    y, x = np.indices(mask.shape).reshape(2, -1)
    for class_index in (1, 2):
        found = parts.at(class_index, x, y).reshape(mask.shape)
        ours = [{(int(y), int(x)) for y, x in np.argwhere(found == k)} for k in np.unique(found[found >= 0])]
        assert sorted(map(sorted, ours)) == sorted(map(sorted, flood(mask, class_index)))
    assert (parts.at(0, x, y) == -1).all()


@pytest.mark.parametrize("seed", range(4))
def test_depths_on_a_grid_are_those_of_the_distance_transform(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(depths, "_LARGE", 0)
    component = max(components(blobs(seed), 255), key=lambda found: found.pixels.size)
    wanted = ndimage.distance_transform_edt(component.pixels) * component.visible
    found = depths.Depths(component)
    for step in (1, 2, 3, 7):
        first = found.offset(step)
        np.testing.assert_array_equal(found.on_grid(step), wanted[first::step, first::step])
    assert found.deepest() == wanted.max()
    for depth in (0.5, 1.0, 1.5, 4.5):
        assert found.count_beyond(depth) == np.count_nonzero(wanted > depth)


@pytest.mark.parametrize("seed", range(4))
def test_ways_cost_what_scikit_image_says(seed: int) -> None:
    body = max(components(blobs(seed), 255), key=_area).pixels[::2, ::2]
    cells, count = ndimage.label(body, np.ones((3, 3)))
    body = cells == 1 + np.argmax([np.count_nonzero(cells == i + 1) for i in range(count)])
    cost = rng("cost", seed).uniform(0.1, 3, body.shape)
    paths = Footpaths(body)
    sources = [0, len(paths.cells) // 2]
    starts = [tuple(paths.cells[i]) for i in sources]
    on_foot, _ = MCP_Geometric(np.where(body, 1.0, -1.0)).find_costs(starts)
    np.testing.assert_allclose(paths.distances(sources), on_foot[body])
    wanted, _ = MCP_Geometric(np.where(body, cost, -1.0)).find_costs(starts)
    goal = int(np.argmax(on_foot[body]))
    way = paths.cells[paths.way(cost[body], sources, goal)]
    assert tuple(way[0]) in starts
    assert tuple(way[-1]) == tuple(paths.cells[goal])
    steps = np.diff(way, axis=0)
    assert np.abs(steps).max() == 1
    along = cost[tuple(way.T)]
    spent = np.sum(np.hypot(*steps.T) * (along[1:] + along[:-1]) / 2)
    np.testing.assert_allclose(spent, wanted[tuple(way[-1])])


def _area(component: Component) -> int:
    return int(np.count_nonzero(component.pixels))
