"""The source of a user's own part: what its numbers depend on besides its options."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path

from scribblebench.core.errors import UserError

_INSTALLED = {"site-packages", "dist-packages"}


def source_digest(module: str) -> str:
    """SHA-256 over a module's file and the files that it imports, directly or not, from its own folder.

    The own folder is that of the top-level package, or for a single file the folder it lies in. What is
    installed elsewhere is told by its version, and data files by nobody.

    Args:
        module: its dotted name, importable.

    Raises:
        UserError: the module has no source file, or one that is not Python.
    """
    spec = _spec(module)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        raise UserError(f"The module '{module}' has no Python source. Give parts from a .py file.")
    folder = _own_folder(Path(spec.origin).resolve(), module)
    files: dict[Path, bytes] = {}
    waiting = _with_parents(module)
    while waiting:
        path = _file_below(folder, waiting[-1])
        name = waiting.pop()
        if path is not None and path not in files:
            files[path] = path.read_bytes()
            waiting += _imported(files[path], name, path)
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path.relative_to(folder).as_posix()} {len(files[path])}\n".encode())
        digest.update(files[path])
    return digest.hexdigest()


def _own_folder(path: Path, module: str) -> Path:
    """Return the folder of the top-level package, or of a single file."""
    above = module.count(".") + (path.name == "__init__.py")
    return path.parents[max(0, above - 1)]


def _spec(module: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(module)
    except (ImportError, AttributeError, ValueError):  # a name that is no module, such as a class
        return None


def _file_below(folder: Path, module: str) -> Path | None:
    """Return a module's file if it lies in the folder and belongs to the user."""
    if module.partition(".")[0] == __name__.partition(".")[0]:
        return None  # this program's own parts are told by their rules
    spec = _spec(module)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).resolve()
    own = path.suffix == ".py" and path.is_relative_to(folder)
    # A folder of work often holds a virtual environment.
    return path if own and not _INSTALLED & set(path.relative_to(folder).parts) else None


def _imported(source: bytes, module: str, path: Path) -> Iterator[str]:
    """Name the modules that a file imports anywhere in it; a name that turns out to be none does no harm."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    try:
        tree = ast.parse(source, str(path))
    except (SyntaxError, ValueError) as error:
        raise UserError(f"{path} is not Python: {error}.") from error
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name for alias in node.names for name in _with_parents(alias.name))
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, package)
            yield from _with_parents(base)
            yield from (f"{base}.{alias.name}" for alias in node.names if base)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")[: len(package.split(".")) - node.level + 1] if package else []
    return ".".join((*parts, *([node.module] if node.module else [])))


def _with_parents(module: str) -> list[str]:
    """Name a module and the packages around it, whose ``__init__.py`` runs too.

    >>> _with_parents("a.b.c")
    ['a', 'a.b', 'a.b.c']
    """
    parts = module.split(".")
    return [".".join(parts[: end + 1]) for end in range(len(parts)) if module]
