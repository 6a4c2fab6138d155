"""How long a sweep is expected to take, from its start to its table."""

from collections.abc import Iterable

import numpy as np

from lt_core import seeds
from sweeps.planning.plan import Runs
from sweeps.record.states import Phase
from sweeps.search.asha import ASHA

# Beside the training, measured on two cores (benchmarks.waiting.measure): the workers' start and the report
# at the end; of a trial, to begin it; of an epoch, to report it.
START_SECONDS, TRIAL_SECONDS, EPOCH_SECONDS = 11.0, 0.16, 0.013
REPEATS = 20  # of the simulated search
RISE = 1 / 3  # of the spread of its scores, what a trial gains from its first epoch to its last


def expected_seconds(planned: Iterable[Runs], costs: dict[str, float], concurrent: int) -> float:
    """Return the seconds that runs are expected to take from the sweep's start to its table; ``costs``:
    seconds an epoch by arm."""
    work = n = 0.0
    for runs in planned:
        epochs = float(runs.epochs)
        if runs.phase == Phase.SEARCH:
            epochs = max(0, expected_epochs(runs.n, runs.arm.config.epochs) - runs.trained)
        work += epochs * (costs[runs.arm.name] + EPOCH_SECONDS) + runs.n * TRIAL_SECONDS
        n += runs.n
    return START_SECONDS + work / max(1, min(concurrent, n))


def expected_epochs(trials: int, epochs: int) -> float:
    """Return the epochs that a search of so many trials is expected to train, with early stopping: the mean
    over searches whose trials come in no order and rise alike."""
    stream = np.random.default_rng(seeds.derive(0, "expected epochs"))
    trained = 0
    for _ in range(REPEATS):
        rule = ASHA()
        for trial, score in enumerate(stream.random(trials)):
            trained += _epochs_of(rule, str(trial), epochs, float(score))
    return trained / REPEATS


def _epochs_of(rule: ASHA, trial: str, epochs: int, score: float) -> int:
    curve = ((epoch, score + RISE * epoch / epochs) for epoch in range(1, epochs + 1))
    stopped = (epoch for epoch, risen in curve if rule.decide(trial, "", epochs, epoch, risen))
    return next(stopped, epochs)
