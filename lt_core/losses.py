"""Losses: pure functions from logits [B, C] and labels [B] to one unweighted value an example [B].

Class weights act *outside* the loss, by true class, and the reduction is named:

    batch:    L = sum_i w_{y_i} l_i / B               (Cui et al. 2019, code)
    weights:  L = sum_i w_{y_i} l_i / sum_i w_{y_i}   (torch's cross_entropy with weight=)

CB-Focal is a focal loss with weighting=effective_number; class-weighted CE is ce with any weighting.
A loss takes the knobs it needs as keyword-only arguments named as in TrainConfig.
"""

import inspect
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lt_core.registry import Registry

Loss = Callable[..., Tensor]
LOSSES: Registry[Loss] = Registry()


@LOSSES.register("ce")
def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Softmax cross-entropy, l = -log p_y.

    Args: logits [B, C], labels [B] int64. Returns: [B].
    """
    return F.cross_entropy(logits, labels, reduction="none")


@LOSSES.register("focal")
def focal(logits: Tensor, labels: Tensor, *, gamma: float) -> Tensor:
    """Focal loss on the softmax, l = -(1 - p_y)^gamma log p_y; gamma = 0 is cross-entropy.

    Args: logits [B, C], labels [B] int64, gamma >= 0. Returns: [B].
    Source: Lin et al. 2017, "Focal Loss for Dense Object Detection", eq. 4, with the softmax's p.
    """
    log_p = -F.cross_entropy(logits, labels, reduction="none")
    # log(1 - p) instead of 1 - p: where p rounds to 1 the power's gradient would be NaN for gamma < 1.
    log_not_p = torch.log(-torch.expm1(log_p.clamp(max=-1e-7)))
    return -torch.exp(gamma * log_not_p) * log_p


@LOSSES.register("focal_sigmoid")
def focal_sigmoid(logits: Tensor, labels: Tensor, *, gamma: float) -> Tensor:
    """Focal loss on C sigmoids, l = -sum_j (1 - p_j)^gamma log p_j with p_j = sigmoid(+-z_j), + for j = y.

    Args: logits [B, C], labels [B] int64, gamma >= 0. Returns: [B].
    Source: Cui et al. 2019, eq. 12. The classifier's bias starts at -log(C - 1), see `prior_bias`.
    """
    sign = 2 * F.one_hot(labels, logits.shape[1]).to(logits.dtype) - 1
    z = sign * logits
    # log(1 - p) = log sigmoid(-z), so both factors stay in log space.
    return -(torch.exp(gamma * F.logsigmoid(-z)) * F.logsigmoid(z)).sum(dim=1)


def bind(name: str, knobs: Any) -> Loss:
    """Return the named loss as a function of (logits, labels), its knobs taken from ``knobs``."""
    loss = LOSSES[name]
    needed = [p.name for p in inspect.signature(loss).parameters.values() if p.kind is p.KEYWORD_ONLY]
    return partial(loss, **{knob: getattr(knobs, knob) for knob in needed})


def reduce(losses: Tensor, weights: Tensor, reduction: str) -> Tensor:
    """Return the scalar of losses [B] and the weights of their true classes [B], see the module."""
    total = (weights * losses).sum()
    return total / (weights.sum() if reduction == "weights" else len(losses))


def prior_bias(loss: str, model: nn.Module) -> None:
    """Start a sigmoid loss at p = 1/C for every output (Cui et al. 2019, section 5.1)."""
    if loss == "focal_sigmoid":
        classifier = model.get_submodule("classifier")
        assert isinstance(classifier, nn.Linear)
        nn.init.constant_(classifier.bias, -math.log(classifier.out_features - 1))
