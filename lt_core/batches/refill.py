"""Noise refill: every class is filled up to the largest with noisy copies of its images."""

from typing import Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from lt_core.knobs import Knobs, refuse


class RefillKnobs(Knobs):
    """The noise of the copies."""

    noise_variances: tuple[float, ...] | None = Field(
        None, description="refill every class up to the largest with copies of its images under this noise"
    )

    @model_validator(mode="after")
    def _variances_are_above_0(self) -> Self:
        variances = self.noise_variances
        negative = variances is not None and min(variances, default=-1) <= 0
        refuse(negative, "noise_variances", "must be one or more values above 0")
        return self


def refill(labels: Tensor, num_classes: int, variances: tuple[float, ...] | None) -> tuple[Tensor, Tensor]:
    """Return the image that each training item is made from, int64 [N], and its noise's variance [N].

    With ``variances`` every class is filled up to the largest by copies of its images, all of them under the
    first variance, then under the second, and so on. The noise is of the normalised image (unit variance) and
    drawn anew whenever a copy is used; the images themselves have none.
    """
    origin, noise = torch.arange(len(labels)), torch.zeros(len(labels))
    if not variances:
        return origin, noise
    counts = torch.bincount(labels, minlength=num_classes)
    for k in range(num_classes):
        members = torch.nonzero(labels == k).flatten()
        copies = torch.arange(int(counts.max()) - len(members))
        rounds = copies // len(members) % len(variances)
        origin = torch.cat([origin, members[copies % len(members)]])
        noise = torch.cat([noise, torch.tensor(variances)[rounds]])
    return origin, noise
