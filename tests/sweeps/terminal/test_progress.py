"""The display counts work by epochs trained."""

import re
import sys
import time
from dataclasses import replace
from io import StringIO

import pytest

from sweeps.planning import Arm, Experiment
from sweeps.planning.plan import make_plan
from sweeps.record.states import Status
from sweeps.search.sequence import Sequence
from sweeps.store.results import Results
from sweeps.terminal.progress import Progress, duration
from tests.sweeps.plans import CPU

COSTS = {"cheap": 1.0, "dear": 3.0}  # seconds an epoch


@pytest.fixture
def sequence(digits, tmp_path):
    arms = [Arm(name=name, label=name.upper()) for name in COSTS]
    experiment = Experiment(base={"epochs": 4, "imbalance_ratio": 10.0}, arms=arms, seeds=2)
    asked = {"settings": {}, "trials": None, "epochs": None, "seeds": None, "seed": 0, "machine": CPU}
    return Sequence(make_plan("mine", experiment, digits, **asked), Results(tmp_path / "mine"))


@pytest.fixture
def progress(sequence):
    return Progress(sequence, COSTS, expected=60.0)


def report(epoch, score=None):
    return {"epoch": epoch, "val_macro_recall": score}


def write(results, spec, status, epochs=()):
    """Write a trial's row with this status, and these epochs."""
    row = {"trial": spec.trial, "arm": spec.arm, "phase": spec.phase, "status": status, "epochs_done": 0}
    results.write(trials=[row], epochs=[{"trial": spec.trial, **report(epoch)} for epoch in epochs])


def test_the_work_is_epochs_times_their_cost(progress, sequence):
    cheap, dear = (next(spec for spec in sequence.queue if spec.arm == arm) for arm in COSTS)
    assert progress.work() == (0, 2 * 4 * (1 + 3))
    assert progress.line() == "0 running, 0 of 4 done, about 60 s left"  # what was expected
    write(sequence.results, dear, Status.RUNNING, [0, 1, 2])  # before the first nothing is trained
    assert progress.work() == (2 * 3, 2 * 4 * (1 + 3) - 2 * 3)
    assert progress.line() == "1 running, 0 of 4 done, about 60 s left"
    sequence.queue.remove(dear)
    write(sequence.results, dear, Status.STOPPED)
    assert progress.work() == (4 * 3, 2 * 4 * (1 + 3) - 4 * 3)
    assert progress.line() == "0 running, 1 of 4 done, about 60 s left, 1 stopped"
    write(sequence.results, cheap, Status.INTERRUPTED, [1])
    assert progress.work() == (4 * 3 + 1, 2 * 4 * (1 + 3) - 4 * 3 - 1)
    assert progress.done_so_far() == "1 of 4 done"


def test_the_time_left_is_by_the_work_of_this_session(progress, monkeypatch):
    now = progress.started_at
    monkeypatch.setattr(time, "monotonic", lambda: now)
    progress.started()
    now += 10
    for epoch in range(3):  # the untrained network costs nothing
        progress.epoch("dear", report(epoch, 0.1 * epoch))
    progress.ended("dear", spared=2)
    assert progress.worked == 4 * 3
    assert "about 27 s left" in progress.line()  # 32 of work at 12 in 10 s: nothing has its row yet
    assert progress.line().endswith("left, best val macro recall 20.0 (DEAR)")  # in percent, as in tables


def test_what_takes_longer_than_was_expected_says_so_no_longer(progress, monkeypatch):
    monkeypatch.setattr(time, "monotonic", lambda: progress.started_at + 61)
    assert progress.line() == "0 running, 0 of 4 done"


def test_it_goes_on_from_what_is_on_record(progress, sequence):
    ended, diverged, running = list(sequence.queue)[:3]
    write(sequence.results, ended, Status.FINISHED, range(5))
    write(sequence.results, diverged, Status.DIVERGED)
    write(sequence.results, running, Status.INTERRUPTED, range(3))
    for spec in (ended, diverged):
        sequence.queue.remove(spec)
    sequence.results.past.notes.append("a file is damaged")
    with progress.console.capture() as said:
        progress.go_on(["the code has changed"])
    assert progress.worked == 0
    assert progress.line() == "0 running, 2 of 4 done, about 60 s left, 1 diverged"
    assert said.get().splitlines() == [
        "note: a file is damaged",
        "note: the code has changed",
        "note: goes on: 2 of 4 done",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"), [(45, "45 s"), (89, "89 s"), (90, "2 min"), (720, "12 min"), (11100, "3 h 05 min")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text


class Terminal(StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("width", [80, 120])
def test_bar_and_time_left_stay_in_a_narrow_terminal(sequence, width, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    label = "[/red] a label that is much longer than any terminal is wide " * 2
    cheap, dear = sequence.plan.arms
    arms = [replace(cheap, arm=replace(cheap.arm, label=label)), dear]
    sequence.plan = replace(sequence.plan, arms=arms)
    progress = Progress(sequence, COSTS, 60.0)
    write(sequence.results, sequence.queue[0], Status.RUNNING, [1, 2, 3])
    with progress:
        progress.started()
        progress.epoch("cheap", report(3, 0.5))
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue()).splitlines()[-1].rpartition("\r")[2]
    assert re.match(r"[━╸╺ ]{24}   9% 1 running, 0 of 4 done, about .* left", shown)
    assert ("best val macro recall 50.0" in shown) == (width == 120)
    assert len(shown.rstrip()) <= width


def test_markup_in_a_message_is_none(sequence, capsys):
    progress = Progress(sequence, COSTS, 60.0)
    progress.note("CE [/ours] :smile: failed")
    progress.note("warning: [red]few[/red]")
    assert capsys.readouterr().out == "note: CE [/ours] :smile: failed\nwarning: [red]few[/red]\n"
