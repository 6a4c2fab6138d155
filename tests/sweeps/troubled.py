"""An experiment of a user's own whose arms fail in every way that a trial can, once a batch is large."""

import os
import time

import torch
import torch.nn.functional as F

from lt_core.losses.losses import LOSSES
from sweeps.planning.experiment import Arm, Experiment
from sweeps.planning.spaces import SPACES

SMALL = 16  # images of the step in which arms are tried


def troubled(name):
    """Register a loss that is CE for few images, and for more what is decorated."""

    def register(loss):
        def either(logits, labels):
            ce = F.cross_entropy(logits, labels, reduction="none")
            return ce if len(labels) <= SMALL else loss(ce)

        LOSSES.register(name)(either)

    return register


@troubled("raises")
def raises(ce):
    raise ValueError("this loss always raises")


@troubled("exits")
def exits(ce):
    os._exit(7)


@troubled("leaves")
def leaves(ce):
    raise SystemExit("this loss has had enough")


@troubled("hangs")
def hangs(ce):
    time.sleep(10_000)


@troubled("scalar")
def scalar(ce):
    return ce[:-1]


@troubled("not_a_number")
def not_a_number(ce):
    return ce * torch.nan


def experiment(data):
    names = ("raises", "exits", "leaves", "hangs", "scalar")
    return Experiment(
        base={"imbalance_ratio": 10.0, "epochs": 3},
        arms=[
            Arm(name="fine", label="fine", knobs={"loss": "ce"}),
            *(Arm(name=name, label=name, knobs={"loss": name}, baseline="fine") for name in names),
            Arm(name="diverges", label="diverges", knobs={"loss": "not_a_number"}, baseline="fine"),
            Arm(name="searched", label="searched", search={"lr": SPACES["lr"]}, baseline="fine"),
        ],
        trials=4,
        seeds=2,
    )
