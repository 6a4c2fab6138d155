"""Batched augmentation and normalisation: a uint8 batch in, a float batch out, on any device."""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from lt_core.knobs import Knobs

Augmentation = Literal["none", "crop", "flip", "crop_flip"]


class AugmentKnobs(Knobs):
    """How images are varied."""

    augment: Augmentation = Field(
        "none", description="random crop after padding an eighth of the side; horizontal flip"
    )


class Normalise:
    """(x / 255 - mean) / std by channel, with the statistics of the images it is made from."""

    def __init__(self, images: Tensor):
        """images: uint8 [N, S, S, channels], the training subset."""
        value = torch.arange(256, dtype=torch.float64, device=images.device) / 255
        # A histogram a channel: exact, and without a float copy of all images.
        counts = [torch.bincount(channel.flatten(), minlength=256) for channel in images.unbind(-1)]
        shares = torch.stack(counts).double() / counts[0].sum()
        mean = shares @ value
        variance = (shares * (value - mean[:, None]) ** 2).sum(dim=1)
        self.mean, self.std = mean.float(), variance.sqrt().float().clamp(min=1e-3)

    def __call__(self, images: Tensor) -> Tensor:
        """uint8 [B, S, S, channels] to float32 [B, channels, S, S], laid out channels last."""
        return ((images.float() / 255 - self.mean) / self.std).permute(0, 3, 1, 2)


def augment(images: Tensor, kind: Augmentation, stream: torch.Generator) -> Tensor:
    """Crop and flip a uint8 batch [B, S, S, channels], each image by its own draw from ``stream``."""
    if "crop" in kind:
        images = random_crop(images, images.shape[1] // 8, stream)
    if "flip" in kind:
        flip = (torch.rand(len(images), generator=stream) < 0.5).to(images.device)
        images = torch.where(flip[:, None, None, None], images.flip(2), images)
    return images


def random_crop(images: Tensor, padding: int, stream: torch.Generator) -> Tensor:
    """Pad [B, S, S, channels] by ``padding`` zero pixels and cut a window of the old size at random."""
    B, S = images.shape[:2]
    padded = torch.nn.functional.pad(images, (0, 0, padding, padding, padding, padding))
    top, left = torch.randint(0, 2 * padding + 1, (2, B), generator=stream).to(images.device)
    side = torch.arange(S, device=images.device)
    rows = (top[:, None] + side)[:, :, None]
    columns = (left[:, None] + side)[:, None, :]
    batch = torch.arange(B, device=images.device)[:, None, None]
    return padded[batch, rows, columns]
