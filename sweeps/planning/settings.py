"""What --set may not do."""

from typing import Any

from lt_core.config import TrainConfig
from lt_core.errors import InputError
from lt_core.registry import nearest
from sweeps.planning.experiment import Experiment

SYSTEM_KNOBS = {
    "seed": "use --seed",
    "epochs": "use --epochs",
    "evaluate_on": "validation in the search, test in final runs",
    "threads": "use --cpus-per-trial",
    "device": "use --gpus-per-trial, 0 for the CPU",
}


def check_settings(settings: dict[str, Any], experiment: Experiment) -> None:
    """Raise InputError, which names the option, where a knob is unknown, not the user's to set, one that
    defines an arm, or its value is never allowed."""
    for knob, value in settings.items():
        if knob not in TrainConfig.model_fields:
            raise InputError(f"--set {knob}: unknown knob {nearest(knob, TrainConfig.model_fields)}")
        if knob in SYSTEM_KNOBS:
            raise InputError(f"--set {knob}: the sweep sets it; {SYSTEM_KNOBS[knob]}")
        try:
            TrainConfig.check(knob, value)
        except InputError as error:
            raise InputError(f"--set {error}") from None
        for arm in experiment.arms:
            if knob in arm.knobs:
                defines = f"{knob}={arm.knobs[knob]} defines the arm {arm.label!r}, it cannot be set"
                more = f"--add 'LABEL: {knob}={value}' puts an arm with it beside the others"
                raise InputError(f"--set {knob}: {defines}; {more}")
