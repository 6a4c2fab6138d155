"""Decoupling (Kang et al. 2020): stage 1 learns the representation, stage 2 the classifier alone."""

from dataclasses import dataclass
from typing import Literal, Self

import torch
from pydantic import Field, model_validator
from torch import nn

from lt_core import seeds
from lt_core.batches.augment import Augmentation, AugmentKnobs
from lt_core.batches.samplers import SamplerKnobs, SamplerName
from lt_core.knobs import refuse
from lt_core.losses.class_weights import WeightingName, WeightKnobs
from lt_core.losses.losses import LossKnobs, start_bias
from lt_core.losses.objective import ObjectiveKnobs
from lt_core.models.classifiers import ScaledLinear, classifier_of, replace_classifier
from lt_core.optimizers import OptimizerKnobs


class StageKnobs(OptimizerKnobs, ObjectiveKnobs, WeightKnobs, LossKnobs, AugmentKnobs, SamplerKnobs):
    """The stages of a run. A knob of stage 2 that is None is as in stage 1."""

    epochs: int = Field(10, ge=1, description="passes over the data, of both stages together")
    stage1_share: float | None = Field(
        None, gt=0, lt=1, description="decoupling: share of the epochs in stage 1; None: all, no stage 2"
    )
    stage2_classifier: Literal["reset", "keep", "scale"] = Field(
        "keep", description="keep: train on; reset: cRT; scale: LWS"
    )
    stage2_batch_norm: Literal["frozen", "moving"] = Field(
        "frozen", description="the frozen backbone's batch-norm statistics"
    )
    stage2_lr_factor: float = Field(1.0, gt=0, description="times lr")
    stage2_sampler: SamplerName = Field("class_balanced", description="which images an epoch draws")
    stage2_weighting: WeightingName = Field("none", description="class weights")
    stage2_augment: Augmentation | None = Field(None, description="None: as in stage 1")
    stage2_mix: bool = Field(False, description="MixUp or CutMix in stage 2 as in stage 1")
    stage2_label_smoothing: float | None = Field(None, ge=0, le=1, description="None: as in stage 1")
    stage2_label_smoothing_tail: float | None = Field(None, ge=0, le=1, description="None: as in stage 1")

    @model_validator(mode="after")
    def _stages_have_epochs(self) -> Self:
        if self.stage1_share is None:
            own = {
                k: field.default for k, field in type(self).model_fields.items() if k.startswith("stage2_")
            }
            given = [knob for knob, default in own.items() if getattr(self, knob) != default]
            refuse(bool(given), ", ".join(given), "needs stage1_share: there is no stage 2")
        elif not 0 < round(self.stage1_share * self.epochs) < self.epochs:
            raise ValueError(
                f"stage1_share={self.stage1_share:g}: leaves a stage without an epoch of {self.epochs}; "
                "it is the share of stage 1 and needs an epoch on either side"
            )
        return self

    @model_validator(mode="after")
    def _crops_and_flips_are_there(self) -> Self:
        kinds = (self.augment, self.stage2_augment or self.augment)
        crops, flips = (any(what in kind for kind in kinds) for what in ("crop", "flip"))
        refuse(self.crop_padding != "zeros" and not crops, "crop_padding", "needs an augment with crop")
        refuse(self.alternate_flips and not flips, "alternate_flips", "needs an augment with flip")
        return self

    @model_validator(mode="after")
    def _weights_act(self) -> Self:
        last = (self.epochs - 1) / self.epochs
        refuse(self.reweight_after > last, "reweight_after", f"no epoch of {self.epochs} is left for weights")
        if self.stage1_share is not None and self.weighting != "none" and self.stage2_weighting == "none":
            late = self.reweight_after > (round(self.stage1_share * self.epochs) - 1) / self.epochs
            refuse(late, "reweight_after", "no epoch of stage 1 is left for weights, and stage 2 has none")
        return self


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What holds from epoch ``first`` to ``last``, both included; the other knobs hold in both stages."""

    number: int
    first: int
    last: int
    lr: float
    sampler: str
    weighting: str
    augment: Augmentation
    mixes: bool
    label_smoothing: float
    label_smoothing_tail: float | None

    def progress(self, epoch: int, share: float = 0.0) -> float:
        """Return the share of the stage that is done after ``share`` of an epoch."""
        return (epoch - self.first + share) / (self.last - self.first + 1)


def stages(config: StageKnobs) -> list[Stage]:
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
    smoothing, tail = config.stage2_label_smoothing, config.stage2_label_smoothing_tail
    two = Stage(
        number=2,
        first=last + 1,
        last=config.epochs,
        lr=config.lr * config.stage2_lr_factor,
        sampler=config.stage2_sampler,
        weighting=config.stage2_weighting,
        augment=config.stage2_augment or config.augment,
        mixes=config.stage2_mix,
        label_smoothing=config.label_smoothing if smoothing is None else smoothing,
        label_smoothing_tail=config.label_smoothing_tail if tail is None else tail,
    )
    return [one, two]


def decouple(model: nn.Module, config: StageKnobs) -> None:
    """Freeze the backbone and prepare the classifier for stage 2, in place.

    keep: as stage 1 left it; reset: drawn anew (cRT, Kang et al. 2020, section 4.1); scale: fixed but for a
    learned scale a class (LWS, the same section).
    """
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    kind, classifier = config.stage2_classifier, classifier_of(model)
    if kind == "scale":
        replace_classifier(model, ScaledLinear(classifier))
        return
    for parameter in classifier.parameters():
        parameter.requires_grad_(True)
    if kind == "reset":
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seeds.derive(config.seed, "stage 2 classifier"))
            device = classifier.get_parameter("weight").device
            classifier.cpu().reset_parameters()  # type: ignore[operator]  # devices draw the same numbers
            classifier.to(device)
        start_bias(config.loss, classifier)


def set_training_mode(model: nn.Module, stage: Stage, config: StageKnobs) -> None:
    """Let batch norm follow the batches; in stage 2 only where the config says that it moves."""
    model.train()
    if stage.number == 2 and config.stage2_batch_norm == "frozen":
        model.eval()
        classifier_of(model).train()
