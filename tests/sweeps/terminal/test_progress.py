"""The display counts work by epochs trained."""

import re
import sys
from io import StringIO

import pytest

from sweeps.planning import Arm, Experiment
from sweeps.planning.plan import make_plan
from sweeps.record.states import Status
from sweeps.store.recovery import Recovered
from sweeps.terminal.progress import Progress, duration
from tests.sweeps.plans import CPU, plan_of

COSTS = {"cheap": 1.0, "dear": 3.0}  # seconds an epoch


@pytest.fixture
def progress(digits):
    arms = [Arm(name=name, label=name.upper()) for name in COSTS]
    experiment = Experiment(base={"epochs": 4, "imbalance_ratio": 10.0}, arms=arms, seeds=2)
    asked = {"settings": {}, "trials": None, "epochs": None, "seeds": None, "seed": 0, "machine": CPU}
    return Progress(make_plan("mine", experiment, digits, **asked), COSTS)


def report(epoch, score=None):
    return {"epoch": epoch, "val_macro_recall": score}


def test_the_work_is_epochs_times_their_cost(progress):
    assert progress.total == 2 * 4 * (1 + 3)
    progress.started()
    for epoch in (1, 2):
        progress.epoch("dear", report(epoch))
    assert progress.done == 6
    progress.ended("dear", Status.STOPPED, 2)  # what it leaves is work that need not be done
    assert progress.done == 12
    assert progress.line() == "0 running, 1 of 4 done, about 0 s left, 1 stopped"


def test_the_untrained_network_costs_nothing(progress):
    progress.started()
    progress.epoch("cheap", report(0, 0.1))
    assert progress.done == 0
    progress.epoch("cheap", report(1, 0.3))
    assert progress.done == 1
    assert progress.best == (0.3, "CHEAP")


def test_it_goes_on_from_what_is_on_record(progress):
    past = Recovered(notes=["a file is damaged"])
    for trial, arm, status, epochs in (
        ("a", "cheap", Status.FINISHED, range(5)),
        ("b", "dear", Status.INTERRUPTED, range(3)),
        ("c", "dear", Status.DIVERGED, ()),
    ):
        past.trials[trial] = {"trial": trial, "arm": arm, "status": str(status), "epochs": 4}
        past.count({"epochs": [{"trial": trial, **report(epoch)} for epoch in epochs], "classes": []})
    with progress.console.capture() as said:
        progress.go_on(past, ["the code has changed"])
    assert progress.done == progress.before == 4 * 1 + 2 * 3 + 4 * 3
    assert progress.line() == "0 running, 2 of 4 done, 1 diverged"
    assert said.get().splitlines() == [
        "note: a file is damaged",
        "note: the code has changed",
        "note: goes on: 2 of 4 done",
    ]


def test_an_interrupted_trial_is_not_done(progress):
    progress.started()
    progress.epoch("cheap", report(1))
    progress.ended("cheap", Status.INTERRUPTED, 3)
    assert (progress.done, progress.done_so_far()) == (1, "0 of 4 done")


@pytest.mark.parametrize(
    ("seconds", "text"), [(45, "45 s"), (89, "89 s"), (90, "2 min"), (720, "12 min"), (11100, "3 h 05 min")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text


class Terminal(StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("width", [80, 120])
def test_bar_and_time_left_stay_in_a_narrow_terminal(digits, width, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    plan = plan_of("cb_focal", digits)
    progress = Progress(plan, {arm.name: 1.0 for arm in plan.arms})
    progress.labels["ce"] = "[/red] a label that is much longer than any terminal is wide " * 2
    progress.done = 0.1 * progress.total
    with progress:
        progress.started()
        progress.epoch("ce", report(1, 0.5))
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue()).splitlines()[-1].rpartition("\r")[2]
    assert re.match(r"[━╸╺ ]{24}  10% 1 running, 0 of \d+ done, about .* left", shown)
    assert ("best val macro recall 0.500" in shown) == (width == 120)
    assert len(shown.rstrip()) <= width


def test_markup_in_a_label_or_a_message_is_none(digits, capsys):
    plan = plan_of("cb_focal", digits)
    progress = Progress(plan, {arm.name: 1.0 for arm in plan.arms})
    progress.note("CE [/ours] :smile: failed")
    progress.note("warning: [red]few[/red]")
    assert capsys.readouterr().out == "note: CE [/ours] :smile: failed\nwarning: [red]few[/red]\n"
