"""Evaluation: logits of a split, and what trading the head for the tail would give."""

import copy
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from lt_core.batches.augment import Normalise
from lt_core.evaluation.metrics import recall_by_class
from lt_core.models.classifiers import tau_normalised

if TYPE_CHECKING:
    from lt_core.config import TrainConfig

BATCH = 250  # fits the cache: more than twice as fast as 1000 for a small network on a core
TAUS = tuple(i / 10 for i in range(21))  # of the post-hoc adjustments that every evaluation reports


def forward(model: nn.Module, images: Tensor, config: "TrainConfig") -> Tensor:
    """Return float32 logits [B, C], computed in the config's precision and memory format."""
    layout = torch.channels_last if config.channels_last else torch.contiguous_format
    images = images.contiguous(memory_format=layout)
    with torch.autocast(config.device, torch.bfloat16, enabled=config.precision == "bf16"):
        return model(images).float()


@torch.no_grad()
def evaluate(model: nn.Module, normalise: Normalise, images: Tensor, config: "TrainConfig") -> Tensor:
    """Return float32 logits [N, C] of uint8 images, with config.tta and config.tau_norm.

    Over several views the logits are the logarithm of the mean probability.
    """
    model.eval()
    if config.tau_norm:
        model = copy.deepcopy(model.module if isinstance(model, AveragedModel) else model)
        model.classifier = tau_normalised(model.classifier, config.tau_norm)  # type: ignore[arg-type]
    found = []
    for batch in images.split(BATCH):
        each = [forward(model, view, config) for view in views(normalise(batch), config.tta)]
        if len(each) == 1:
            found += each
        else:
            found.append(
                torch.stack([z.log_softmax(dim=1) for z in each]).logsumexp(dim=0) - np.log(len(each))
            )
    return torch.cat(found)


def views(images: Tensor, tta: str) -> list[Tensor]:
    """Return the views [B, channels, S, S] to average over: the image, and its flips as ``tta`` says."""
    flips: dict[str, list[list[int]]] = {
        "none": [],
        "horizontal": [[3]],
        "vertical": [[2]],
        "both": [[3], [2], [2, 3]],
    }
    return [images, *(images.flip(axes) for axes in flips[tta])]


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
