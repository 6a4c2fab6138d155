"""Batched augmentation and normalisation: a uint8 batch in, a float batch out, on any device."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from lt_core.knobs import Knobs

Augmentation = Literal["none", "crop", "flip", "crop_flip"]


class AugmentKnobs(Knobs):
    """How images are varied."""

    augment: Augmentation = Field(
        "none", description="random crop after padding an eighth of the side; horizontal flip"
    )
    crop_padding: Literal["zeros", "reflect"] = Field("zeros", description="what a crop sees of outside")
    alternate_flips: bool = Field(
        False, description="each image is flipped in every other epoch, by chance in the odd or the even ones"
    )
    cutout: float | None = Field(
        None, gt=0, le=1, description="side of a grey square in each image, as a share of the image's"
    )
    trivial_augment: bool = Field(False, description="one random operation of TrivialAugment on each image")


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
        std = variance.sqrt().clamp(min=1e-3)
        # Of a row of pixels: loops over three channels are five times as slow.
        self.factor = (1 / (255 * std)).float().repeat(images.shape[2])
        self.shift = (-mean / std).float().repeat(images.shape[2])

    def __call__(self, images: Tensor) -> Tensor:
        """uint8 [B, S, S, channels] to float32 [B, channels, S, S], laid out channels last."""
        rows = images.flatten(2).float()
        return torch.addcmul(self.shift, rows, self.factor).view(images.shape).permute(0, 3, 1, 2)


@dataclass(frozen=True, kw_only=True)
class Draws:
    """What chance decides for images: the corner of the window [2, B], whether it is flipped [B], the centre
    of the hole [2, B] in pixels; None: not done."""

    corner: Tensor | None = None
    flipped: Tensor | None = None
    centre: Tensor | None = None

    def split(self, size: int) -> Iterator["Draws"]:
        """Cut them into batches, without an end where nothing was drawn."""
        parts = [repeat(None) if each is None else each.split(size, dim=-1) for each in vars(self).values()]
        for corner, flipped, centre in zip(*parts, strict=False):
            yield Draws(corner=corner, flipped=flipped, centre=centre)


def padding(side: int) -> int:
    """Return the pixels that a crop may be off."""
    return side // 8


def augment(images: Tensor, draws: Draws, config: AugmentKnobs) -> Tensor:
    """Vary a uint8 batch [B, S, S, channels] as drawn; TrivialAugment draws from torch's global stream."""
    if draws.corner is not None:
        images = crop(images, draws.corner, padding(images.shape[1]), config.crop_padding)
    if draws.flipped is not None:
        images = torch.where(draws.flipped[:, None, None, None], images.flip(2), images)
    if config.trivial_augment:
        from torchvision.transforms import TrivialAugmentWide  # a second, which most runs need not wait

        vary, each = TrivialAugmentWide(), images.permute(0, 3, 1, 2)
        images = torch.stack([vary(image) for image in each]).permute(0, 2, 3, 1).contiguous()
    return images


def crop(images: Tensor, corner: Tensor, padding: int, mode: str) -> Tensor:
    """Pad [B, S, S, channels] by ``padding`` pixels, zeros or the image's reflection, and cut the window of
    the old size at ``corner`` [2, B], row and column, of each."""
    B, S = images.shape[:2]
    if mode == "zeros":
        padded = F.pad(images, (0, 0, padding, padding, padding, padding))
    else:
        seen = torch.arange(-padding, S + padding, device=images.device).abs()
        seen = torch.minimum(seen, 2 * (S - 1) - seen)
        padded = images[:, seen][:, :, seen]
    windows = padded.unfold(1, S, 1).unfold(2, S, 1).permute(0, 1, 2, 4, 5, 3)
    return windows[torch.arange(B, device=images.device), corner[0], corner[1]]


def cut_out(images: Tensor, centre: Tensor, share: float) -> Tensor:
    """Set a square to 0, the mean colour, in normalised images [B, channels, S, S] (DeVries and Taylor 2017).

    Its side is ``share`` of the image's, its ``centre`` [2, B] anywhere in the image, clipped at the border.
    """
    S = images.shape[-1]
    side = max(1, round(share * S))
    pixel = torch.arange(S, device=images.device)
    first = (centre - side // 2)[:, :, None]
    inside = (pixel >= first) & (pixel < first + side)
    hole = inside[0][:, None, :, None] & inside[1][:, None, None, :]
    return images.masked_fill(hole, 0.0)
