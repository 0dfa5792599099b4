"""What networks are trained under, and where that leaves them: options that ``run`` and ``figures`` share."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scribblebench.cli._options import CardName, cards_option, data_dir_option, file, runs_option
from scribblebench.core.errors import UserError

if TYPE_CHECKING:
    from scribblebench.core.cards import DatasetCard, GridCard, ProtocolCard
    from scribblebench.core.library import Library
    from scribblebench.grid.asked import Asked


@dataclass(frozen=True)
class Setting:
    """The shared options, as given.

    Attributes:
        dataset: name of its card, or None for the protocol's own.
        data_dir: the dataset's folder, or None for its usual place.
        protocol: name of its card, or None for the grid's or the dataset's own.
        overrides: fields of the protocol that are replaced.
        weights: file of initial weights, or None.
        device: name of where networks run.
        runs: folder of records and weights.
        cards: folders of the user's own cards.
    """

    dataset: str | None
    data_dir: Path | None
    protocol: str | None
    overrides: dict[str, Any]
    weights: Path | None
    device: str
    runs: Path
    cards: tuple[Path, ...]

    def library(self) -> Library:
        """All cards in reach."""
        from scribblebench.core.library import Library

        return Library(*self.cards)

    def ask(
        self,
        grid: GridCard,
        methods: Sequence[str],
        seeds: Sequence[int],
        variants: Path,
        rates: Sequence[float] | None = None,
    ) -> Asked:
        """Ask for methods and seeds of a grid under these options.

        Raises:
            UserError: a card or the device does not exist.
        """
        from scribblebench.grid.asked import Asked
        from scribblebench.training.provenance import pick_device

        library = self.library()
        overrides = {**grid.overrides, **self.overrides}
        dataset, protocol = self._pick(library, grid, overrides)
        return Asked(
            grid=grid,
            methods=[library.method(name) for name in methods],
            protocol=protocol,
            overrides=overrides,
            dataset=dataset,
            data_dir=self.data_dir,
            rates=rates,
            seeds=seeds,
            weights=self.weights,
            device=pick_device(self.device),
            runs=self.runs,
            variants=variants,
        )

    def _pick(
        self, library: Library, grid: GridCard, overrides: dict[str, Any]
    ) -> tuple[DatasetCard, ProtocolCard]:
        """Dataset and protocol: each brings the other where only one is named."""
        protocol = self.protocol or grid.protocol
        dataset = self.dataset or (library.protocol(protocol).dataset if protocol else "toy")
        card = library.dataset(dataset)
        return card, library.protocol(protocol or card.protocol, overrides)


def setting_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the shared options; it receives them as ``setting``."""

    @functools.wraps(command)
    def gathered(**given: Any) -> None:
        setting = Setting(**{field.name: given.pop(field.name) for field in fields(Setting)})
        command(setting=setting, **given)

    for option in reversed(_OPTIONS):
        gathered = option(gathered)
    return gathered


def _replaced(context: click.Context, parameter: click.Parameter, given: Sequence[str]) -> dict[str, Any]:
    """Turn ``key=value`` pairs into a mapping; values are YAML."""
    from scribblebench.core.card_yaml import parse_yaml

    del context, parameter
    parsed = {}
    for setting in given:
        key, sign, value = setting.partition("=")
        if not sign or not key:
            raise UserError(f"--set {setting}: write it as KEY=VALUE, such as --set epochs=4.")
        if key in parsed:
            raise UserError(f"--set {key} is given twice. Give one value.")
        if key in _NO_SETTINGS:
            raise UserError(f"--set {key}: this is no setting of a training. {_NO_SETTINGS[key]}")
        parsed[key] = parse_yaml(value, f"--set {setting}: the value")
    return parsed


def _existing(context: click.Context, parameter: click.Parameter, path: Path | None) -> Path | None:
    del context, parameter
    if path is not None and not path.is_file():
        raise UserError(f"No weights at {path}. Give --weights an existing .safetensors file.")
    return path


# Fields of a protocol card that decide nothing about a training.
_NO_SETTINGS = {
    "name": "Choose a protocol with --protocol.",
    "title": "Give a protocol card of your own another title.",
    "dataset": "Choose a dataset with --dataset.",
}
set_option = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    callback=_replaced,
    help="Replace a protocol field.",
)
device_option = click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
_OPTIONS = (
    click.option(
        "--dataset",
        type=CardName("datasets"),
        help="Dataset card. Default: the protocol's own, or toy, which is generated on first use.",
    ),
    data_dir_option,
    click.option(
        "--protocol",
        type=CardName("protocols"),
        help="Protocol card. Default: the grid's, if it names one, or the dataset's.",
    ),
    set_option,
    click.option(
        "--weights",
        type=file,
        callback=_existing,
        help="Initial weights of the backbone, a .safetensors file with torchvision's names.",
    ),
    device_option,
    runs_option,
    cards_option,
)
