"""What a step trains on: which images, and what is done to them."""

from dataclasses import dataclass

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from lt_core import seeds
from lt_core.batches.augment import Augmentation, AugmentKnobs, Draws, Normalise, augment, cut_out, padding
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


@dataclass(frozen=True)
class Drawn:
    """A batch to be: the indices of its items, int64 [B] on the device, and what is done to their images."""

    indices: Tensor
    draws: Draws

    def __len__(self) -> int:
        return len(self.indices)


class Batches:
    """The training images of one run, in batches.

    Attributes:
        labels: int64 [N] on the CPU, of the images and their noisy copies; origin, noise: of `refill`.
        counts: of these, by class, float32 [C].
        streams: random streams by name.
    """

    def __init__(self, images: Tensor, labels: Tensor, config: BatchKnobs, num_classes: int):
        """``images`` uint8 [n, S, S, channels], ``labels`` int64 [n]: on the device, without copies."""
        self.config, self.images, self.device = config, images, images.device
        self.origin, self.noise = refill(labels.cpu(), num_classes, config.noise_variances)
        self.labels = labels.cpu()[self.origin]
        # What steps read is where they run.
        self.there = [each.to(self.device) for each in (self.labels, self.origin, self.noise)]
        self.counts = torch.bincount(self.labels, minlength=num_classes).float().to(self.device)
        self.normalise = Normalise(images)
        drawn = torch.bincount(labels.cpu(), minlength=num_classes).float().to(self.device)
        self.tail = tail_mask(drawn, config.tail_classes)
        self.streams = {name: seeds.generator(config.seed, name) for name in STREAMS}
        self.odd = torch.rand(len(labels), generator=seeds.generator(config.seed, "alternate flips")) < 0.5

    def epoch(self, sampler: str, augmentation: Augmentation, number: int) -> list[Drawn]:
        """Draw all of an epoch at once, and cut it into batches; a single image left over sits it out.

        ``number``: the epoch's.
        """
        order = SAMPLERS[sampler](self.labels, self.counts.cpu(), self.streams["batch order"])
        size = self.config.batch_size
        batches = list(order.split(size))
        if len(batches) > 1 and len(batches[-1]) == 1:
            batches.pop()
        if self.config.irm_penalty and self.config.irm_environments == "sampling":
            # A second environment: as many class-balanced draws as there are images.
            batches = [torch.cat([batch, self._balanced(len(batch))]) for batch in batches]
            size *= 2
        order = torch.cat(batches)
        draws = self._draw(self.origin[order], augmentation, number)
        return list(map(Drawn, order.to(self.device).split(size), draws.split(size)))

    def load(self, drawn: Drawn, mixes: bool) -> Batch:
        """Augment, normalise, add noise and, where it ``mixes``, mix the images that were drawn."""
        labels, origin, noise = (each[drawn.indices] for each in self.there)
        images = augment(self.images.index_select(0, origin), drawn.draws, self.config)
        images = self.normalise(images)
        if drawn.draws.centre is not None and self.config.cutout is not None:
            images = cut_out(images, drawn.draws.centre, self.config.cutout)
        if self.config.noise_variances:
            normal = torch.randn(images.shape, generator=self.streams["noise"]).to(self.device)
            images = images + normal * noise.sqrt()[:, None, None, None]
        environment = self._environments(noise) if self.config.irm_penalty else None
        targets = Targets(labels)
        if mixes:
            images, targets = mix(images, labels, self.config, self.tail, self.streams["mix"])
        return Batch(images, targets, environment)

    def _draw(self, origin: Tensor, kind: Augmentation, number: int) -> Draws:
        """Draw what is done to the images of an epoch, int64 [N] of their indices."""
        stream, N, side = self.streams["augment"], len(origin), self.images.shape[1]
        corner = flipped = centre = None
        if "crop" in kind:
            corner = torch.randint(0, 2 * padding(side) + 1, (2, N), generator=stream).to(self.device)
        if "flip" in kind and self.config.alternate_flips:
            flipped = (self.odd[origin] ^ bool(number % 2)).to(self.device)
        elif "flip" in kind:
            flipped = (torch.rand(N, generator=stream) < 0.5).to(self.device)
        if self.config.cutout is not None:
            centre = torch.randint(0, side, (2, N), generator=stream).to(self.device)
        return Draws(corner=corner, flipped=flipped, centre=centre)

    def _balanced(self, n: int) -> Tensor:
        return draw_balanced(self.labels, self.counts.cpu(), n, self.streams["environments"])

    def _environments(self, noise: Tensor) -> Tensor:
        """Return the environment of each image: the images and the balanced draws, or levels of noise."""
        if self.config.irm_environments == "noise":
            return torch.unique(noise, return_inverse=True)[1]
        return torch.arange(2, device=self.device).repeat_interleave(len(noise) // 2)


def tail_mask(counts: Tensor, tail_classes: tuple[int, ...] | None) -> Tensor:
    """Return bool [C]: the classes named, or those with fewer images than the mean."""
    if tail_classes is None:
        return counts < counts.mean()
    mask = torch.zeros(len(counts), dtype=torch.bool, device=counts.device)
    mask[np.array(tail_classes, dtype=np.int64)] = True
    return mask
