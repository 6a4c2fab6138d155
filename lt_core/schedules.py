"""The learning rate over a stage."""

import math
from typing import Literal, Self

from pydantic import Field, model_validator

from lt_core.knobs import Knobs, refuse


class ScheduleKnobs(Knobs):
    """The learning rate's course. Points in time are shares of the budget, of each stage for itself."""

    schedule: Literal["constant", "cosine", "steps"] = Field(
        "constant", description="over the full budget, of each stage for itself"
    )
    milestones: tuple[float, ...] = Field((0.6, 0.8), description="shares of the budget, for steps")
    decay: float = Field(0.1, gt=0, le=1, description="factor on lr at each milestone")
    warmup: float = Field(0.0, ge=0, lt=1, description="share of the budget in which lr grows from 0")

    @model_validator(mode="after")
    def _milestones_rise(self) -> Self:
        rising = list(self.milestones) == sorted(set(self.milestones))
        ordered = rising and all(0 < milestone < 1 for milestone in self.milestones)
        refuse(not ordered, "milestones", "must be rising shares of the budget between 0 and 1")
        return self


def lr_at(config: ScheduleKnobs, peak: float, progress: float) -> float:
    """Return the learning rate after the share ``progress`` (0 to 1) of the stage's whole budget.

    It grows evenly from 0 to ``peak`` over config.warmup, then follows config.schedule; the cosine spans what
    is left, the milestones are shares of the whole.
    """
    if progress < config.warmup:
        return peak * progress / config.warmup
    if config.schedule == "cosine":
        return peak * (1 + math.cos(math.pi * (progress - config.warmup) / (1 - config.warmup))) / 2
    if config.schedule == "steps":
        return peak * config.decay ** sum(progress >= milestone for milestone in config.milestones)
    return peak
