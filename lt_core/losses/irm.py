"""Invariant risk minimisation: a penalty on what an environment alone would change (Arjovsky et al. 2019)."""

from collections.abc import Callable
from typing import Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from lt_core.knobs import Knobs, refuse
from lt_core.targets import Targets


class IRMKnobs(Knobs):
    """The penalty, when it acts, and what its environments are."""

    irm_penalty: float = Field(0.0, ge=0, description="IRMv1's lambda")
    irm_warmup: float = Field(0.0, ge=0, lt=1, description="share of the budget without the penalty")
    irm_environments: Literal["sampling", "noise"] = Field(
        "sampling", description="uniform and class-balanced sampling, or the levels of noise_variances"
    )

    @model_validator(mode="after")
    def _a_warmup_leads_somewhere(self) -> Self:
        refuse(self.irm_warmup > 0 and not self.irm_penalty, "irm_warmup", "needs irm_penalty above 0")
        return self


def invariance(risk: Callable[[Tensor, Targets], Tensor], logits: Tensor, targets: Targets) -> Tensor:
    """Return IRMv1's penalty of one environment, |d R(w z) / dw|^2 at w = 1, without bias.

    The product of the gradients on the two halves of its images (Arjovsky et al. 2019, section 3.1 and
    appendix D); 0 where an environment has a single image.
    """
    if len(logits) < 2:
        return torch.zeros((), device=logits.device)
    gradients = []
    for half in (slice(0, None, 2), slice(1, None, 2)):
        w = torch.ones((), dtype=logits.dtype, device=logits.device, requires_grad=True)
        (gradient,) = torch.autograd.grad(risk(w * logits[half], targets[half]), w, create_graph=True)
        gradients.append(gradient)
    return gradients[0] * gradients[1]
