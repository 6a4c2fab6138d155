"""Post-hoc logit adjustment: what trading the head for the tail would give, without training anew."""

import numpy as np
from pydantic import Field
from torch import Tensor

from lt_core.evaluation.metrics import recall_by_class
from lt_core.knobs import Knobs

TAUS = tuple(i / 10 for i in range(21))  # of the adjustments that every evaluation reports


class PosthocKnobs(Knobs):
    """The adjustment that a run is evaluated with."""

    posthoc_tau: float = Field(0.0, ge=0, description="post-hoc logit adjustment in evaluation")


def adjusted(logits: Tensor, log_prior: Tensor, tau: float) -> Tensor:
    """Return z_k - tau log pi_k, post-hoc logit adjustment (Menon et al. 2021, eq. 9).

    Args: logits [N, C], log_prior [C] of the training images, tau >= 0.
    """
    return logits - tau * log_prior


def recall_by_tau(logits: Tensor, labels: Tensor, log_prior: Tensor) -> np.ndarray:
    """Return recall by class under the post-hoc adjustments of TAUS, float64 [len(TAUS), C]: how far the head
    can be traded for the tail without training anew. NaN for a class without support."""
    num_classes = logits.shape[1]
    predictions = [adjusted(logits, log_prior, tau).argmax(dim=1).cpu().numpy() for tau in TAUS]
    true = labels.cpu().numpy()
    return np.stack([recall_by_class(true, predicted, num_classes) for predicted in predictions])
