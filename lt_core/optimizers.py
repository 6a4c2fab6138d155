"""The optimiser of what a stage trains, and its step."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from lt_core.knobs import Knobs, refuse


class OptimizerKnobs(Knobs):
    """The optimiser."""

    optimizer: Literal["adam", "adamw", "sgd"] = Field("adam", description="sgd: momentum 0.9")
    lr: float = Field(1e-3, gt=0, description="initial learning rate")
    weight_decay: float = Field(5e-4, ge=0, description="on all parameters")
    nesterov: bool = Field(False, description="Nesterov's momentum, of sgd")
    bias_lr_factor: float = Field(
        1.0, gt=0, description="times lr for biases; their decay a step stays that of the weights"
    )
    sam_rho: float | None = Field(
        None, gt=0, description="SAM: radius of its ascent, at twice the cost; None: none"
    )

    @model_validator(mode="after")
    def _nesterov_has_momentum(self) -> Self:
        refuse(self.nesterov and self.optimizer != "sgd", "nesterov", "needs optimizer=sgd")
        return self


def make_optimizer(
    knobs: OptimizerKnobs, lr: float, named: Iterable[tuple[str, nn.Parameter]]
) -> torch.optim.Optimizer:
    """Return the optimiser of the parameters that are trained; ``lr``: the stage's, `set_lr` changes it.

    ``fused``: one loop over all parameters instead of several over each.
    """
    trained = [(name, parameter) for name, parameter in named if parameter.requires_grad]
    groups: list[dict] = [{"params": [p for name, p in trained], "lr_factor": 1.0}]
    if knobs.bias_lr_factor != 1:
        biases = [p for name, p in trained if name.endswith("bias")]
        decay = knobs.weight_decay / knobs.bias_lr_factor
        groups[0]["params"] = [p for name, p in trained if not name.endswith("bias")]
        groups.append({"params": biases, "lr_factor": knobs.bias_lr_factor, "weight_decay": decay})
    groups = [group for group in groups if group["params"]]
    common: dict = {"lr": lr, "weight_decay": knobs.weight_decay, "fused": True}
    if knobs.optimizer == "sgd":
        return torch.optim.SGD(groups, momentum=0.9, nesterov=knobs.nesterov, **common)
    kind = torch.optim.Adam if knobs.optimizer == "adam" else torch.optim.AdamW
    return kind(groups, **common)


def set_lr(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Set the learning rate of every group, times its factor."""
    for group in optimizer.param_groups:
        group["lr"] = lr * group.get("lr_factor", 1.0)  # an older checkpoint's has none


def descend(
    optimizer: torch.optim.Optimizer,
    objective: Callable[[], tuple[Tensor, Tensor]],
    model: nn.Module,
    sam_rho: float | None,
) -> tuple[Tensor, Tensor]:
    """Take a step and return the objective's value and the logits [B, C] before it.

    With ``sam_rho`` the gradient is that of the point at this distance uphill (Foret et al. 2021, SAM, eq. 2
    and 3), where batch norm's running statistics stand still.
    """
    optimizer.zero_grad()
    value, logits = objective()
    value.backward()
    if sam_rho:
        trained = [p for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        with _uphill(trained, sam_rho), _still_statistics(model):
            optimizer.zero_grad()
            objective()[0].backward()
    optimizer.step()
    return value.detach(), logits.detach()


@contextmanager
def _uphill(parameters: list[nn.Parameter], rho: float) -> Iterator[None]:
    """Move the parameters by ``rho`` along their gradient, and back."""
    before = [parameter.detach().clone() for parameter in parameters]
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = torch.linalg.vector_norm(torch.stack([gradient.norm() for gradient in gradients]))
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.addcmul_(gradient, rho / (norm + 1e-12))
    yield
    with torch.no_grad():
        for parameter, old in zip(parameters, before, strict=True):
            parameter.copy_(old)


@contextmanager
def _still_statistics(model: nn.Module) -> Iterator[None]:
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    followed = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    yield
    for norm, momentum in zip(norms, followed, strict=True):
        norm.momentum = momentum
