"""MixUp and CutMix: two images and two labels become one image and a share of each label."""

from typing import Self

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor

from lt_core.knobs import Knobs, refuse
from lt_core.targets import Targets

IN_CHARGE = ("mixup_alpha", "mixup_lambda", "cutmix_alpha", "cutmix_lambda")


class MixKnobs(Knobs):
    """MixUp or CutMix: one of the first four knobs is in charge of a batch, or none."""

    mixup_alpha: float | None = Field(None, gt=0, description="MixUp with lambda from Beta(alpha, alpha)")
    mixup_lambda: float | None = Field(None, ge=0, le=1, description="MixUp with this lambda")
    cutmix_alpha: float | None = Field(None, gt=0, description="CutMix with lambda from Beta(alpha, alpha)")
    cutmix_lambda: float | None = Field(None, ge=0, le=1, description="CutMix with this lambda")
    cutmix_probability: float = Field(1.0, ge=0, le=1, description="share of the batches that are cut")
    cutmix_tail_only: bool = Field(False, description="cut pairs only where one image is of a tail class")
    tail_classes: tuple[int, ...] | None = Field(
        None, description="None: classes with fewer images than the mean"
    )

    @property
    def mixing(self) -> list[str]:
        """The knobs in charge."""
        return [knob for knob in IN_CHARGE if getattr(self, knob) is not None]

    @model_validator(mode="after")
    def _one_mixing_is_in_charge(self) -> Self:
        mixing = self.mixing
        if len(mixing) > 1:
            both = f"{mixing[0]}, {mixing[1]}"
            raise ValueError(f"{both}: only one can be in charge of a batch, unset the other")
        needs = "needs cutmix_alpha or cutmix_lambda"
        cutting = any(knob.startswith("cutmix") for knob in mixing)
        refuse(self.cutmix_tail_only and not cutting, "cutmix_tail_only", needs)
        refuse(self.cutmix_probability < 1 and not cutting, "cutmix_probability", needs)
        alone = self.tail_classes is not None and not self.cutmix_tail_only
        refuse(alone, "tail_classes", "goes with cutmix_tail_only")
        refuse(self.tail_classes == (), "tail_classes", "names no class")
        return self


def mix(
    images: Tensor, labels: Tensor, config: MixKnobs, tail: Tensor, stream: torch.Generator
) -> tuple[Tensor, Targets]:
    """Mix a batch [B, channels, S, S] with itself in a drawn order, as the config says.

    One lambda a batch, fixed or from Beta(alpha, alpha). ``tail``: bool [C].
    """
    alpha, fixed = config.mixup_alpha, config.mixup_lambda
    cut = alpha is None and fixed is None
    if cut:
        alpha, fixed = config.cutmix_alpha, config.cutmix_lambda
    if alpha is None and fixed is None:
        return images, Targets(labels)
    # torch draws no Beta from a stream of its own; numpy does, from a seed out of the stream.
    rng = np.random.default_rng(int(torch.randint(2**31, (), generator=stream)))
    share = fixed if alpha is None else float(rng.beta(alpha, alpha))
    assert share is not None
    partner = torch.from_numpy(rng.permutation(len(labels))).to(labels.device)
    if not cut:
        return mixup(images, labels, partner, share)
    if rng.random() >= config.cutmix_probability:
        return images, Targets(labels)
    pairs = torch.ones_like(labels, dtype=torch.bool)
    if config.cutmix_tail_only:
        pairs = tail[labels] | tail[labels[partner]]
    box = random_box(images.shape[-1], share, rng)
    return cutmix(images, labels, partner, pairs, box)


def mixup(images: Tensor, labels: Tensor, partner: Tensor, share: float) -> tuple[Tensor, Targets]:
    """x = lambda x_a + (1 - lambda) x_b, and labels alike (Zhang et al. 2018, eq. 1).

    Args: images [B, channels, S, S], labels [B], partner [B] the index of b, share the lambda.
    """
    shares = torch.full((len(labels),), share, device=images.device)
    return share * images + (1 - share) * images[partner], Targets(labels, labels[partner], shares)


def random_box(side: int, share: float, rng: np.random.Generator) -> tuple[int, int, int, int]:
    """Return (top, bottom, left, right) of a box with sides sqrt(1 - share) of the image's and its centre
    anywhere in it, clipped at the border (Yun et al. 2019, eq. 2)."""
    half = side * (1 - share) ** 0.5 / 2
    row, column = rng.uniform(0, side, 2)
    edges = np.rint([row - half, row + half, column - half, column + half])
    top, bottom, left, right = np.clip(edges, 0, side).astype(int)
    return int(top), int(bottom), int(left), int(right)


def cutmix(
    images: Tensor, labels: Tensor, partner: Tensor, pairs: Tensor, box: tuple[int, int, int, int]
) -> tuple[Tensor, Targets]:
    """Paste the box of image b into image a; the share of a is the area that it keeps (Yun et al. 2019).

    Args: as for `mixup`; pairs [B] bool: where it is done, elsewhere the share is 1; box: `random_box`.
    """
    top, bottom, left, right = box
    area = (bottom - top) * (right - left) / images.shape[-1] ** 2
    mixed = images.clone()
    inside = images[partner][:, :, top:bottom, left:right]
    kept = images[:, :, top:bottom, left:right]
    mixed[:, :, top:bottom, left:right] = torch.where(pairs[:, None, None, None], inside, kept)
    shares = torch.where(pairs, 1 - area, 1.0).to(images.device)
    return mixed, Targets(labels, labels[partner], shares)
