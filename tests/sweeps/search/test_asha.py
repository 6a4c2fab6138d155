"""ASHA by value: Ray's own, one ladder an arm."""

from types import SimpleNamespace

import pytest
from ray.tune.schedulers import TrialScheduler

from sweeps.search.asha import ArmASHA, rung


def trial(key, arm="a", phase="search", epochs=10):
    knobs = {"epochs": epochs}
    return SimpleNamespace(
        config={"trial": key, "arm": arm, "phase": phase, "until_epoch": None, "knobs": knobs}
    )


def decide(asha, runner, epoch, score):
    result = {"epoch": epoch, "val_best_adjusted_recall": score, "val_macro_recall": 1 - (score or 0)}
    return asha.on_trial_result(None, runner, result) == TrialScheduler.STOP


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [(1, 1), (2, 1), (3, 1), (4, 2), (9, 3), (10, 4), (20, 7), (200, 67)],
)
def test_the_rung_that_the_plan_names_is_rays_and_the_only_one(epochs, expected):
    assert rung(epochs) == expected
    asha = ArmASHA()._asha("a", epochs)
    milestones = sorted(milestone for milestone, _ in asha._brackets[0]._rungs)
    assert [m for m in milestones if m < epochs or epochs == 1] == [expected]


def test_only_the_best_third_of_a_rung_goes_on():
    asha = ArmASHA()
    stopped = {}
    for i, score in enumerate([0.5, 0.4, 0.6, 0.45, 0.7, 0.55]):
        runner = trial(str(i))
        asha.on_trial_add(None, runner)
        assert not any(decide(asha, runner, epoch, 0.0) for epoch in (1, 2, 3))
        stopped[score] = decide(asha, runner, 4, score)
    assert stopped == {0.5: False, 0.4: True, 0.6: False, 0.45: True, 0.7: False, 0.55: True}


def test_arms_do_not_share_rungs_and_final_runs_are_never_stopped():
    asha = ArmASHA()
    strong, weak = trial("s", arm="strong"), trial("w", arm="weak")
    final = trial("f", arm="strong", phase="final")
    for runner in (strong, weak, final):
        asha.on_trial_add(None, runner)
    assert not decide(asha, strong, 4, 0.9)
    assert not decide(asha, weak, 4, 0.1)
    assert not decide(asha, final, 4, 0.0)


def test_reports_without_a_score_go_on_and_enter_no_rung():
    asha = ArmASHA()
    for i in range(6):
        runner = trial(str(i))
        asha.on_trial_add(None, runner)
        assert not any(decide(asha, runner, epoch, None) for epoch in range(1, 11))
        asha.on_trial_complete(None, runner, {"epoch": 10, "val_best_adjusted_recall": None})
    assert asha.recorded() == {"a": {4: {}}}


def test_what_was_decided_on_is_brought_back_and_the_rest_is_left_open():
    asha = ArmASHA()
    asha.bring_back("0", "a", 10, {3: 0.1, 4: 0.5, 10: 0.6}, last=10, ended=True)
    asha.bring_back("1", "a", 10, {4: 0.7, 5: 0.8}, last=5, ended=False)
    asha.bring_back("2", "a", 10, {3: 0.2, 4: 0.9}, last=4, ended=False)  # its last epoch: not decided on
    assert asha.recorded() == {"a": {4: {"0": 0.5, "1": 0.7}}}
    for key in "12":
        asha.on_trial_add(None, trial(key))
    assert not decide(asha, trial("1"), 4, 0.0)  # decided on before: not again
    assert not decide(asha, trial("2"), 4, 0.9)
    assert asha.recorded() == {"a": {4: {"0": 0.5, "1": 0.7, "2": 0.9}}}
