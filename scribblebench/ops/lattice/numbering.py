"""Numbers for what has a code: vertices of a lattice, groups of pixels."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Numbering(NamedTuple):
    """The different codes among n, numbered from the smallest, and where each of them occurs.

    Attributes:
        codes: the different ones, ascending.
        number: (n,) int32, of each of the n.
        order: (n,), positions sorted by code; equal codes keep their order.
        starts: int32, where each different code begins in ``order``.
    """

    codes: Tensor
    number: Tensor
    order: Tensor
    starts: Tensor


def number(codes: Tensor) -> Numbering:
    """Number codes (n,) of integers.

    One stable sort does it all, and is a radix sort for integers on a CPU. It leaves the same result on every
    device.

    >>> [part.tolist() for part in number(torch.tensor([7, 3, 7]))]
    [[3, 7], [1, 0, 1], [1, 0, 2], [0, 1]]
    """
    ordered, order = codes.sort(stable=True)
    first = torch.ones_like(ordered, dtype=torch.bool)
    torch.ne(ordered[1:], ordered[:-1], out=first[1:])
    starts = first.nonzero().view(-1)
    numbers = torch.empty_like(codes, dtype=torch.int32)
    numbers.scatter_(0, order, first.cumsum(0, dtype=torch.int32).sub_(1))
    return Numbering(ordered[starts], numbers, order, starts.int())
