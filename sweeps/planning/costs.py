"""How long each arm's epochs take, judged before anything runs."""

from lt_core.data import Dataset
from lt_core.timing import seconds_per_epoch
from sweeps.planning.plan import OF_THE_COUNTS, Plan

OF_THE_TIME = (
    *("model", "batch_size", "precision", "optimizer", "sampler", "noise_variances", "irm_penalty", "tta"),
    *("loss", "label_smoothing", "augment"),
)


def seconds_per_epoch_by_arm(plan: Plan, data: Dataset) -> dict[str, float]:
    """Time one step of each kind of arm; return seconds per epoch by arm."""
    timed: dict[tuple, float] = {}
    costs = {}
    for arm in plan.arms:
        kind = tuple(getattr(arm.config, knob) for knob in (*OF_THE_TIME, *OF_THE_COUNTS))
        if kind not in timed:
            timed[kind] = seconds_per_epoch(arm.config.model_copy(update={"evaluate_on": "test"}), data)
        costs[arm.name] = timed[kind]
    return costs
