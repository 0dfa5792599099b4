"""Arrays from the processor's memory to a device, without waiting for them."""

from __future__ import annotations

import torch
from torch import Tensor


def send(values: Tensor, device: torch.device) -> Tensor:
    """Move a tensor to a device; neither side waits for the other.

    Only from memory that the system does not move can a CUDA device fetch by itself.
    """
    if device.type == "cuda" and values.device.type == "cpu":
        values = values.pin_memory()
    return values.to(device, non_blocking=True)
