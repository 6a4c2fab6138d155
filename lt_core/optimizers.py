"""The optimiser of what a stage trains."""

from collections.abc import Iterable
from typing import Literal

import torch
from pydantic import Field
from torch import nn

from lt_core.knobs import Knobs


class OptimizerKnobs(Knobs):
    """The optimiser."""

    optimizer: Literal["adam", "adamw", "sgd"] = Field("adam", description="sgd: momentum 0.9")
    lr: float = Field(1e-3, gt=0, description="initial learning rate")
    weight_decay: float = Field(5e-4, ge=0, description="on all parameters")


def make_optimizer(
    knobs: OptimizerKnobs, lr: float, parameters: Iterable[nn.Parameter]
) -> torch.optim.Optimizer:
    """Return the optimiser of the parameters that are trained; ``lr``: the stage's."""
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    if knobs.optimizer == "sgd":
        return torch.optim.SGD(trained, lr, momentum=0.9, weight_decay=knobs.weight_decay)
    kind = torch.optim.Adam if knobs.optimizer == "adam" else torch.optim.AdamW
    return kind(trained, lr, weight_decay=knobs.weight_decay)
