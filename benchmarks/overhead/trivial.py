"""Trials that cost next to nothing, so that what is left is the cost of the sweep itself."""

from sweeps.planning.experiment import Arm, Experiment
from sweeps.planning.spaces import SPACES

EPOCHS = 10
BASE = {"n_max": 20, "imbalance_ratio": 2.0, "epochs": EPOCHS, "batch_size": 64}
SEARCHED = ("lr", "beta")


def experiment(data):
    """Return one searched arm."""
    search = {knob: SPACES[knob] for knob in SEARCHED}
    arm = Arm(name="found", label="found", knobs={"weighting": "effective_number"}, search=search)
    return Experiment(base=BASE, arms=[arm], trials=1000, seeds=1)
