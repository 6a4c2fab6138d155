"""The learning rate over a stage."""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lt_core.config import TrainConfig


def lr_at(config: "TrainConfig", peak: float, progress: float) -> float:
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
