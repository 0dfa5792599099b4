"""The mean teacher's consistency, cell by cell in numpy."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special
import torch
from torch import Tensor

from scribblebench.losses.mean_teacher import MeanTeacher
from scribblebench.ops.step import Output, Step


def test_squared_differences_of_cells_on_the_image(make_step: Callable[..., Step]) -> None:
    step, asked = make_step(), []
    taught = torch.randn(2, 4, 7, 7, generator=torch.Generator().manual_seed(5))

    def averaged(images: Tensor, decay: float, **_: Any) -> Output:
        asked.append((images, decay))
        return Output(taught, logits=taught)

    value = MeanTeacher(decay=0.9)(dataclasses.replace(step, averaged=averaged)).value
    (images, decay) = asked[0]
    assert torch.equal(images, step.images.flip(-1))
    assert decay == 0.9
    ours, theirs = (scipy.special.softmax(x.detach().numpy(), axis=1) for x in (step.output.logits, taught))
    differences = [
        ((ours[b, :, i, j] - theirs[b, :, i, 6 - j]) ** 2).mean()
        for b, i, j in np.ndindex(2, 7, 7)
        if step.valid[b, 8 * i, 8 * j]
    ]
    np.testing.assert_allclose(value.item(), np.mean(differences), rtol=1e-5)
