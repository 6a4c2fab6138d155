"""Knobs that do not suit the data, or that balance the classes more than once."""

from lt_core.batches.samplers import SAMPLERS
from lt_core.config import TrainConfig
from lt_core.errors import InputError
from lt_core.losses.class_weights import WEIGHTINGS
from lt_core.losses.losses import LOSSES
from lt_core.stages import stages


def check_classes(config: TrainConfig, num_classes: int) -> None:
    """Raise InputError where knobs do not suit data of ``num_classes`` classes."""
    most = (num_classes - 1) / num_classes
    if config.smoothing_over == "wrong":
        for knob in type(config).model_fields:
            epsilon = getattr(config, knob) if "label_smoothing" in knob else None
            if epsilon is not None and epsilon > most:
                raise InputError(
                    f"{knob}={epsilon:g}: at most {most:g} can go to the wrong ones of {num_classes} classes"
                )
    for k in config.tail_classes or ():
        if not 0 <= k < num_classes:
            raise InputError(f"tail_classes: there is no class {k}, they go from 0 to {num_classes - 1}")


def balances_twice(config: TrainConfig) -> str | None:
    """Say where a stage balances by two of sampler, weights, loss and adjustment; None: nowhere."""
    planned = stages(config)
    for stage in planned:
        prefix = "stage2_" if stage.number == 2 else ""
        ways = []
        if SAMPLERS[stage.sampler].balances and not config.noise_variances:
            ways.append(f"{prefix}sampler={stage.sampler}")
        if WEIGHTINGS[stage.weighting].balances:
            ways.append(f"{prefix}weighting={stage.weighting}")
        if LOSSES[config.loss].balances:
            ways.append(f"loss={config.loss}")
        if config.posthoc_tau > 0 and stage is planned[-1]:
            ways.append(f"posthoc_tau={config.posthoc_tau:g}")
        if len(ways) > 1:
            return f"{' and '.join(ways)} balance the classes twice"
    return None
