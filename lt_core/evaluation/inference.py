"""Inference: from images to logits."""

import copy
import math
from typing import Literal, Self

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from lt_core.batches.augment import Normalise
from lt_core.hardware import HardwareKnobs
from lt_core.knobs import refuse
from lt_core.models.classifiers import classifier_of, replace_classifier, tau_normalised

BATCH = 250  # fits the cache: more than twice as fast as 1000 for a small network on a core


class InferenceKnobs(HardwareKnobs):
    """What is done to a trained network and to the images that it is evaluated on."""

    tta: Literal["none", "horizontal", "vertical", "both"] = Field(
        "none", description="average predictions over flips of the image"
    )
    tau_norm: float = Field(0.0, ge=0, description="divide class weights by their norm^tau in evaluation")
    evaluate_at: tuple[float, ...] | None = Field(
        None, description="shares of the epochs after which the run is evaluated, and after all; None: each"
    )

    @model_validator(mode="after")
    def _evaluations_are_shares(self) -> Self:
        shares = all(0 < share <= 1 for share in self.evaluate_at or ())
        refuse(not shares, "evaluate_at", "must be shares of the epochs, above 0 and up to 1")
        return self


def is_evaluated(config: InferenceKnobs, epoch: int, epochs: int) -> bool:
    """Say whether a run of ``epochs`` epochs is evaluated after this one: the last always is."""
    if config.evaluate_at is None or epoch == epochs:
        return True
    return epoch in {math.ceil(round(share * epochs, 6)) for share in config.evaluate_at}


def forward(model: nn.Module, images: Tensor, config: HardwareKnobs) -> Tensor:
    """Return float32 logits [B, C], computed in the config's precision and memory format."""
    layout = torch.channels_last if config.channels_last else torch.contiguous_format
    images = images.contiguous(memory_format=layout)
    with torch.autocast(config.device, torch.bfloat16, enabled=config.precision == "bf16"):
        return model(images).float()


@torch.no_grad()
def evaluate(model: nn.Module, normalise: Normalise, images: Tensor, config: InferenceKnobs) -> Tensor:
    """Return float32 logits [N, C] of uint8 images, with config.tta and config.tau_norm.

    Over several views the logits are the logarithm of the mean probability.
    """
    model.eval()
    if config.tau_norm:
        model = copy.deepcopy(model)
        replace_classifier(model, tau_normalised(classifier_of(model), config.tau_norm))
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
