"""One searched arm on digits, as benchmarks/efficiency/script.py searches it."""

from sweeps.planning.experiment import Arm, Experiment
from sweeps.planning.spaces import SPACES

EPOCHS, TRIALS, SEEDS = 12, 100, 5
SEARCHED = ("lr", "beta")


def experiment(data):
    """Return it."""
    search = {knob: SPACES[knob] for knob in SEARCHED}
    arm = Arm(name="found", label="found", knobs={"weighting": "effective_number"}, search=search)
    return Experiment(
        base={"epochs": EPOCHS, "imbalance_ratio": 10.0}, arms=[arm], trials=TRIALS, seeds=SEEDS
    )
