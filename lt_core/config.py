"""The complete, validated description of one training run. Every field is a knob."""

from typing import Any, Self

from pydantic import Field, ValidationError, model_validator

from lt_core.averaging import AveragingKnobs
from lt_core.batches.batches import BatchKnobs
from lt_core.batches.samplers import SAMPLERS
from lt_core.data.split import DataKnobs
from lt_core.errors import InputError
from lt_core.evaluation.inference import InferenceKnobs
from lt_core.evaluation.posthoc import PosthocKnobs
from lt_core.knobs import refuse
from lt_core.losses.losses import LOSSES
from lt_core.models.registry import ModelKnobs
from lt_core.registry import nearest
from lt_core.schedules import ScheduleKnobs
from lt_core.stages import StageKnobs


class TrainConfig(  # listed from the last to the first
    InferenceKnobs,
    PosthocKnobs,
    AveragingKnobs,
    ScheduleKnobs,
    StageKnobs,
    ModelKnobs,
    BatchKnobs,
    DataKnobs,
):
    """One run of :func:`lt_core.train.train`: all groups of knobs, each beside the code that it steers.

    Frozen; built from plain values, so that it can be a row. Points in time are shares of the budget, so that
    a change of ``epochs`` moves them along. Here stands what knobs of several groups forbid together.

    Raises:
        InputError: from :meth:`parse`, one line that names the knob, its value and what is allowed.
    """

    evaluate_untrained: bool = Field(False, description="evaluate the network before its first step: epoch 0")
    keep_weights: bool = Field(False, description="keep the weights that the last epoch was evaluated with")

    @model_validator(mode="after")
    def _the_loss_has_what_it_needs(self) -> Self:
        loss, name = LOSSES[self.loss], f"loss={self.loss}"
        for keyword in loss.keywords:
            if keyword not in {"counts", *type(self).model_fields}:
                raise ValueError(
                    f"{name}: it takes {nearest(keyword, type(self).model_fields)}, which is no knob"
                )
        refuse(not loss.takes_a_batch, name, "must take (logits, labels), and knobs as keywords alone")
        needs = f"needs classifier={loss.classifier}"
        refuse(loss.classifier not in (None, self.classifier), name, needs)
        return self

    @model_validator(mode="after")
    def _tau_norm_has_norms(self) -> Self:
        cosine, scaled = self.classifier == "cosine", self.stage2_classifier == "scale"
        refuse(self.tau_norm > 0 and cosine, "tau_norm", "the cosine classifier has no norms to divide by")
        refuse(self.tau_norm > 0 and scaled, "tau_norm", "stage2_classifier=scale learns what it divides out")
        return self

    @model_validator(mode="after")
    def _a_refill_leaves_no_imbalance(self) -> Self:
        """After a refill all classes are as large, so that what follows their sizes would do nothing."""
        if self.noise_variances:
            left = "noise_variances leaves no imbalance"
            for knob in ("weighting", "stage2_weighting"):
                refuse(getattr(self, knob) != "none", knob, f"{left} to weigh")
            refuse(LOSSES[self.loss].balances, f"loss={self.loss}", left)
            refuse(self.posthoc_tau > 0, "posthoc_tau", f"{left} to adjust for")
            smoothed = self.label_smoothing_tail is not None
            refuse(smoothed, "label_smoothing_tail", "noise_variances leaves no rarest class")
        return self

    @model_validator(mode="after")
    def _environments_differ(self) -> Self:
        on, noisy = self.irm_penalty > 0, self.irm_environments == "noise"
        refuse(on and bool(self.mixing), "irm_penalty", "its environments cannot be mixed by MixUp or CutMix")
        late = self.irm_warmup > (self.epochs - 1) / self.epochs
        refuse(late, "irm_warmup", f"no epoch of {self.epochs} is left for the penalty")
        refuse(noisy and not self.noise_variances, "irm_environments=noise", "needs noise_variances")
        if on and not noisy:
            where, same = "irm_environments=sampling", "makes its environments the same"
            instead = f"noise_variances {same}, take irm_environments=noise"
            refuse(bool(self.noise_variances), where, instead)
            balanced = SAMPLERS[self.sampler].balances or self.stage1_share is not None
            refuse(balanced, where, f"balanced sampling (of a stage 2, too) {same}")
        return self

    @model_validator(mode="after")
    def _stage_2_mixes_what_stage_1_does(self) -> Self:
        refuse(self.stage2_mix and not self.mixing, "stage2_mix", "needs a knob of MixUp or CutMix")
        return self

    @classmethod
    def parse(cls, knobs: dict[str, Any]) -> Self:
        """Build a config from plain values; raise InputError, one line, where a value is not allowed."""
        for knob in knobs:
            if knob not in cls.model_fields:
                raise InputError(f"unknown knob {nearest(knob, cls.model_fields)}")
        try:
            return cls(**knobs)
        except ValidationError as error:
            raise InputError("; ".join(_one_line(detail) for detail in error.errors())) from None

    @classmethod
    def check(cls, knob: str, value: Any) -> None:
        """Raise InputError where a knob can never have this value, whatever the others are."""
        try:
            cls(**{knob: value})
        except ValidationError as error:
            own = [_one_line(detail) for detail in error.errors() if detail["loc"]]
            if own:
                raise InputError("; ".join(own)) from None


def _one_line(detail: Any) -> str:
    where = ".".join(map(str, detail["loc"]))
    if detail["type"] == "value_error":
        return f"{where}: {detail['ctx']['error']}" if where else str(detail["ctx"]["error"])
    message = detail["msg"].removeprefix("Input ")
    if detail["type"] == "tuple_type":
        message = f"should be a list, such as [{detail['input']}]"
    return f"{where}={detail['input']!r} {message}"
