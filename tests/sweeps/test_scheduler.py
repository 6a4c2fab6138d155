"""ASHA by value: Ray's own, one ladder an arm."""

from types import SimpleNamespace

import pytest
from ray.tune.schedulers import TrialScheduler

from sweeps.scheduler import ArmASHA, rungs


def trial(key, arm="a", phase="search", epochs=10):
    knobs = {"epochs": epochs}
    return SimpleNamespace(config={"trial": key, "arm": arm, "phase": phase, "upto": None, "knobs": knobs})


def decide(asha, runner, epoch, score):
    result = {"epoch": epoch, "val_macro_recall": score}
    return asha.on_trial_result(None, runner, result) == TrialScheduler.STOP


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [(1, [1]), (4, [1, 3]), (9, [1, 3]), (10, [2, 6]), (20, [4, 12]), (200, [40, 120])],
)
def test_the_rungs_that_the_plan_names_are_rays(epochs, expected):
    assert rungs(epochs) == expected
    asha = ArmASHA()._asha("a", epochs)
    milestones = sorted(milestone for milestone, _ in asha._brackets[0]._rungs)
    assert [m for m in milestones if m < epochs or epochs == 1] == expected


def test_only_the_best_third_of_a_rung_goes_on():
    asha = ArmASHA()
    stopped = {}
    for i, score in enumerate([0.5, 0.4, 0.6, 0.45, 0.7, 0.55]):
        runner = trial(str(i))
        asha.on_trial_add(None, runner)
        assert not decide(asha, runner, 1, 0.0)
        stopped[score] = decide(asha, runner, 2, score)
    assert stopped == {0.5: False, 0.4: True, 0.6: False, 0.45: True, 0.7: False, 0.55: True}


def test_arms_do_not_share_rungs_and_final_runs_are_never_stopped():
    asha = ArmASHA()
    strong, weak = trial("s", arm="strong"), trial("w", arm="weak")
    final = trial("f", arm="strong", phase="final")
    for runner in (strong, weak, final):
        asha.on_trial_add(None, runner)
    assert not decide(asha, strong, 2, 0.9)
    assert not decide(asha, weak, 2, 0.1)
    assert not decide(asha, final, 2, 0.0)
