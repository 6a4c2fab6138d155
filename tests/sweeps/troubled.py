"""An experiment of a user's own whose arms fail in every way that a trial can."""

import os
import signal

import torch

from lt_core.losses.losses import LOSSES
from sweeps.planning.experiment import Arm, Experiment
from sweeps.planning.spaces import SPACES


@LOSSES.register("raises")
def raises(logits, labels):
    raise ValueError("this loss always raises")


@LOSSES.register("killed")
def killed(logits, labels):
    os.kill(os.getpid(), signal.SIGKILL)


@LOSSES.register("not_a_number")
def not_a_number(logits, labels):
    return logits.sum(dim=1) * torch.nan


def experiment(data):
    return Experiment(
        base={"imbalance_ratio": 10.0, "epochs": 3},
        arms=[
            Arm(name="fine", label="fine", knobs={"loss": "ce"}),
            Arm(name="raises", label="raises", knobs={"loss": "raises"}, baseline="fine"),
            Arm(name="killed", label="killed", knobs={"loss": "killed"}, baseline="fine"),
            Arm(name="diverges", label="diverges", knobs={"loss": "not_a_number"}, baseline="fine"),
            Arm(name="searched", label="searched", search={"lr": SPACES["lr"]}, baseline="fine"),
        ],
        trials=4,
        seeds=2,
    )
