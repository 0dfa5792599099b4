from __future__ import annotations

from pathlib import Path

import pytest

from scribblebench.core.cards import DatasetCard
from scribblebench.core.errors import UserError
from scribblebench.sources.folder import open_dataset
from scribblebench.sources.spec import VariantSpec
from scribblebench.sources.variant import make_variant


def test_a_split_without_any_stroke_makes_no_variant(card: DatasetCard, small: Path, tmp_path: Path) -> None:
    for path in (small / card.layout.strokes).glob("train_*.xml"):
        text = path.read_text(encoding="utf-8")
        path.write_text(text[: text.index("\t<polygon>")] + "</annotation>\n", encoding="utf-8")
    dataset = open_dataset(card, small)
    with pytest.raises(UserError, match=r"Not one of the 12 train images of .* has a stroke"):
        make_variant(dataset, "train", VariantSpec(), tmp_path / "none")
    assert not (tmp_path / "none").exists()
