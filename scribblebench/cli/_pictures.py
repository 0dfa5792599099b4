"""Pictures of results for the report's page, where predictions were kept and the photographs are at hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markupsafe import Markup

    from scribblebench.report.collect import Group

TOY = "toy"


def pictures_of(folders: Sequence[Path], data_dir: Path | None, group: Group) -> list[tuple[str, Markup]]:
    """Draw a group's kept predictions; nothing where none were kept, or where its dataset is not found.

    Args:
        folders: of records.
        data_dir: the folder of datasets other than the toy; without it, where ``fetch`` puts them.
        group: the cells.

    Raises:
        UserError: the folder is not that of the group's dataset.
    """
    from scribblebench.core.library import Library
    from scribblebench.report.examples import examples, kept
    from scribblebench.sources.folder import open_dataset

    if not any(kept(group, kind, folders) for kind in group.kinds):
        return []
    default = Path("data") / group.dataset / "source"
    root = data_dir if data_dir is not None and group.dataset != TOY else default
    if not root.is_dir():
        return []
    return examples(group, folders, open_dataset(Library().dataset(group.dataset), root))
