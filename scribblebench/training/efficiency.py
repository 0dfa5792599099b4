"""What a method costs: parameters, memory, speed and arithmetic, on images of noise (paper, Table 5)."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from scribblebench.core.cards import MethodCard, ProtocolCard
from scribblebench.core.seeds import integer_seed
from scribblebench.inference.whole_image import probabilities
from scribblebench.loading.batches import Batches
from scribblebench.loading.images import Pictures, normalise
from scribblebench.nn.network import Network, build_network, parameter_counts
from scribblebench.training.build import make_terms
from scribblebench.training.loop import Trainer, autocast
from scribblebench.training.memory import peak_mb, reset_peak

# Raise it when the same model would be measured otherwise than before.
RULE = 1
# Each speed is the median of as many repetitions as fit into these seconds, and at least one.
SECONDS = 3.0
# Share of labelled pixels, as of strokes three pixels wide on a photograph.
LABELLED = 0.03
IGNORE = 255


def measure(
    method: MethodCard, protocol: ProtocolCard, classes: int, device: str
) -> dict[str, str | int | float | None]:
    """Measure one method; for memory on the CPU the process must be a fresh one.

    Memory is the growth of the peak since before the network was built, so weights count: on CUDA of what is
    allocated, on the CPU of the resident set. Inference is a forward pass to probabilities of every pixel;
    training is a step in which every loss acts, with the optimiser's state.

    Args:
        method: its card.
        protocol: backbone, crop and batch; the weights are random.
        classes: number of classes.
        device: such as ``cpu`` or ``cuda:0``.

    Returns:
        One row of a table. MB are 2^20 bytes, GFLOP 10^9 operations of one image's forward pass, where a
        multiply-add is two.
    """
    place = torch.device(device)
    _wake(place)
    reset_peak(place)
    before = peak_mb(place)
    network = build_network(protocol, method, classes, seed=0)
    network = network.to(place).to(memory_format=torch.channels_last)
    batches = noise(protocol, classes, place)
    forward = _inference(network.eval(), batches, protocol)
    seconds = _median(forward, place)
    inference_memory = peak_mb(place) - before
    operations = count_flops(forward)
    trainer = Trainer(network, make_terms(method), batches, protocol)
    step_seconds = _median(_training_step(trainer, protocol), place)
    training_memory = peak_mb(place) - before
    return {
        **_counted(network),
        "training_memory_mb": round(training_memory, 1),
        "inference_memory_mb": round(inference_memory, 1),
        "images_per_second": round(protocol.batch / seconds, 3),
        "training_images_per_second": round(protocol.batch / step_seconds, 3),
        "gflops": round(operations / protocol.batch / 1e9, 3),
        "crop": protocol.crop,
        "batch": protocol.batch,
        "output_stride": protocol.output_stride,
    }


def _counted(network: Network) -> dict[str, int | float]:
    counts = parameter_counts(network)
    total = sum(counts.values())
    parts = {f"{part}_parameters": count for part, count in counts.items()}
    return {"parameters": total, **parts, "parameters_mi": round(total / 2**20, 4)}


def noise(protocol: ProtocolCard, classes: int, device: torch.device) -> Batches:
    """Make a training split of one batch: noise of the crop's size, few pixels of it labelled."""
    generator = torch.Generator().manual_seed(integer_seed("efficiency"))
    shape = (protocol.batch, 1, protocol.crop, protocol.crop)
    photographs = torch.randint(256, (shape[0], 3, *shape[2:]), generator=generator, dtype=torch.uint8)
    labels = torch.randint(classes, shape, generator=generator, dtype=torch.uint8)
    labels[torch.rand(shape, generator=generator) > LABELLED] = IGNORE
    return Batches(
        ids=[str(index) for index in range(protocol.batch)],
        images=Pictures.of(photographs.to(device)),
        labels=Pictures.of(labels.to(device)),
        tags=torch.ones(protocol.batch, classes, dtype=torch.bool),
        augmentation=protocol.augmentation,
        side=protocol.crop,
        size=protocol.batch,
        seed=0,
        ignore_index=IGNORE,
        device=device,
    )


def count_flops(forward: Callable[[], object]) -> int:
    """Count the floating-point operations of matrix products and convolutions.

    >>> count_flops(lambda: torch.ones(2, 3) @ torch.ones(3, 5))  # 2 * 2 * 3 * 5
    60
    """
    with FlopCounterMode(display=False) as counter:
        forward()
    return int(counter.get_total_flops())


def _inference(network: Network, batches: Batches, protocol: ProtocolCard) -> Callable[[], Tensor]:
    device = batches.images.pixels.device
    images = normalise(batches.images.together(range(protocol.batch)))

    def logits(images: Tensor) -> Tensor:
        with autocast(device, protocol.precision):
            output: Tensor = network(images).logits
        return output

    @torch.no_grad()  # in inference mode the operations could not be counted
    def forward() -> Tensor:
        return probabilities(logits, images, protocol.output_stride)

    return forward


def _training_step(trainer: Trainer, protocol: ProtocolCard) -> Callable[[], object]:
    """Return a step with every loss acting, augmentation included; what an epoch logs at its end is not."""
    trainer.network.train()
    # At the very end of a run even a loss that sets in late acts, however few epochs there are.
    return lambda: trainer.step(next(trainer.batches.epoch(0)), protocol.epochs, 0)


def _median(action: Callable[[], object], device: torch.device) -> float:
    action()  # the first call allocates, and picks algorithms
    times: list[float] = []
    while sum(times) < SECONDS:
        _finish(device)
        started = time.perf_counter()
        action()
        _finish(device)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _wake(device: torch.device) -> None:
    """Load what any network needs, so that it is not counted as this one's."""
    layer = torch.nn.Conv2d(3, 3, 3).to(device)
    layer(torch.ones(1, 3, 9, 9, device=device)).sum().backward()
