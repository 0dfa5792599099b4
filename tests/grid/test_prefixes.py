from __future__ import annotations

from typing import Any

from scribblebench.grid.prefixes import leaders_first, shared_prefixes


def test_only_states_that_two_cells_have_in_common_are_kept(make_cell: Any) -> None:
    baseline, rw, ss = (make_cell(method) for method in ("baseline", "rw", "rw-ss"))
    other = make_cell("rw-ss", seed=1)
    none, first, second, alone = shared_prefixes([baseline, rw, ss, other])
    assert none == alone == {}
    assert first == second == {2: rw.prefix_id(2)}
    assert leaders_first([first, second, none]) == [0, 2, 1]
    assert shared_prefixes([baseline]) == [{}]
