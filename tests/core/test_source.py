"""The digest of a user's own part covers its file and what that file imports from its own folder."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scribblebench.core.errors import UserError
from scribblebench.core.source import source_digest

FILES = {
    "single.py": "import json\nimport beside\nimport torch\n",
    "beside.py": "from far import away\nVALUE = 1\n",
    "far.py": "away = 1\n",
    "unrelated.py": "VALUE = 1\n",
    "package/__init__.py": "",
    "package/losses/__init__.py": "",
    "package/losses/mine.py": "def f():\n    from ..common import VALUE\n    from . import near\n",
    "package/losses/near.py": "",
    "package/common.py": "VALUE = 1\n",
    "package/other.py": "",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    for module in [name for name in sys.modules if name.split(".")[0] in ("package", "single")]:
        monkeypatch.delitem(sys.modules, module)
    return tmp_path


@pytest.mark.parametrize(
    ("module", "decides"),
    [
        ("single", {"single.py", "beside.py", "far.py"}),
        (
            "package.losses.mine",
            {
                "package/__init__.py",
                "package/losses/__init__.py",
                "package/losses/mine.py",
                "package/losses/near.py",
                "package/common.py",
            },
        ),
    ],
)
def test_an_edit_counts_where_it_can_change_the_part(folder: Path, module: str, decides: set[str]) -> None:
    before = source_digest(module)
    changed = set()
    for name, text in FILES.items():
        (folder / name).write_text(f"{text}\nMORE = 1\n", encoding="utf-8")
        changed |= {name} if source_digest(module) != before else set()
        (folder / name).write_text(text, encoding="utf-8")
    assert changed == decides
    assert source_digest(module) == before


def test_installed_packages_beside_a_part_are_not_read(folder: Path) -> None:
    before = source_digest("single")
    installed = folder / "venv/site-packages/torch"
    installed.mkdir(parents=True)
    (installed / "__init__.py").write_text("", encoding="utf-8")
    assert source_digest("single") == before


@pytest.mark.parametrize("module", ["os.path.nothing", "sys", "no_such_module"])
def test_a_module_without_source_is_refused(module: str) -> None:
    with pytest.raises(UserError, match="no Python source"):
        source_digest(module)
