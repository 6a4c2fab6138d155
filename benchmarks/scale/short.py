"""Trials of one short epoch: what is left is what the driver does for a trial."""

from sweeps.planning.experiment import Arm, Experiment
from sweeps.planning.spaces import SPACES


def experiment(data):
    """Return one searched arm."""
    search = {knob: SPACES[knob] for knob in ("lr", "beta")}
    arm = Arm(name="found", label="found", knobs={"weighting": "effective_number"}, search=search)
    base = {"n_max": 20, "imbalance_ratio": 2.0, "epochs": 1, "batch_size": 64}
    return Experiment(base=base, arms=[arm], trials=5000, seeds=1)
