"""What a step trains on: which images, and what is done to them."""

from dataclasses import dataclass

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from lt_core import seeds
from lt_core.batches.augment import Augmentation, AugmentKnobs, Normalise, augment
from lt_core.batches.mixing import MixKnobs, mix
from lt_core.batches.refill import RefillKnobs, refill
from lt_core.batches.samplers import SAMPLERS, SamplerKnobs, draw_balanced
from lt_core.losses.irm import IRMKnobs
from lt_core.targets import Targets

STREAMS = ("batch order", "augment", "mix", "noise", "environments")


class BatchKnobs(IRMKnobs, MixKnobs, AugmentKnobs, SamplerKnobs, RefillKnobs):
    """What a step trains on."""

    batch_size: int = Field(128, ge=2, description="images; batch norm needs two")


@dataclass(frozen=True)
class Batch:
    """Normalised images [B, channels, S, S], targets [B], and the IRM environment of each, int64 [B]."""

    images: Tensor
    targets: Targets
    environment: Tensor | None


class Batches:
    """The training images of one run, in batches.

    Attributes:
        labels: int64 [N] on the CPU, of the images and their noisy copies.
        counts: of these, by class, float32 [C].
        streams: random streams by name.
    """

    def __init__(self, images: Tensor, labels: Tensor, config: BatchKnobs, num_classes: int):
        """``images`` uint8 [n, S, S, channels], ``labels`` int64 [n]: on the device, without copies."""
        self.config, self.images, self.device = config, images, images.device
        self.origin, self.noise = refill(labels.cpu(), num_classes, config.noise_variances)
        self.labels = labels.cpu()[self.origin]
        self.counts = torch.bincount(self.labels, minlength=num_classes).float().to(self.device)
        self.normalise = Normalise(images)
        drawn = torch.bincount(labels.cpu(), minlength=num_classes).float().to(self.device)
        self.tail = tail_mask(drawn, config.tail_classes)
        self.streams = {name: seeds.generator(config.seed, name) for name in STREAMS}

    def epoch(self, sampler: str) -> list[Tensor]:
        """Draw an epoch and cut it into batches of indices; a single image left over sits it out."""
        order = SAMPLERS[sampler](self.labels, self.counts.cpu(), self.streams["batch order"])
        batches = list(order.split(self.config.batch_size))
        return batches[:-1] if len(batches) > 1 and len(batches[-1]) == 1 else batches

    def load(self, batch: Tensor, augmentation: Augmentation, mixes: bool) -> Batch:
        """Augment, normalise, add noise and, where it ``mixes``, mix images; ``batch``: indices int64 [B]."""
        batch, environment = self._environments(batch)
        labels = self.labels[batch].to(self.device)
        images = self.images[self.origin[batch].to(self.device)]
        images = self.normalise(augment(images, augmentation, self.streams["augment"]))
        if self.config.noise_variances:
            drawn = torch.randn(images.shape, generator=self.streams["noise"])
            images = images + (drawn * self.noise[batch].sqrt()[:, None, None, None]).to(self.device)
        targets = Targets(labels)
        if mixes:
            images, targets = mix(images, labels, self.config, self.tail, self.streams["mix"])
        return Batch(images, targets, environment)

    def _environments(self, batch: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the batch and its environments: sampling adds as many class-balanced draws as there are
        images, noise tells the copies by their level."""
        if not self.config.irm_penalty:
            return batch, None
        if self.config.irm_environments == "noise":
            levels = torch.unique(self.noise[batch], return_inverse=True)[1]
            return batch, levels.to(self.device)
        drawn = draw_balanced(self.labels, self.counts.cpu(), len(batch), self.streams["environments"])
        environment = torch.arange(2, device=self.device).repeat_interleave(len(batch))
        return torch.cat([batch, drawn]), environment


def tail_mask(counts: Tensor, tail_classes: tuple[int, ...] | None) -> Tensor:
    """Return bool [C]: the classes named, or those with fewer images than the mean."""
    if tail_classes is None:
        return counts < counts.mean()
    mask = torch.zeros(len(counts), dtype=torch.bool, device=counts.device)
    mask[np.array(tail_classes, dtype=np.int64)] = True
    return mask
