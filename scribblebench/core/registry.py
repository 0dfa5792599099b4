"""One registry per kind of part: a part's file carries its name, and is imported when asked for."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

import msgspec

from scribblebench.core.cards import convert
from scribblebench.core.errors import UnknownNameError, UserError
from scribblebench.core.source import source_digest


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What every part is: its fields are the options that a card may give it.

    Attributes:
        rule: version of the part's arithmetic. It enters the identity of every number that the part has a
            share in, so it is raised whenever equal options and inputs would give other numbers than before.
    """

    rule: ClassVar[int] = 1


T = TypeVar("T", bound=Part)


class Registry(Generic[T]):
    """The parts of one kind, one file each in a package.

    ``get("entropy")`` imports ``<package>.entropy`` and returns what that file registered;
    ``get("my_package.my_module:MyLoss")`` returns a user's own part. Files whose name starts with an
    underscore are not parts.

    Args:
        kind: what a part is called in error messages, such as ``"loss"``.
        package: the package that holds the files, such as ``"scribblebench.losses"``.
        base: the class of which every part is a subclass.
    """

    def __init__(self, kind: str, package: str, base: type[T]) -> None:
        self.kind = kind
        self.package = package
        self.base = base
        self._parts: dict[str, type[T]] = {}

    def register(self, part: type[T]) -> type[T]:
        """Register the one part of the file that calls this (a decorator)."""
        module = part.__module__
        name = module.rsplit(".", 1)[-1]
        if name in self._parts and self._parts[name] is not part:
            raise ValueError(f"{module} registers two {self.kind} parts; keep one to a file")
        self._parts[name] = part
        return part

    def names(self) -> list[str]:
        """List the names of the shipped parts, without importing them."""
        path = importlib.import_module(self.package).__path__
        return sorted(m.name for m in pkgutil.iter_modules(path) if not m.name.startswith("_"))

    def get(self, name: str) -> type[T]:
        """Return the part called ``name``.

        Raises:
            UnknownNameError: no part has this name.
            UserError: a user's own ``module:attribute`` cannot be imported.
        """
        if ":" in name:
            return self._own(name)
        if name not in self._parts:  # identities ask thousands of times: the folder is read once a name
            if name not in self.names():
                raise UnknownNameError(self.kind, name, self.names())
            importlib.import_module(f"{self.package}.{name}")
        return self._parts[name]

    def version(self, name: str) -> int | str:
        """Return what says which arithmetic a part's name stands for.

        Returns:
            The rule of a shipped part; of a user's own part the SHA-256 of its source.
        """
        part = self.get(name)
        return source_digest(part.__module__) if ":" in name else part.rule

    def build(self, name: str, options: dict[str, Any], where: str, near: Sequence[str] = ()) -> T:
        """Make a part from a card's options.

        Args:
            name: the part's name.
            options: its fields; unknown or mistyped ones are errors.
            where: the card, for the message.
            near: fields that a card writes beside the options; one may have been meant.
        """
        return convert(options, self.get(name), f"{where}: {self.kind} '{name}'", near=near)

    def _own(self, name: str) -> type[T]:
        module, _, attribute = name.partition(":")
        try:
            part = getattr(importlib.import_module(module), attribute)
        except (Exception, SystemExit) as error:  # a user's module may raise anything
            raise UserError(
                f"Cannot load the {self.kind} '{name}': {_one_line(error)}. "
                "Give 'package.module:Class' of a module on the Python path."
            ) from error
        if not (isinstance(part, type) and issubclass(part, self.base)):
            raise UserError(
                f"Cannot use '{name}' as a {self.kind}: it is no subclass of "
                f"{self.base.__module__}.{self.base.__name__}. Derive the class from it."
            )
        return part


def _one_line(error: BaseException) -> str:
    """Return what an import raised; a module's own trouble is told with its type."""
    text = " ".join(str(error).split()).removesuffix(".")
    usual = isinstance(error, (ImportError, AttributeError, SyntaxError))
    return text if usual else f"{type(error).__name__}: {text}".removesuffix(": ")
