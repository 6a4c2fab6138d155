"""How long a sweep is expected to take, from its start to its table."""

import numpy as np

from lt_core import seeds
from sweeps.planning.plan import Plan
from sweeps.record.states import Phase
from sweeps.search.asha import ASHA

START_SECONDS = 20.0  # Ray's start, the workers', and the report at the end: as judged on two cores
TRIAL_SECONDS = 0.3  # beside its epochs: beginning, building, opening the data
REPEATS = 20  # of the simulated search


def expected_seconds(plan: Plan, costs: dict[str, float], concurrent: int) -> float:
    """Return the seconds that the whole of a plan is expected to take; ``costs``: seconds an epoch by arm."""
    work = runs = 0.0
    for arm, phase, n in plan.runs():
        epochs = expected_epochs(n, arm.config.epochs) if phase == Phase.SEARCH else n * arm.config.epochs
        work += epochs * costs[arm.name] + n * TRIAL_SECONDS
        runs += n
    return START_SECONDS + work / max(1, min(concurrent, runs))


def expected_epochs(trials: int, epochs: int) -> float:
    """Return the epochs that a search of so many trials is expected to train, with early stopping: the mean
    over searches whose scores are in no order."""
    stream = np.random.default_rng(seeds.derive(0, "expected epochs"))
    trained = 0
    for _ in range(REPEATS):
        rule = ASHA()
        for trial, score in enumerate(stream.random(trials)):
            trained += _epochs_of(rule, str(trial), epochs, float(score))
    return trained / REPEATS


def _epochs_of(rule: ASHA, trial: str, epochs: int, score: float) -> int:
    stopped = (epoch for epoch in range(1, epochs + 1) if rule.decide(trial, "", epochs, epoch, score))
    return next(stopped, epochs)
