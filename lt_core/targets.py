"""What an image is trained towards: a label, or shares of two."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Targets:
    """Two labels an image, int64 [B], and the share of the first, float32 [B]; no second: share 1."""

    first: Tensor
    second: Tensor | None = None
    share: Tensor | None = None

    @property
    def larger(self) -> Tensor:
        """The label with the larger share, [B]."""
        if self.second is None or self.share is None:
            return self.first
        return torch.where(self.share >= 0.5, self.first, self.second)

    def __getitem__(self, chosen: Tensor | slice) -> "Targets":
        if self.second is None or self.share is None:
            return Targets(self.first[chosen])
        return Targets(self.first[chosen], self.second[chosen], self.share[chosen])
