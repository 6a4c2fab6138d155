"""The complete, validated description of one training run. Every field is a knob."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lt_core.class_weights import WEIGHTINGS
from lt_core.errors import InputError
from lt_core.losses import LOSSES
from lt_core.models import MODELS
from lt_core.registry import nearest


class TrainConfig(BaseModel):
    """One run of :func:`lt_core.train.train`. Frozen; built from plain values, so that it can be a row.

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
    augment: Literal["none", "crop", "flip", "crop_flip"] = Field(
        "none", description="random crop after padding an eighth of the side; horizontal flip"
    )

    model: str = Field("convnet", description="a name in lt_core.models.MODELS")
    loss: str = Field("ce", description="a name in lt_core.losses.LOSSES")
    weighting: str = Field("none", description="a name in lt_core.class_weights.WEIGHTINGS")
    beta: float = Field(0.9999, ge=0, lt=1, description="of the effective number of samples")
    gamma: float = Field(1.0, ge=0, description="focusing exponent of the focal losses")
    reduction: Literal["batch", "weights"] = Field(
        "weights", description="divide the weighted sum by the batch size or by the sum of weights"
    )

    epochs: int = Field(10, ge=1)
    batch_size: int = Field(128, ge=2, description="images; batch norm needs two")
    optimizer: Literal["adam", "sgd"] = Field("adam", description="sgd: momentum 0.9")
    lr: float = Field(1e-3, gt=0, description="initial learning rate")
    weight_decay: float = Field(5e-4, ge=0)
    schedule: Literal["constant", "cosine", "steps"] = Field(
        "constant", description="over the full budget; steps: x0.1 after 60 % and again after 80 %"
    )

    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "fp32", "bf16"] = Field("auto", description="autocast of the forward pass")
    channels_last: bool | None = Field(None, description="memory format; None: where it gains")
    threads: int = Field(1, ge=1, description="torch threads of the run; keep to its share of the cores")

    @model_validator(mode="after")
    def _names_are_registered(self) -> Self:
        for knob, registry in (("model", MODELS), ("loss", LOSSES), ("weighting", WEIGHTINGS)):
            if getattr(self, knob) not in registry:
                raise ValueError(f"{knob}: {nearest(getattr(self, knob), registry)}")
        if (self.profile == "counts") != (self.counts is not None):
            raise ValueError("counts: goes with profile=counts, and profile=counts needs it")
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
    return f"{detail['loc'][0]}={detail['input']!r} {message}"
