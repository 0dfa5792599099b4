"""The project as a whole: its layers, its wheel, and what a newcomer's first commands say."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_layers() -> None:
    from importlinter.cli import lint_imports

    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return next(out.glob("*.whl"))


def test_the_wheel_carries_the_cards_inside_the_package(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert tops == {"scribblebench", next(top for top in tops if top.endswith(".dist-info"))}
    for kind in ("datasets", "methods", "protocols", "grids"):
        shipped = {name for name in names if name.startswith(f"scribblebench/cards/{kind}/")}
        assert {Path(name).name for name in shipped} == {p.name for p in (ROOT / kind).glob("*.yaml")}
    published = {Path(n).name for n in names if n.startswith("scribblebench/cards/published/")}
    assert published == {p.name for p in (ROOT / "results/published").iterdir()}


def test_the_wheel_works_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    program = "import scribblebench.cli.main as m; print(m.__file__); m.main(['list', 'methods'])"
    answer = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(tmp_path / "site") in answer.stdout
    for card in (ROOT / "methods").glob("*.yaml"):
        assert card.stem in answer.stdout


def test_help_is_quick_to_load() -> None:
    """It imports nothing heavy, so that it answers at once."""
    program = (
        "import sys, scribblebench.cli.main as m\n"
        "try: m.main(['--help'])\n"
        "finally: print(sorted({'torch', 'pandas', 'matplotlib', 'skimage'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.rstrip().endswith("[]")
    assert "make-dataset" in answer.stdout
