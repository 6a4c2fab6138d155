"""The exponential moving average of the weights, with a ramp."""

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from lt_core.knobs import Knobs

Tensors = tuple[Tensor, ...] | list[Tensor]


class AveragingKnobs(Knobs):
    """Whether the average is what is evaluated."""

    ema_decay: float | None = Field(
        None, gt=0, lt=1, description="evaluate averaged weights; None: the weights"
    )


def averaged(model: nn.Module, decay: float) -> AveragedModel:
    """Return a copy of the model whose ``update_parameters(model)`` averages weights and buffers.

    The first step copies the model; after t more the decay is min(decay, (1 + t) / (10 + t)): an average of
    0.9999 alone would still hold half of the initial weights after 6,900 steps. Source of the ramp:
    TensorFlow's ExponentialMovingAverage, num_updates.
    """

    @torch.no_grad()
    def update(averages: Tensors, values: Tensors, steps: Tensor | int) -> None:
        if not averages[0].is_floating_point():  # batch norm counts its batches
            torch._foreach_copy_(averages, values)
            return
        t = int(steps)
        torch._foreach_lerp_(averages, values, 1 - min(decay, (1 + t) / (10 + t)))

    return AveragedModel(model, multi_avg_fn=update, use_buffers=True)
