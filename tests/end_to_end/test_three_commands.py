"""The three commands as a person types them; every number in the tables is followed back to the files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from scribblebench.cli.main import main
from scribblebench.store.confusion import PerImageConfusion
from scribblebench.store.record import confusion_path, read_records

METHODS = ("baseline", "rw", "rw-ss")
RATES = (0.0, 0.5, 1.0)


@pytest.fixture(scope="module")
def results(mini: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        main(["make-dataset", "--shrink", "1", "--data-dir", str(mini), "--workers", "1"])
        made = (folder / "data/toy/shrink-1-seed0/manifest.json").stat().st_mtime_ns
        options = f"--data-dir {mini} --rates 0,0.5,1 --set epochs=3 --jobs 1"
        main(f"run --grid shrink {options}".split())
        assert (
            folder / "data/toy/shrink-1-seed0/manifest.json"
        ).stat().st_mtime_ns == made  # used, not remade
        main(["report", "--resamples", "200"])
    return folder


def oracle(confusions: np.ndarray) -> float:
    """The mean IoU written out: class by class, pixel counts as sets."""
    total = confusions.sum(axis=0)
    scores = []
    for c in range(len(total)):
        union = sum(total[c, k] + total[k, c] for k in range(len(total))) - total[c, c]
        if union:
            scores.append(total[c, c] / union)
    return float(np.mean(scores))


def test_cells_are_the_records(results: Path) -> None:
    cells = pd.read_csv(results / "results/report/cells.csv")
    assert len(cells) == len(METHODS) * len(RATES)
    assert set(cells.status) == {"done"}
    records = {(r.method, r.rate): r for r in read_records(results / "results/runs").records}
    for _, row in cells.iterrows():
        record = records[row.method, row.rate]
        scores = PerImageConfusion.load(confusion_path(results / "results/runs", record.slug))
        assert row.miou == pytest.approx(oracle(scores.matrices), abs=1e-6)
        assert (row.dataset, row.protocol, row.kind, row.seed) == ("toy", "toy", record.kind, 0)
        assert record.kind == ("none" if record.rate == 0 else "shrink")


def test_table4_is_the_drop_from_the_undegraded_cell(results: Path) -> None:
    records = {(r.method, r.rate): r for r in read_records(results / "results/runs").records}
    table = pd.read_csv(results / "results/report/table4.csv")
    ratios = table[table.quantity == "drop_ratio"].set_index("method")
    paper = table[table.quantity == "paper_drop_ratio"].set_index("method")
    for method in METHODS:
        m0 = records[method, 0.0].miou
        for rate, column in ((0.5, "shrink 0.5"), (1.0, "shrink 1")):
            m = records[method, rate].miou
            assert m0 is not None
            assert m is not None
            assert ratios.loc[method, column] == pytest.approx((m0 - m) / m0, abs=1e-6)
    assert paper.loc["rw-ss", "shrink 1"] == 0.182  # printed in the paper's Table 4


def test_pictures_and_page(results: Path) -> None:
    report = results / "results/report"
    pictures = list(report.rglob("*.png"))
    assert len(pictures) >= 2
    assert {path.stem for path in pictures} <= {path.stem for path in report.rglob("*.svg")}
    for path in pictures:
        with Image.open(path) as image:
            assert np.asarray(image.convert("L")).std() > 5  # not a blank sheet
    page = (report / "index.html").read_text(encoding="utf-8")
    assert "http" not in page.replace("http://www.w3.org", "")  # one file that needs no network
    assert all(title in page for title in ("Baseline", "+ Random walk", "+ Self-supervision"))


def test_the_label_maps_trained_on_are_points(results: Path) -> None:
    variant = results / "data/toy/shrink-1-seed0"
    labels = [np.asarray(Image.open(path)) for path in (variant / "pascal_2012_scribble").glob("*.png")]
    assert len(labels) == 24
    whole = [
        np.asarray(Image.open(p)) for p in (results / "data/toy/none/pascal_2012_scribble").glob("*.png")
    ]
    assert sum((m != 255).sum() for m in labels) < 0.35 * sum((m != 255).sum() for m in whole)
