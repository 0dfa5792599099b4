"""Python and the packages that scribblebench requires, against the versions that it requires."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib import metadata

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from scribblebench import __version__
from scribblebench.doctor.finding import Asked, Finding

NAME = "scribblebench"


def packages(asked: Asked) -> Iterator[Finding]:
    """Tell the version of Python, and which required packages are missing or too old."""
    del asked
    try:
        found = metadata.metadata(NAME)
    except metadata.PackageNotFoundError:
        told = f"{NAME} {__version__} is not installed: what it requires is not known"
        yield Finding("warning", "packages", told, "Run 'pip install .' in its folder.")
        return
    yield _python(found.get_all("Requires-Python", [""])[0])
    wanted = requirements("")
    lacking = [(requirement, told) for requirement in wanted if (told := lack(requirement))]
    for requirement, told in lacking:
        yield Finding("wrong", "packages", told, f"Run: pip install '{requirement}'")
    if not lacking:
        yield Finding(
            "ok", "packages", f"{NAME} {__version__}, and the {len(wanted)} packages that it requires"
        )


def _python(wanted: str) -> Finding:
    version = platform.python_version()
    if SpecifierSet(wanted).contains(version, prereleases=True):
        return Finding("ok", "Python", version)
    return Finding("wrong", "Python", f"{version}, but {wanted} is required", "Install a newer Python.")


def requirements(extra: str) -> list[Requirement]:
    """List what an extra brings; what is always required where ``extra`` is empty."""
    every = [Requirement(text) for text in metadata.requires(NAME) or ()]
    usual = [one for one in every if one.marker is None or one.marker.evaluate({"extra": ""})]
    if not extra:
        return usual
    return [one for one in every if one not in usual and one.marker and one.marker.evaluate({"extra": extra})]


def lack(requirement: Requirement) -> str:
    """Say that a package is missing or too old; empty where it is neither.

    >>> lack(Requirement("numpy>=1.0")), lack(Requirement("no-such-package"))
    ('', 'no-such-package is not installed')
    """
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return f"{requirement.name} is not installed"
    if requirement.specifier.contains(version, prereleases=True):
        return ""
    return f"{requirement.name} is {version}, but {requirement.specifier} is required"
