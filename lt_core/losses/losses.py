"""Losses: pure functions from logits [B, C] and labels [B] to one unweighted value an example [B].

CB-Focal is a focal loss with weighting=effective_number; class-weighted CE is ce with any weighting. How a
loss, class weights, MixUp and label smoothing combine is written in lt_core.objective.
A loss takes the knobs it needs as keyword-only arguments named as in TrainConfig, and the training images
by class, float32 [C], as ``counts``.
"""

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import torch
import torch.nn.functional as F
from pydantic import AfterValidator, Field
from torch import Tensor, nn

from lt_core.knobs import Knobs
from lt_core.registry import Registry

Bound = Callable[[Tensor, Tensor], Tensor]  # a loss whose knobs are given


@dataclass(frozen=True)
class Loss:
    """A loss, and what others must know of it.

    Attributes:
        balances: it follows the class counts, so that class weights would balance a second time.
        classifier: the one that it works with, linear or cosine; None: either.
        bias: what the classifier's bias starts at, from the number of classes; None: as it is drawn.
    """

    function: Callable[..., Tensor]
    balances: bool = False
    classifier: str | None = None
    bias: Callable[[int], float] | None = None

    def __call__(self, logits: Tensor, labels: Tensor, **knobs: Any) -> Tensor:
        return self.function(logits, labels, **knobs)

    @property
    def keywords(self) -> list[str]:
        """The knobs that it takes, and ``counts``."""
        parameters = inspect.signature(self.function).parameters.values()
        return [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]

    @property
    def takes_a_batch(self) -> bool:
        """Whether it can be called with logits, labels and its keywords."""
        try:
            inspect.signature(self.function).bind(None, None, **dict.fromkeys(self.keywords))
        except TypeError:
            return False
        return True


LOSSES: Registry[Loss] = Registry(Loss)


class LossKnobs(Knobs):
    """The loss of an image, and what the losses of lt_core take."""

    loss: Annotated[str, AfterValidator(LOSSES.known)] = Field("ce", description="the loss of an image")
    gamma: float = Field(
        1.0,
        ge=0,
        description="focusing exponent, or as a loss of your own takes it",
    )
    tau: float = Field(1.0, ge=0, description="of loss=logit_adjusted; at 1 it is balanced softmax")
    max_margin: float = Field(0.5, gt=0, description="of loss=ldam: the rarest class's")


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


@LOSSES.register("focal_sigmoid", classifier="linear", bias=lambda C: -math.log(C - 1))
def focal_sigmoid(logits: Tensor, labels: Tensor, *, gamma: float) -> Tensor:
    """Focal loss on C sigmoids, l = -sum_j (1 - p_j)^gamma log p_j with p_j = sigmoid(+-z_j), + for j = y.

    Args: logits [B, C], labels [B] int64, gamma >= 0. Returns: [B].
    Source: Cui et al. 2019, eq. 12. The bias starts at -log(C - 1), so that every
    output has p = 1/C (section 5.1).
    """
    sign = 2 * F.one_hot(labels, logits.shape[1]).to(logits.dtype) - 1
    z = sign * logits
    # log(1 - p) = log sigmoid(-z), so both factors stay in log space.
    return -(torch.exp(gamma * F.logsigmoid(-z)) * F.logsigmoid(z)).sum(dim=1)


@LOSSES.register("logit_adjusted", balances=True)
def logit_adjusted(logits: Tensor, labels: Tensor, *, tau: float, counts: Tensor) -> Tensor:
    """Cross-entropy of z_k + tau log pi_k, with pi the classes' shares of the training images.

    Args: logits [B, C], labels [B] int64, tau >= 0, counts [C]. Returns: [B].
    Source: Menon et al. 2021, eq. 10; tau = 1 is balanced softmax (Ren et al. 2020, eq. 4).
    """
    return F.cross_entropy(logits + tau * torch.log(counts / counts.sum()), labels, reduction="none")


@LOSSES.register("ldam", classifier="cosine")
def ldam(logits: Tensor, labels: Tensor, *, max_margin: float, cosine_scale: float, counts: Tensor) -> Tensor:
    """Cross-entropy after a margin is taken off the true class's cosine: s (cos_y - m_y), m_k ~ n_k^(-1/4).

    Args: logits [B, C] of the cosine classifier (s cos_k), labels [B] int64, max_margin of the rarest
        class, cosine_scale the s, counts [C]. Returns: [B].
    Source: Cao et al. 2019, "LDAM", eq. 13, with the scale of their code.
    """
    margins = counts**-0.25
    margins = cosine_scale * max_margin * margins / margins.max()
    own = F.one_hot(labels, logits.shape[1]).to(logits.dtype)
    return F.cross_entropy(logits - own * margins[labels, None].to(logits.dtype), labels, reduction="none")


def bind(name: str, knobs: Any, counts: Tensor) -> Bound:
    """Return the named loss as a function of (logits, labels), its knobs taken from ``knobs``."""
    loss = LOSSES[name]
    given = {knob: counts if knob == "counts" else getattr(knobs, knob) for knob in loss.keywords}
    return partial(loss, **given)


def start_bias(name: str, classifier: nn.Module) -> None:
    """Let the classifier's bias start where the loss wants it."""
    if bias := LOSSES[name].bias:
        assert isinstance(classifier, nn.Linear)
        nn.init.constant_(classifier.bias, bias(classifier.out_features))
