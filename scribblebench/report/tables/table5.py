"""Table 5: parameters, memory and speed, the paper's numbers beside ours."""

from __future__ import annotations

from collections.abc import Sequence

from scribblebench.report import published
from scribblebench.report.tables import Rows
from scribblebench.store.measurement import Measurement, Value

_MEASURED = (
    "parameters",
    "trunk_parameters",
    "head_parameters",
    "walk_parameters",
    "parameters_mi",
    "training_memory_mb",
    "inference_memory_mb",
    "images_per_second",
    "training_images_per_second",
    "gflops",
)
_PAPER = ("paper_parameters_mi", "paper_memory_mb", "paper_iterations_per_second", "paper_note")
_SETTINGS = ("crop", "batch", "output_stride")


def table5(measurements: Sequence[Measurement]) -> Rows:
    """Tabulate a model a row; the paper's columns are as printed, ``+`` before a change.

    The paper's baseline is the authors' own (``baseline-aspp``), and its change for the walk counts the walk
    alone; ours are the whole model each, as built.
    """
    return [
        {
            "model": measurement.method,
            "title": measurement.method_title,
            **{key: row.get(key) for key in _MEASURED},
            **_paper(measurement.method),
            **{key: row.get(key) for key in _SETTINGS},
            "protocol": measurement.protocol,
            "settings": measurement.settings,
            "device": measurement.device,
        }
        for measurement in measurements
        for row in measurement.rows
    ]


def _paper(method: str) -> dict[str, Value]:
    row = published.table5().get(method)
    if row is None:
        return dict.fromkeys(_PAPER)
    sign = "+" if row.change == "yes" else ""
    numbers = (row.parameters_mi, row.memory_mb, row.iterations_per_second)
    return dict(zip(_PAPER, [*(f"{number:{sign}.6g}" for number in numbers), row.note], strict=True))
