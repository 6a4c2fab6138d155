"""A long search looks back on its latest trials and on the best of those before."""

import optuna
import pytest
from optuna.trial import TrialState

from sweeps.planning import SPACES, Arm, Experiment
from sweeps.planning.plan import make_plan
from sweeps.record.states import Status
from sweeps.search import history
from sweeps.search.history import History
from sweeps.search.study import ArmSearch
from tests.sweeps.plans import CPU


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(history, "LATEST", 4)
    monkeypatch.setattr(history, "BEST", 2)


def search(digits):
    arm = Arm(name="found", label="found", search={"lr": SPACES["lr"], "beta": SPACES["beta"]})
    experiment = Experiment(base={"imbalance_ratio": 5.0, "weighting": "effective_number"}, arms=[arm])
    asked = {"settings": {}, "trials": 60, "epochs": None, "seeds": None, "seed": 0, "machine": CPU}
    return ArmSearch(make_plan("mine", experiment, digits, **asked).arms[0], 60, 0)


def proposals(search, number):
    found = []
    for _ in range(number):
        spec = search.propose()
        found.append(spec.config)
        score = -abs(spec.config.lr - 2e-3)
        ended = Status.STOPPED if len(found) % 3 else Status.FINISHED
        search.end(spec.trial, ended, [score], {4: score})
    return found


def test_the_latest_and_the_best_of_those_before_are_shown_in_their_order(short):
    study = optuna.create_study(direction="maximize", storage=History())
    for value in (0.3, 0.9, None, 0.7, 0.8, 0.1, 0.2, 0.4, 0.5):
        state = TrialState.FAIL if value is None else TrialState.COMPLETE
        study.add_trial(optuna.trial.create_trial(value=value, state=state))
    assert [trial.number for trial in study.get_trials(deepcopy=False)] == [1, 4, 5, 6, 7, 8]
    complete = study.get_trials(states=(TrialState.COMPLETE,))
    assert [trial.value for trial in complete] == [0.9, 0.8, 0.1, 0.2, 0.4, 0.5]
    study.enqueue_trial({"x": 0.25})
    assert study.ask().suggest_float("x", 0, 1) == 0.25


def test_a_search_of_usual_length_proposes_what_it_would_with_all_trials(digits):
    ours, optunas = search(digits), search(digits)
    optunas.study = optuna.create_study(direction="maximize")
    assert proposals(ours, 40) == proposals(optunas, 40)


def test_in_a_long_search_the_hand_picked_values_come_once_and_nothing_twice(short, digits):
    found = proposals(search(digits), 30)
    assert found[0].lr == pytest.approx(1e-3)
    assert sum(config.lr == pytest.approx(1e-3) for config in found) == 1
    assert len({(config.lr, config.beta) for config in found}) == 30
