"""A trained network as a file for other programs: ONNX or torch.export, with its preprocessing in words."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from scribblebench.core.cards import ProtocolCard
from scribblebench.core.errors import UserError
from scribblebench.core.files import file_sha256, to_json, write_atomic
from scribblebench.inference.whole_image import logits
from scribblebench.nn.network import Network
from scribblebench.ops.colour import MEAN, STD
from scribblebench.store.readable import readable
from scribblebench.store.record import Record
from scribblebench.training.evaluation_parts import make_inference
from scribblebench.training.predict import trained_network
from scribblebench.training.provenance import versions

ENDINGS = {"onnx": ".onnx", "torch": ".pt2"}
Size = tuple[int, int]
# Cells of the picture that is traced where sizes are free: two numbers that nothing else has.
_CELLS = (9, 12)
_PACKAGES = ("onnx", "onnxscript")


class Exported(NamedTuple):
    """What was written: the network, its description, and what of the cell's evaluation is not in it."""

    network: Path
    description: Path
    left_out: Sequence[str]


class OnePass(nn.Module):
    """Normalised images (1, 3, h, w), sides ``k * stride + 1``, to float32 logits (1, classes, h, w)."""

    def __init__(self, network: Network, stride: int) -> None:
        super().__init__()
        self.network = network
        self._stride = stride

    def forward(self, images: Tensor) -> Tensor:
        """Run the network once over the whole picture, as ``whole_image`` does."""
        return logits(lambda padded: self.network(padded).logits, images, self._stride)


def export(record: Record, runs: Path, out: Path, kind: str, size: Size | None = None) -> Exported:
    """Write the network of a finished cell as ``SLUG.onnx`` or ``SLUG.pt2``, and ``SLUG.json`` beside it.

    Args:
        record: the cell's.
        runs: folder of records, where its weights are.
        out: folder of the two files; each is written whole or not at all.
        kind: ``onnx``, or ``torch`` for torch.export.
        size: height and width of all pictures, or None where they are free.

    Raises:
        UserError: no weights, packages that are missing, or an operation that the format does not have.
    """
    if kind == "onnx" and not has_onnx():
        raise UserError("No ONNX here: pip install 'scribblebench[export]', or give --format torch.")
    network, protocol = trained_network(record, runs, torch.device("cpu"))
    stride = protocol.output_stride
    sides = None if size is None else [-(-(side - 1) // stride) * stride + 1 for side in size]
    module = OnePass(network, stride).eval().requires_grad_(requires_grad=False)
    try:
        data = _encode(module, stride, sides, kind)
    except Exception as error:  # exporters raise what they like; all of it says what they cannot do
        raise UserError(_refusal(record, kind, size, error)) from error
    path = out / f"{record.slug}{ENDINGS[kind]}"
    write_atomic(path, data)
    left_out = _left_out(record, protocol)
    told = {**_identity(record), **_interface(record, stride, sides), "left_out": left_out}
    told["file"] = {"name": path.name, "format": kind, "sha256": file_sha256(path)}
    write_atomic(path.with_suffix(".json"), to_json(told))
    return Exported(path, path.with_suffix(".json"), left_out)


def has_onnx() -> bool:
    """Tell whether the packages that write ONNX are installed."""
    return all(find_spec(name) for name in _PACKAGES)


def _encode(module: OnePass, stride: int, sides: Sequence[int] | None, kind: str) -> bytes:
    names = ("rows", "columns")
    free = [stride * torch.export.Dim(name, min=2) + 1 for name in names]
    shapes = {"images": {} if sides else dict(enumerate(free, start=2))}
    example = torch.zeros(1, 3, *(sides or [stride * cells + 1 for cells in _CELLS]))
    file = io.BytesIO()
    # Exporters warn of their own deprecated parts.
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(module, (example,), dynamic_shapes=shapes)
        if kind == "torch":
            torch.export.save(program, file)
            return file.getvalue()
        written: Any = torch.onnx.export(
            program, dynamo=True, input_names=["images"], output_names=["logits"], verbose=False
        )
        data: bytes = written.model_proto.SerializeToString()
        return data


def _refusal(record: Record, kind: str, size: Size | None, error: BaseException) -> str:
    """Say in a line what an exporter could not do; the first cause is what names the operation."""
    cause = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    reason = (str(cause).strip().splitlines() or [""])[0].removesuffix(".")
    free = "" if size else " with free height and width"
    ways = ["give --size HEIGHTxWIDTH"] * (size is None) + ["give --format torch"] * (kind == "onnx")
    advice = ", or ".join(ways) or "use 'scribblebench predict'"
    said = f"{type(cause).__name__}: {reason}" if reason else type(cause).__name__
    return f"{record.slug} cannot be written as {kind}{free} ({said}): {advice}."


def _left_out(record: Record, protocol: ProtocolCard) -> list[str]:
    """List what stands between the file's labels and those that the cell's record counts."""
    said = []
    inference = make_inference(protocol)
    if not inference.one_pass:
        said.append(f"{inference}: the file is one pass over the whole picture at its own size")
    if record.crf:
        said.append(f"the CRF '{record.crf}'")
    if protocol.precision != "float32":
        said.append(f"{protocol.precision}: the file computes in float32, and a few labels may differ")
    return said


def _identity(record: Record) -> dict[str, Any]:
    return {
        "cell": {
            "name": readable(record),
            "slug": record.slug,
            "id": record.cell,
            "training_id": record.training_id,
            "dataset": record.dataset,
            "protocol": record.protocol,
            "overrides": record.overrides,
        },
        "versions": {"trained": record.versions, "exported": versions()},
    }


def _interface(record: Record, stride: int, sides: Sequence[int] | None) -> dict[str, Any]:
    """Describe the file's input and output."""
    height, width = sides or (f"{stride} * rows + 1", f"{stride} * columns + 1")
    return {
        "input": {
            "name": "images",
            "shape": [1, 3, height, width],
            "dtype": "float32",
            "channels": "RGB",
            "range": [0, 1],
            "mean": MEAN,
            "std": STD,
            "normalise": "(pixel / 255 - mean) / std",
            "stride": stride,
            "pad": "zeros after normalising, right and below, until the shape is the input's",
        },
        "output": {
            "name": "logits",
            "shape": [1, len(record.classes), height, width],
            "dtype": "float32",
            "labels": "the class of the largest logit; rows and columns of the padding are cut off",
            "classes": list(record.classes),
        },
    }
