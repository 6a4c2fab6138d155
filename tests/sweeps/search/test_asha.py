"""ASHA by value, and beside Ray's own."""

from types import SimpleNamespace

import numpy as np
import pytest
from ray.tune.schedulers import AsyncHyperBandScheduler, TrialScheduler

from sweeps.search.asha import ASHA, REDUCTION, Rung, rung


def decide(asha, trial, epoch, score, arm="a", epochs=10):
    return asha.decide(trial, arm, epochs, epoch, score)


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [(1, 1), (2, 1), (3, 1), (4, 2), (9, 3), (10, 4), (20, 7), (200, 67)],
)
def test_the_rung_is_at_a_third_of_the_epochs_rounded_up(epochs, expected):
    assert rung(epochs) == expected


def test_only_the_best_third_of_a_rung_goes_on():
    asha = ASHA()
    stopped = {}
    for i, score in enumerate([0.5, 0.4, 0.6, 0.45, 0.7, 0.55]):
        assert not any(decide(asha, str(i), epoch, 0.0) for epoch in (0, 1, 2, 3))
        stopped[score] = decide(asha, str(i), 4, score)
        assert not decide(asha, str(i), 5, 0.0)
    assert stopped == {0.5: False, 0.4: True, 0.6: False, 0.45: True, 0.7: False, 0.55: True}


def test_a_tie_is_never_cut():
    of_arm = Rung()
    assert [of_arm.enter(str(i), 0.5) for i in range(9)] == [False] * 9
    assert of_arm.enter("below", 0.5 - 1e-12)


def test_arms_do_not_share_rungs():
    asha = ASHA()
    assert not decide(asha, "s", 4, 0.9, arm="strong")
    assert not decide(asha, "w", 4, 0.1, arm="weak")
    assert asha.recorded() == {"strong": {"s": 0.9}, "weak": {"w": 0.1}}


def test_reports_without_a_score_go_on_and_enter_no_rung():
    asha = ASHA()
    for i in range(6):
        assert not any(decide(asha, str(i), epoch, None) for epoch in range(11))
    assert asha.recorded() == {"a": {}}


def test_what_was_decided_on_is_brought_back_and_the_rest_is_left_open():
    asha = ASHA()
    asha.bring_back("0", "a", 10, {3: 0.1, 4: 0.5, 10: 0.6}, last=10, ended=True)
    asha.bring_back("1", "a", 10, {4: 0.7, 5: 0.8}, last=5, ended=False)
    asha.bring_back("2", "a", 10, {3: 0.2, 4: 0.9}, last=4, ended=False)  # its last epoch: not decided on
    assert asha.recorded() == {"a": {"0": 0.5, "1": 0.7}}
    assert not decide(asha, "1", 4, 0.0)  # decided on before: not again
    assert not decide(asha, "2", 4, 0.9)
    assert asha.recorded() == {"a": {"0": 0.5, "1": 0.7, "2": 0.9}}


class Rays:
    """Ray's own ASHA, told what TuneController tells it."""

    def __init__(self, epochs):
        settings = {"time_attr": "epoch", "metric": "score", "mode": "max", "max_t": epochs}
        settings |= {"grace_period": rung(epochs), "reduction_factor": REDUCTION}
        self.scheduler = AsyncHyperBandScheduler(**settings)
        self.trials = {}

    def decide(self, key, epoch, score, done):
        """A report without a score is one that Ray's must not see: it compares None with a number."""
        if key not in self.trials:
            self.trials[key] = SimpleNamespace(trial_id=key)
            self.scheduler.on_trial_add(None, self.trials[key])
        result = {"epoch": epoch} if score is None else {"epoch": epoch, "score": score}
        if done:  # then Ray does not ask
            self.scheduler.on_trial_complete(None, self.trials[key], result)
            return False
        stopped = self.scheduler.on_trial_result(None, self.trials[key], result) == TrialScheduler.STOP
        if stopped:
            self.scheduler.on_trial_complete(None, self.trials[key], result)
        return stopped


def scores_of(rng, epochs):
    """The scores of a trial's epochs: coarse, so that there are ties; some missing, some no number."""
    scores = [round(float(score), 1) for score in rng.random(epochs)]
    late = int(rng.integers(epochs + 1)) if rng.random() < 0.2 else 0
    return [
        None if epoch < late or rng.random() < 0.1 else np.nan if rng.random() < 0.05 else score
        for epoch, score in enumerate(scores)
    ]


@pytest.mark.filterwarnings("ignore:All-NaN slice")
@pytest.mark.parametrize("epochs", [*range(1, 31), 60, 81, 100, 199, 200])
def test_the_decisions_are_those_of_rays_asha(epochs):
    """Up to five trials at once; which of them reports next is drawn."""
    rng = np.random.default_rng(epochs)
    ours, rays = ASHA(), Rays(epochs)
    begun, running, decisions, stops = 0, {}, 0, 0
    while decisions < 2000 or running:
        if decisions < 2000 and len(running) < 5 and (not running or rng.random() < 0.3):
            running[str(begun)] = list(enumerate(scores_of(rng, epochs), 1))
            begun += 1
        key = list(running)[rng.integers(len(running))]
        epoch, score = running[key].pop(0)
        done = epoch == epochs
        stopped = decide(ours, key, epoch, score, epochs=epochs)
        assert stopped == rays.decide(key, epoch, score, done), (key, epoch, score)
        if stopped or done:
            del running[key]
        decisions, stops = decisions + 1, stops + stopped
    assert (stops > 10) == (epochs > 1)
