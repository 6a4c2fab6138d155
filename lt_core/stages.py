"""Decoupling (Kang et al. 2020): stage 1 learns the representation, stage 2 the classifier alone."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from lt_core import seeds
from lt_core.losses import losses
from lt_core.models.classifiers import ScaledLinear

if TYPE_CHECKING:
    from lt_core.config import TrainConfig


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What holds from epoch ``first`` to ``last``, both included; the other knobs hold in both stages."""

    number: int
    first: int
    last: int
    lr: float
    sampler: str
    weighting: str
    augment: str
    mixes: bool
    label_smoothing: float
    label_smoothing_tail: float | None

    def progress(self, epoch: int, share: float = 0.0) -> float:
        """Return the share of the stage that is done after ``share`` of an epoch."""
        return (epoch - self.first + share) / (self.last - self.first + 1)


def stages(config: "TrainConfig") -> list[Stage]:
    """Return the run's stages: one, or two where the config has a stage 2."""
    last = config.epochs if config.stage1_share is None else round(config.stage1_share * config.epochs)
    one = Stage(
        number=1,
        first=1,
        last=last,
        lr=config.lr,
        sampler=config.sampler,
        weighting=config.weighting,
        augment=config.augment,
        mixes=True,
        label_smoothing=config.label_smoothing,
        label_smoothing_tail=config.label_smoothing_tail,
    )
    if config.stage1_share is None:
        return [one]
    own = config.stage2_label_smoothing is not None
    two = Stage(
        number=2,
        first=last + 1,
        last=config.epochs,
        lr=config.lr * (config.stage2_lr_factor or 1),
        sampler=config.stage2_sampler or "class_balanced",
        weighting=config.stage2_weighting or "none",
        augment=config.stage2_augment or config.augment,
        mixes=bool(config.stage2_mix),
        label_smoothing=config.stage2_label_smoothing if own else config.label_smoothing,  # type: ignore[arg-type]
        label_smoothing_tail=config.stage2_label_smoothing_tail if own else config.label_smoothing_tail,
    )
    return [one, two]


def decouple(model: nn.Module, config: "TrainConfig") -> None:
    """Freeze the backbone and prepare the classifier for stage 2, in place.

    keep: as stage 1 left it; reset: drawn anew (cRT, Kang et al. 2020, section 4.1); scale: fixed but for a
    learned scale a class (LWS, the same section).
    """
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    kind = config.stage2_classifier or "keep"
    if kind == "scale":
        model.classifier = ScaledLinear(model.get_submodule("classifier"))
        return
    classifier = model.get_submodule("classifier")
    for parameter in classifier.parameters():
        parameter.requires_grad_(True)
    if kind == "reset":
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seeds.derive(config.seed, "stage 2 classifier"))
            device = classifier.get_parameter("weight").device
            classifier.cpu().reset_parameters()  # type: ignore[operator]  # devices draw the same numbers
            classifier.to(device)
        losses.prior_bias(config.loss, classifier)


def set_training_mode(model: nn.Module, stage: Stage, config: "TrainConfig") -> None:
    """Let batch norm follow the batches; in stage 2 only where the config says that it moves."""
    model.train()
    if stage.number == 2 and (config.stage2_batch_norm or "frozen") == "frozen":
        for name, part in model.named_children():
            if name != "classifier":
                part.eval()
