"""The walk's diffusion P V, forward and backward: row blocks against forms that may hold P.

    python benchmarks/walk.py --n 3481 8281

Interleaved medians of the time, and peak memory of a fresh process: the growth of its resident set on a CPU
(read from Linux's /proc), the allocator's peak on a GPU. The widths are the paper's: queries and keys of 64
channels, values of 512, float32.
``naive`` holds P; ``heads`` is scaled_dot_product_attention over 8 slices of the values, the widest that a
CPU's fused kernel takes; ``attention`` is the same without slices; ``blocks`` is what the package does.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial

import measuring  # first: it sets how threads wait, which torch reads when it is imported
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from scribblebench.ops.walk import Energies, diffuse

WIDTH, CHANNELS, HEADS = 64, 512, 8
Form = Callable[[Tensor, Tensor, Tensor], Tensor]


def naive(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """P as a matrix."""
    return torch.softmax(queries @ keys.transpose(1, 2), dim=-1) @ values


def attention(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Attention with one head, values wider than queries."""
    one_head = queries.unsqueeze(1), keys.unsqueeze(1), values.unsqueeze(1)
    return scaled_dot_product_attention(*one_head, scale=1.0).squeeze(1)


def heads(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Attention with the values in slices as wide as the queries, each with the same P."""
    batch, cells, _ = values.shape
    sliced = values.view(batch, cells, HEADS, -1).transpose(1, 2)
    same = [tensor.unsqueeze(1).expand(-1, HEADS, -1, -1) for tensor in (queries, keys)]
    out = scaled_dot_product_attention(same[0], same[1], sliced, scale=1.0)
    return out.transpose(1, 2).reshape(values.shape)


def blocks(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """The package's own."""
    return diffuse(Energies(queries, keys, 1, queries.shape[1]), values)


FORMS: dict[str, Form] = {"naive": naive, "attention": attention, "heads": heads, "blocks": blocks}


def factors(cells: int, batch: int, device: str) -> list[Tensor]:
    """Make values, and queries and keys whose energies have the standard deviation of a new network, 1.3."""
    generator = torch.Generator().manual_seed(0)
    scales = [(WIDTH, 0.4), (WIDTH, 0.4), (CHANNELS, 1.0)]
    made = (scale * torch.randn(batch, cells, width, generator=generator) for width, scale in scales)
    return [tensor.to(device).requires_grad_() for tensor in made]


def step(form: Form, inputs: list[Tensor], upstream: Tensor) -> list[Tensor]:
    """Run one form forward and backward; return its value and gradients."""
    out = form(*inputs)
    return [out.detach(), *torch.autograd.grad(out, inputs, upstream)]


def peak_mb(form: Form, cells: int, args: argparse.Namespace) -> float:
    """Measure what one step adds to the memory of this, a fresh process; its inputs are not counted."""
    small = factors(64, args.batch, args.device)
    step(form, small, torch.ones_like(small[2]))
    inputs = factors(cells, args.batch, args.device)
    upstream = torch.ones_like(inputs[2])
    return measuring.added_mb(lambda: step(form, inputs, upstream), args.device)


def compare(cells: int, args: argparse.Namespace) -> None:
    """Print times, peaks and ratios for one number of cells."""
    inputs = factors(cells, args.batch, args.device)
    upstream = torch.randn(inputs[2].shape, generator=torch.Generator().manual_seed(1)).to(args.device)
    expected = step(naive, inputs, upstream)
    for name, form in FORMS.items():
        for ours, theirs in zip(step(form, inputs, upstream), expected, strict=True):
            error = measuring.relative_error(ours, theirs)
            assert error < 1e-4, f"{name} differs from the naive form by {error}"
    times = measuring.medians(
        {name: partial(step, form, inputs, upstream) for name, form in FORMS.items()}, args
    )
    memories = measuring.peaks(FORMS, args, f"--n={cells}")
    measuring.show(cells, times, memories)
    for what, values in (("time", times), ("memory", memories)):
        others = [name for name in FORMS if name != "blocks"]
        print(
            f"n={cells}", *(f"{what}_ratio_{name}={values['blocks'] / values[name]:.3f}" for name in others)
        )


def main() -> None:
    """Parse the command line and measure."""
    args = measuring.arguments(__doc__, FORMS, cells=True)
    for cells in args.n:
        if args.peak:
            print(peak_mb(FORMS[args.peak], cells, args))
        else:
            compare(cells, args)


if __name__ == "__main__":
    main()
