"""How long each arm's epochs take, judged before anything runs."""

from collections.abc import Callable

from lt_core.config import TrainConfig
from sweeps.planning.plan import OF_THE_COUNTS, Plan

OF_THE_TIME = (
    *("model", "batch_size", "precision", "optimizer", "sampler", "noise_variances", "irm_penalty", "tta"),
    *("augment", "trivial_augment", "sam_rho", "evaluate_at"),
)  # not the loss: what is timed is the network's work


def seconds_per_epoch_by_arm(plan: Plan, timed: Callable[[TrainConfig], float]) -> dict[str, float]:
    """Time each kind of arm once, with ``timed``; return seconds per epoch by arm."""
    known: dict[tuple, float] = {}
    costs = {}
    for arm in plan.arms:
        kind = tuple(getattr(arm.config, knob) for knob in (*OF_THE_TIME, *OF_THE_COUNTS))
        if kind not in known:
            known[kind] = timed(arm.config.model_copy(update={"evaluate_on": "test"}))
        costs[arm.name] = known[kind]
    return costs
