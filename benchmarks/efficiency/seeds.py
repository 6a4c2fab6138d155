"""One fixed arm on many seeds: trials that all take as long."""

from sweeps.planning.experiment import Arm, Experiment


def experiment(data):
    """Return it."""
    return Experiment(base={}, arms=[Arm(name="ce", label="CE")], trials=1, seeds=100)
