"""How long a sweep is expected to take, by value."""

import pytest

from sweeps.planning import SPACES, Arm, Experiment
from sweeps.planning.plan import make_plan
from sweeps.terminal.estimate import (
    EPOCH_SECONDS,
    START_SECONDS,
    TRIAL_SECONDS,
    expected_epochs,
    expected_seconds,
)
from tests.sweeps.plans import CPU


def test_a_search_of_one_trial_stops_nothing():
    assert expected_epochs(1, 12) == 12


def test_of_many_trials_half_are_stopped_at_the_first_rung_and_some_later():
    """At the most all others run to their end; at the least the best quarter of them at the second."""
    per_trial = expected_epochs(200, 12) / 200
    assert (1 * 1 + 0.75 * 2 + 0.25 * 12) / 2 < per_trial < (1 * 1 + 12) / 2


def test_one_epoch_leaves_nothing_to_save():
    assert expected_epochs(50, 1) == 50


@pytest.mark.parametrize("concurrent", [1, 2])
def test_the_whole_is_the_work_of_all_runs_and_the_start(digits, concurrent):
    arms = [
        Arm(name="ce", label="CE"),
        Arm(name="found", label="found", search={"lr": SPACES["lr"]}),
    ]
    experiment = Experiment(base={"imbalance_ratio": 5.0, "epochs": 6}, arms=arms, trials=4, seeds=3)
    asked = {"settings": {}, "trials": None, "epochs": None, "seeds": None, "seed": 0, "machine": CPU}
    plan = make_plan("mine", experiment, digits, **asked)
    found = expected_epochs(4, 6) + (6 + 3) * 6
    work = 3 * 6 * (1.0 + EPOCH_SECONDS) + found * (2.0 + EPOCH_SECONDS) + (3 + 4 + 6 + 3) * TRIAL_SECONDS
    expected = START_SECONDS + work / concurrent
    assert expected_seconds(plan.runs(), {"ce": 1.0, "found": 2.0}, concurrent) == pytest.approx(expected)


def test_what_a_search_has_trained_is_not_before_it(digits):
    found = Arm(name="found", label="found", search={"lr": SPACES["lr"]})
    experiment = Experiment(base={"imbalance_ratio": 5.0, "epochs": 6}, arms=[found], trials=4, seeds=3)
    asked = {"settings": {}, "trials": None, "epochs": None, "seeds": None, "seed": 0, "machine": CPU}
    search, *_ = make_plan("mine", experiment, digits, **asked).runs()
    whole, rest = (
        expected_seconds([runs], {"found": 2.0}, 1) for runs in (search, search._replace(trained=5))
    )
    assert whole - rest == pytest.approx(5 * (2.0 + EPOCH_SECONDS))
    assert (
        expected_seconds([search._replace(trained=24)], {"found": 2.0}, 1)
        == START_SECONDS + 4 * TRIAL_SECONDS
    )
