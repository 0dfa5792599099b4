"""The papers' own numbers and claims, with their sources: CSV files read strictly into rows."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from scribblebench.core.errors import UserError
from scribblebench.core.library import published_folder

R = TypeVar("R", bound=msgspec.Struct)


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A row of a published table; numbers are as printed, in percent."""

    source: str


class AblationRow(Row, frozen=True, kw_only=True):
    """Table 1: mIoU of one method of the ablation, on undegraded scribbles."""

    method: str
    random_walk: Literal["yes", "no"]
    operation: str
    location: str
    miou_percent: float


class ComparedRow(Row, frozen=True, kw_only=True):
    """Table 2: one method of the literature; ``method`` is our card's name, where there is one."""

    title: str
    method: str
    supervision: str
    backbone: str
    miou_percent: float | None
    miou_crf_percent: float | None


class VariationRow(Row, frozen=True, kw_only=True):
    """Table 3: how much a representation varies under a transform."""

    transform: str
    location: str
    variation_percent: float


class DropRow(Row, frozen=True, kw_only=True):
    """Table 4: the drop ratio of one method at one rate."""

    method: str
    kind: str
    rate: float
    drop_ratio_percent: float


class CostRow(Row, frozen=True, kw_only=True):
    """Table 5: what a model costs, or by how much more it does than the row above it.

    Attributes:
        change: whether the numbers are changes.
        parameters_mi: in 2^20.
        note: what was counted, by arithmetic on the authors' code.
    """

    method: str
    change: Literal["yes", "no"]
    parameters_mi: float
    memory_mb: float
    iterations_per_second: float
    note: str


class AnnotationRow(Row, frozen=True, kw_only=True):
    """What people need to annotate an image of VOC in one way.

    Attributes:
        supervision: the name of the kind of supervision.
        note: how the seconds come about.
    """

    supervision: str
    seconds_per_image: float
    note: str


class Claim(Row, frozen=True, kw_only=True):
    """An inequality to be tested.

    Attributes:
        worse: a method's name; ``better`` the one said to do better.
        quantity: ``miou`` (higher is better), or the mean over a kind's rates of the loss in mIoU
            (``mean_loss``) or of the drop ratio (``mean_drop_ratio``), where lower is better.
        kind: the degradation; ``none`` for ``miou``.
    """

    worse: str
    better: str
    quantity: Literal["miou", "mean_loss", "mean_drop_ratio"]
    kind: str

    def __post_init__(self) -> None:
        """Refuse what is 0 by definition."""
        if self.kind == "none" and self.quantity != "miou":
            raise ValueError(f"{self.quantity} is a loss by degradation: give its kind, not none")


def _read(path: Path, row: type[R]) -> tuple[R, ...]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            raw = [
                {k: None if v == "" and k.endswith("percent") else v for k, v in r.items()}
                for r in csv.DictReader(file)
            ]
        return tuple(msgspec.convert(raw, list[row], strict=False))  # type: ignore[valid-type]
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}.") from error
    except (msgspec.ValidationError, csv.Error) as error:
        raise UserError(f"{path}: {error}.") from error


@cache
def table1() -> tuple[AblationRow, ...]:
    """Return Table 1, in its order."""
    return _read(published_folder() / "table1.csv", AblationRow)


@cache
def table2() -> tuple[ComparedRow, ...]:
    """Return Table 2, in its order."""
    return _read(published_folder() / "table2.csv", ComparedRow)


@cache
def later() -> tuple[ComparedRow, ...]:
    """Return what later publications print for the same comparison; other networks, other protocols."""
    return _read(published_folder() / "later.csv", ComparedRow)


@cache
def table3() -> dict[tuple[str, str], float]:
    """Return Table 3: (transform, location) -> variation as a fraction."""
    rows = _read(published_folder() / "table3.csv", VariationRow)
    return {(row.transform, row.location): _fraction(row.variation_percent) for row in rows}


@cache
def table4() -> dict[tuple[str, str, float], float]:
    """Return Table 4: (method, kind, rate) -> drop ratio as a fraction."""
    rows = _read(published_folder() / "table4.csv", DropRow)
    return {(row.method, row.kind, row.rate): _fraction(row.drop_ratio_percent) for row in rows}


@cache
def table5() -> dict[str, CostRow]:
    """Return Table 5 by method."""
    return {row.method: row for row in _read(published_folder() / "table5.csv", CostRow)}


@cache
def annotation() -> dict[str, AnnotationRow]:
    """Return what each kind of supervision costs people, by its name."""
    return {row.supervision: row for row in _read(published_folder() / "annotation.csv", AnnotationRow)}


def claims(path: Path | None = None) -> tuple[Claim, ...]:
    """Read inequalities to be tested, in the order of the file: by default the paper's.

    Raises:
        UserError: the file cannot be read, or a row is not a claim.
    """
    return _read(path or published_folder() / "claims.csv", Claim)


def miou(method: str, kind: str, rate: float) -> float | None:
    """MIoU of a method as a fraction: printed in Table 1, or m0 (1 - drop ratio) from Tables 1 and 4.

    Drop ratios are printed to 0.1 %, so a product of the two is good to 0.05 points.

    >>> miou("baseline", "none", 0), miou("baseline", "shrink", 1)
    (0.644, 0.501676)
    """
    undegraded = next((_fraction(row.miou_percent) for row in table1() if row.method == method), None)
    if kind == "none" or undegraded is None:
        return undegraded
    ratio = table4().get((method, kind, rate))
    return None if ratio is None else round(undegraded * (1 - ratio), 6)


def _fraction(percent: float) -> float:
    return round(percent / 100, 6)
