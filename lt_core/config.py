"""The complete, validated description of one training run. Every field is a knob."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lt_core import contradictions
from lt_core.batches.samplers import SAMPLERS
from lt_core.errors import InputError
from lt_core.losses.class_weights import WEIGHTINGS
from lt_core.losses.losses import LOSSES
from lt_core.models import MODELS
from lt_core.registry import Registry, nearest

REGISTRIES: dict[str, Registry[Any]] = {
    "model": MODELS,
    "loss": LOSSES,
    "weighting": WEIGHTINGS,
    "stage2_weighting": WEIGHTINGS,
    "sampler": SAMPLERS,
    "stage2_sampler": SAMPLERS,
}
Augmentation = Literal["none", "crop", "flip", "crop_flip"]


class TrainConfig(BaseModel):
    """One run of :func:`lt_core.train.train`. Frozen; built from plain values, so that it can be a row.

    Points in time are shares of the budget, so that a change of ``epochs`` moves them along. A stage2 knob
    that is None is as in stage 1, or as its description says.

    Raises:
        InputError: from :meth:`parse`, one line that names the knob, its value and what is allowed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    seed: int = Field(0, ge=0, description="moves the subset, the initialisation and the batch order")
    evaluate_on: Literal["val", "test"] = Field(
        "val", description="val: hold a part of train out and never touch test; test: train on all"
    )

    profile: Literal["exponential", "linear", "step", "step_head_last", "counts", "none"] = Field(
        "exponential", description="class counts of the training set; step_head_last: scarce half first"
    )
    imbalance_ratio: float = Field(100.0, ge=1, description="largest class over smallest class")
    n_max: int | None = Field(None, ge=1, description="images of the largest class; None: all there are")
    counts: tuple[int, ...] | None = Field(None, description="images by class, for profile=counts")
    image_size: int | None = Field(None, ge=4, description="resize to this side in pixels; None: as is")
    noise_variances: tuple[float, ...] | None = Field(
        None, description="refill every class up to the largest with copies of its images under this noise"
    )
    sampler: str = Field("instance", description="a name in lt_core.samplers.SAMPLERS")

    augment: Augmentation = Field(
        "none", description="random crop after padding an eighth of the side; horizontal flip"
    )
    mixup_alpha: float | None = Field(None, gt=0, description="MixUp with lambda from Beta(alpha, alpha)")
    mixup_lambda: float | None = Field(None, ge=0, le=1, description="MixUp with this lambda")
    cutmix_alpha: float | None = Field(None, gt=0, description="CutMix with lambda from Beta(alpha, alpha)")
    cutmix_lambda: float | None = Field(None, ge=0, le=1, description="CutMix with this lambda")
    cutmix_probability: float = Field(1.0, ge=0, le=1, description="share of the batches that are cut")
    cutmix_tail_only: bool = Field(False, description="cut pairs only where one image is of a tail class")
    tail_classes: tuple[int, ...] | None = Field(
        None, description="None: classes with fewer images than the mean"
    )

    model: str = Field("convnet", description="a name in lt_core.models.MODELS")
    pretrained: str | None = Field(None, description="imagenet, or a file of torchvision's weights")
    classifier: Literal["linear", "cosine"] = Field("linear", description="cosine: scale * cos(w_k, x)")
    cosine_scale: float = Field(30.0, gt=0, description="scale of the cosine classifier")

    loss: str = Field("ce", description="a name in lt_core.losses.LOSSES")
    weighting: str = Field("none", description="a name in lt_core.class_weights.WEIGHTINGS")
    beta: float = Field(0.9999, ge=0, lt=1, description="of the effective number of samples")
    gamma: float = Field(1.0, ge=0, description="focusing exponent of the focal losses")
    tau: float = Field(1.0, ge=0, description="of loss=logit_adjusted; at 1 it is balanced softmax")
    max_margin: float = Field(0.5, gt=0, description="of loss=ldam: the rarest class's")
    reduction: Literal["batch", "weights"] = Field(
        "weights", description="divide the weighted sum by the batch size or by the sum of weights"
    )
    reweight_after: float = Field(
        0.0, ge=0, lt=1, description="share of the epochs after which class weights act (DRW)"
    )
    label_smoothing: float = Field(0.0, ge=0, le=1, description="epsilon")
    label_smoothing_tail: float | None = Field(
        None, ge=0, le=1, description="epsilon of the rarest class, label_smoothing that of the largest"
    )
    smoothing_over: Literal["all", "wrong"] = Field(
        "all", description="epsilon is spread over all classes (torch) or over the wrong ones"
    )
    irm_penalty: float = Field(0.0, ge=0, description="IRMv1's lambda")
    irm_warmup: float = Field(0.0, ge=0, lt=1, description="share of the budget without the penalty")
    irm_environments: Literal["sampling", "noise"] = Field(
        "sampling", description="uniform and class-balanced sampling, or the levels of noise_variances"
    )

    epochs: int = Field(10, ge=1, description="passes over the data, of both stages together")
    batch_size: int = Field(128, ge=2, description="images; batch norm needs two")
    optimizer: Literal["adam", "adamw", "sgd"] = Field("adam", description="sgd: momentum 0.9")
    lr: float = Field(1e-3, gt=0, description="initial learning rate")
    weight_decay: float = Field(5e-4, ge=0, description="on all parameters")
    schedule: Literal["constant", "cosine", "steps"] = Field(
        "constant", description="over the full budget, of each stage for itself"
    )
    milestones: tuple[float, ...] = Field((0.6, 0.8), description="shares of the budget, for steps")
    decay: float = Field(0.1, gt=0, le=1, description="factor on lr at each milestone")
    warmup: float = Field(0.0, ge=0, lt=1, description="share of the budget in which lr grows from 0")
    ema_decay: float | None = Field(None, gt=0, lt=1, description="evaluate averaged weights")

    stage1_share: float | None = Field(
        None, gt=0, lt=1, description="decoupling: share of the epochs in stage 1"
    )
    stage2_classifier: Literal["reset", "keep", "scale"] | None = Field(
        None, description="keep (None): train on; reset: cRT; scale: LWS"
    )
    stage2_batch_norm: Literal["frozen", "moving"] | None = Field(
        None, description="the frozen backbone's batch-norm statistics; None: frozen"
    )
    stage2_lr_factor: float | None = Field(None, gt=0, description="times lr; None: 1")
    stage2_sampler: str | None = Field(None, description="None: class_balanced")
    stage2_weighting: str | None = Field(None, description="None: none")
    stage2_augment: Augmentation | None = Field(None, description="None: as in stage 1")
    stage2_mix: bool | None = Field(None, description="MixUp or CutMix in stage 2; None: off")
    stage2_label_smoothing: float | None = Field(None, ge=0, le=1, description="None: both as in stage 1")
    stage2_label_smoothing_tail: float | None = Field(None, ge=0, le=1, description="as label_smoothing_tail")

    tta: Literal["none", "horizontal", "vertical", "both"] = Field(
        "none", description="average predictions over flips of the image"
    )
    tau_norm: float = Field(0.0, ge=0, description="divide class weights by their norm^tau in evaluation")
    posthoc_tau: float = Field(0.0, ge=0, description="post-hoc logit adjustment in evaluation")

    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: cuda where there is one")
    precision: Literal["auto", "fp32", "bf16"] = Field("auto", description="autocast of the forward pass")
    channels_last: bool | None = Field(None, description="memory format; None: where it gains")
    threads: int = Field(1, ge=1, description="torch threads of the run; keep to its share of the cores")

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        for knob, registry in REGISTRIES.items():
            name = getattr(self, knob)
            if name is not None and name not in registry:
                raise ValueError(f"{knob}: {nearest(name, registry)}")
        contradictions.check(self)
        return self

    @classmethod
    def parse(cls, knobs: dict[str, Any]) -> "TrainConfig":
        """Build a config from plain values; raise InputError, one line, where a value is not allowed."""
        for knob in knobs:
            if knob not in cls.model_fields:
                raise InputError(f"unknown knob {nearest(knob, cls.model_fields)}")
        try:
            return cls(**knobs)
        except ValidationError as error:
            raise InputError("; ".join(_one_line(detail) for detail in error.errors())) from None


def _one_line(detail: Any) -> str:
    if detail["type"] == "value_error":
        return str(detail["ctx"]["error"])
    message = detail["msg"].removeprefix("Input ")
    if detail["type"] == "tuple_type":
        message = f"should be a list, such as [{detail['input']}]"
    return f"{'.'.join(map(str, detail['loc']))}={detail['input']!r} {message}"
