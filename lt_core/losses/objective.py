"""The objective: how a loss, class weights, MixUp or CutMix, label smoothing and IRM combine.

For an image with labels a and b and the share lambda of a (no mixing: lambda = 1)

    l_i = lambda w_a l_eps(a) + (1 - lambda) w_b l_eps(b)

with the weight taken by true class, *outside* the smoothing. (torch's cross_entropy with weight= and
label_smoothing= weights the smoothed target instead: the tail's weights then pull at every image.)

    reduction=batch:    L = sum_i l_i / B                                            (Cui et al. 2019, code)
    reduction=weights:  L = sum_i l_i / sum_i (lambda w_a + (1 - lambda) w_b)             (torch's weight=)

Smoothing spreads eps over all classes, l_eps(y) = (1 - eps) l(y) + eps / C sum_j l(j) (Szegedy et al. 2016,
section 7), or over the wrong ones; that is the same family, with eps C / (C - 1) in place of eps.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from lt_core.knobs import Knobs
from lt_core.losses.irm import invariance
from lt_core.losses.losses import Bound
from lt_core.targets import Targets


class ObjectiveKnobs(Knobs):
    """How the losses of a batch become one number."""

    reduction: Literal["batch", "weights"] = Field(
        "weights", description="divide the weighted sum by the batch size or by the sum of weights"
    )
    label_smoothing: float = Field(0.0, ge=0, le=1, description="epsilon")
    label_smoothing_tail: float | None = Field(
        None,
        ge=0,
        le=1,
        description="epsilon of the rarest class, label_smoothing that of the largest; None: one for all",
    )
    smoothing_over: Literal["all", "wrong"] = Field(
        "all", description="epsilon is spread over all classes (torch) or over the wrong ones"
    )


@dataclass(frozen=True)
class Objective:
    """A scalar from logits [B, C] and targets [B].

    Attributes:
        loss: unweighted, an example each.
        weights: by class, float32 [C].
        reduction: see the module.
        penalty: IRMv1's lambda; 0: environments do not matter.
    """

    loss: Bound
    weights: Tensor
    reduction: str
    penalty: float = 0.0

    def __call__(self, logits: Tensor, targets: Targets, environment: Tensor | None = None) -> Tensor:
        """``environment``: which one each image is of, int64 [B]. The sum of R_e + lambda P_e over them."""
        if environment is None:
            return self.risk(logits, targets)
        total = torch.zeros((), device=logits.device)
        for e in environment.unique():
            own = environment == e
            total = total + self.risk(logits[own], targets[own])
            if self.penalty:
                total = total + self.penalty * invariance(self.risk, logits[own], targets[own])
        return total

    def risk(self, logits: Tensor, targets: Targets) -> Tensor:
        weights = self.weights[targets.first]
        losses = weights * self.loss(logits, targets.first)
        if targets.second is not None and targets.share is not None:
            other = self.weights[targets.second]
            share, rest = targets.share, 1 - targets.share
            losses = share * losses + rest * other * self.loss(logits, targets.second)
            weights = share * weights + rest * other
        return losses.sum() / (weights.sum() if self.reduction == "weights" else len(losses))


def smoothed(loss: Bound, epsilon: Tensor, over: str) -> Bound:
    """Return the loss with smoothed labels, for any loss; ``epsilon`` by true class, float32 [C]."""
    if not epsilon.any():
        return loss
    C = len(epsilon)
    if over == "wrong":
        epsilon = epsilon * C / (C - 1)

    def smooth(logits: Tensor, labels: Tensor) -> Tensor:
        B = len(labels)
        every_label = torch.arange(C, device=labels.device).repeat(B)
        every = loss(logits.repeat_interleave(C, dim=0), every_label).view(B, C)
        own = every.gather(1, labels[:, None]).squeeze(1)
        eps = epsilon[labels]
        return (1 - eps) * own + eps * every.mean(dim=1)

    return smooth


def epsilon_by_class(counts: np.ndarray, head: float, tail: float | None) -> np.ndarray:
    """Return float64 [C]: ``head`` for all, or label-aware, from ``head`` (largest class) to ``tail``.

    eps_k = tail + (head - tail) sin(pi (n_k - n_min) / (2 (n_max - n_min))): Zhong et al. 2021 (MiSLAS),
    section 3.2, the concave form.
    """
    n = np.asarray(counts, dtype=np.float64)
    if tail is None or n.max() == n.min():
        return np.full(len(n), head)
    return tail + (head - tail) * np.sin(math.pi * (n - n.min()) / (2 * (n.max() - n.min())))
