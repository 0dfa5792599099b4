"""What mkdocs does not do by itself: README.md as front page, pages of the API, files beside docs/."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
API = ROOT / "scribblebench/api"
# Where the site has files that documents link to with ../: methods, results, benchmarks.
BESIDE = "repository"
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(((?:\.\./)+)([^)#]+)\)")


def on_files(files: Files, *, config: Any) -> Files:
    """Add the front page, the pages of the API and the linked files."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    files.append(File.generated(config, "index.md", content=re.sub(r"\]\(docs/", "](", readme)))
    for module in sorted(API.glob("[!_]*.py")):
        text = f"# sb: {module.stem}\n\n::: scribblebench.api.{module.stem}\n"
        files.append(File.generated(config, f"api/{module.name.replace('.py', '.md')}", content=text))
    for target in sorted({path for page in ROOT.glob("docs/**/*.md") for path in _linked(page)}):
        where = f"{BESIDE}/{target.relative_to(ROOT).as_posix()}"
        files.append(File.generated(config, where, abs_src_path=str(target)))
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Lead links to files beside docs/ to their copies; a folder has no page, and is named only."""
    source = ROOT / "docs" / page.file.src_uri
    up = "../" * page.file.src_uri.count("/")

    def moved(link: re.Match[str]) -> str:
        mark, text, back, rest = link.groups()
        target = (source.parent / back / rest).resolve()
        if target.is_relative_to(ROOT / "docs"):
            return link[0]
        if target.is_dir():
            return text
        return f"{mark}[{text}]({up}{BESIDE}/{target.relative_to(ROOT).as_posix()})"

    return _LINK.sub(moved, markdown)


def _linked(page: Path) -> list[Path]:
    """List the files outside docs/ to which a document links."""
    links = _LINK.findall(page.read_text(encoding="utf-8"))
    targets = [(page.parent / back / rest).resolve() for _, _, back, rest in links]
    return [path for path in targets if path.is_file() and not path.is_relative_to(ROOT / "docs")]
