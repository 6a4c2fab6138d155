"""Sweeps that go on: the sequence's part, and what --resume refuses."""

from dataclasses import replace

import pandas as pd
import pytest

from lt_core.config import TrainConfig
from sweeps.planning.description import describe
from sweeps.planning.experiment import Arm, Experiment
from sweeps.planning.plan import make_plan
from sweeps.planning.spaces import SPACES
from sweeps.record.states import Phase, Status
from sweeps.run import main
from sweeps.search.sequence import Sequence
from sweeps.search.warm_start import known_trials
from sweeps.store.results import Results
from sweeps.store.schemas import SCHEMAS

EXPERIMENT = Experiment(
    base={"epochs": 10, "imbalance_ratio": 10.0},
    arms=[
        Arm(name="fixed", label="fixed"),
        Arm(name="found", label="found", search={"lr": SPACES["lr"], "beta": SPACES["beta"]}),
    ],
    trials=9,
    seeds=2,
)
OPTIONS = {
    "trials": None,
    "epochs": None,
    "seeds": None,
    "seed": 0,
    "machine": {"threads": 1},
}


class Cut(Exception):
    """The driver is gone."""


@pytest.fixture
def plan(digits):
    return make_plan("toy", EXPERIMENT, digits, settings={}, **OPTIONS)


def recall(config: TrainConfig, epoch: int) -> float:
    """A learning curve that depends on the configuration and the seed alone."""
    return epoch / 10 - 40 * abs(config.lr - 2e-3) - (1 - config.beta) + (config.seed % 97) / 1e4


def potential(config: TrainConfig, epoch: int) -> float:
    """What the rung compares: not the order of the recalls."""
    return recall(config, epoch) + 3 * abs(config.lr - 1e-3)


def play(plan, folder, writes, diverges=lambda config: False):
    """Play Ray and the recorder at concurrency 1 until the sweep ends, or ``writes`` rows were written.

    Returns the rungs. Rows are written in the order in which the recorder writes them.
    """
    results = Results(folder, resume=(folder / "trials").exists())
    original, left = results.write, [writes]

    def write(**tables):
        if left[0] == 0:
            raise Cut
        left[0] -= 1
        original(**tables)

    results.write = write
    try:
        sequence = Sequence(plan, results)
        while spec := sequence.next():
            begin(results, spec)
            status = run(results, sequence, spec, diverges(spec.config))
            sequence.end(spec.trial, status)
        assert sequence.over
        results.flush()
    finally:
        results.write = original
        results.abandon()
    return sequence.asha.recorded()


def begin(results, spec):
    row = {"trial": spec.trial, "arm": spec.arm, "phase": spec.phase, "config_of": spec.config_of}
    row |= {"proposal": spec.proposal, "status": "running", "epochs_done": 0, "known_from": None}
    results.write(trials=[{**spec.config.model_dump(), **row}])


def run(results, sequence, spec, diverges):
    """Report every epoch from the first on, as a trial without a checkpoint does."""
    results.past.epochs.pop(spec.trial, None)
    for epoch in range(1, 11):
        if diverges and epoch == 1:
            status, done = Status.DIVERGED, 0
            break
        scores = {"val_macro_recall": recall(spec.config, epoch), "val_best_adjusted_recall": None}
        if spec.phase != Phase.FINAL:
            scores["val_best_adjusted_recall"] = potential(spec.config, epoch)
        stopped = sequence.stops(spec.trial, epoch, scores["val_best_adjusted_recall"])
        if epoch not in results.past.scores[spec.trial]:
            empty = dict.fromkeys(SCHEMAS["epochs"].names)
            row = empty | {"trial": spec.trial, "epoch": epoch, **scores}
            results.write(epochs=[row])
        if stopped or epoch == 10:
            status, done = Status.STOPPED if stopped else Status.FINISHED, epoch
            break
    ended = {"trial": spec.trial, "status": status, "epochs_done": done}
    results.write(classes=[{"trial": spec.trial, "class": 0}], trials=[ended])
    return status


def rows_of(results):
    keep = ("status", "epochs_done", "proposal", "config_of", "lr", "beta", "seed")
    return {key: [row[name] for name in keep] for key, row in results.trials.items()}


def rows(folder):
    results = Results(folder, resume=True)
    results.abandon()
    return rows_of(results), {key: dict(scores) for key, scores in results.past.scores.items()}


def number_of_writes(folder):
    trials, scores = rows(folder)
    return 2 * len(trials) + sum(map(len, scores.values()))


@pytest.mark.slow
def test_a_sweep_cut_off_after_any_row_ends_as_an_undisturbed_one(plan, tmp_path):
    def diverges(config):
        return config.lr > 4e-3

    ladder = play(plan, tmp_path / "whole", writes=10_000, diverges=diverges)
    expected = rows(tmp_path / "whole")
    statuses = [row[0] for row in expected[0].values()]
    assert {"finished", "stopped", "diverged"} == set(statuses)
    for writes in range(1, number_of_writes(tmp_path / "whole"), 3):
        folder = tmp_path / str(writes)
        with pytest.raises(Cut):
            play(plan, folder, writes, diverges)
        assert play(plan, folder, writes=10_000, diverges=diverges) == ladder, writes
        assert rows(folder) == expected, writes


def test_a_longer_search_supersedes_the_finals_of_what_it_no_longer_chooses(plan, tmp_path):
    play(plan, tmp_path / "r", writes=10_000)
    before = rows(tmp_path / "r")[0]
    chosen = {row[3] for key, row in before.items() if key.startswith("found-final")}
    play(replace(plan, trials=30, seeds=3), tmp_path / "r", writes=10_000)
    after = rows(tmp_path / "r")[0]
    assert sum(key.startswith("found-search") for key in after) == 30
    assert {key: row for key, row in after.items() if "search" in key and key in before} == {
        key: row for key, row in before.items() if "search" in key
    }
    finals = {key: row for key, row in after.items() if key.startswith("found-final")}
    current = {row[3] for row in finals.values() if row[0] == "finished"}
    old = {row[3] for row in finals.values() if row[0] == "superseded"}
    assert len(current) == 1
    assert current != chosen  # the longer search found something better here
    assert old == chosen
    assert sum(row[0] == "finished" for row in finals.values()) == 3
    assert sum(row[0] == "superseded" for row in finals.values()) == 2
    assert sum(key.startswith("fixed-final") for key in after) == 3


@pytest.mark.slow
def test_an_interruption_then_an_extension_leave_nothing_open_and_nothing_twice(plan, tmp_path):
    longer = replace(plan, trials=30, seeds=3)
    play(plan, tmp_path / "whole", writes=10_000)
    for writes in range(60, number_of_writes(tmp_path / "whole"), 9):
        folder = tmp_path / str(writes)
        with pytest.raises(Cut):
            play(plan, folder, writes)
        play(longer, folder, writes=10_000)
        trials, _ = rows(folder)
        assert {row[0] for row in trials.values()} <= {"finished", "stopped", "superseded"}
        results = Results(folder, resume=True)
        assert Sequence(longer, results).over, writes
        results.close()
        epochs = pd.read_parquet(folder / "epochs")
        assert not epochs.duplicated(["trial", "epoch"]).any()
        assert not pd.read_parquet(folder / "classes").duplicated(["trial", "class"]).any()


def test_finals_that_are_chosen_again_are_what_they_were(plan, tmp_path):
    play(plan, tmp_path / "r", writes=10_000)
    before = rows(tmp_path / "r")
    results = Results(tmp_path / "r", resume=True)
    sequence = Sequence(plan, results)
    (chosen,) = {row[3] for key, row in before[0].items() if key.startswith("found-final")}
    sequence._supersede("found", Phase.FINAL, ["another"])
    assert {row[0] for key, row in rows_of(results).items() if "found-final" in key} == {"superseded"}
    sequence._queue_finals(plan.arms[1], sequence.searches["found"].configs[chosen], chosen)
    assert not sequence.queue
    assert rows_of(results) == before[0]
    results.close()


def test_a_warm_start_runs_nothing_that_is_known(plan, digits, tmp_path):
    play(plan, tmp_path / "old", writes=10_000)
    old = Results(tmp_path / "old", resume=True)
    old.describe(describe(plan, digits, {"dataset": "digits", "experiment": "toy"}, ""))
    old.close()
    known, notes = known_trials(tmp_path / "old", plan, digits.fingerprint)
    assert notes == [f"found: 9 search trials are known from {tmp_path / 'old'}"]
    new = Results(tmp_path / "new")
    new.write(**known)
    new.close()
    play(plan, tmp_path / "new", writes=10_000)
    trials, _ = rows(tmp_path / "new")
    searched = [row for key, row in trials.items() if "search" in key]
    assert len(searched) == 18
    assert len({row[2] for row in searched}) == 18  # nothing is proposed twice, the hand-picked included
    assert searched[:9] == [row for key, row in rows(tmp_path / "old")[0].items() if "search" in key]
    for table, keys in (("epochs", ["trial", "epoch"]), ("classes", ["trial", "class"])):
        assert not pd.read_parquet(tmp_path / "new" / table).duplicated(keys).any()


def test_a_trial_that_did_not_search_a_knob_is_known_by_its_values(digits, tmp_path):
    fixed = make_plan("toy", EXPERIMENT, digits, settings={"beta": 0.999}, **OPTIONS)
    play(fixed, tmp_path / "old", writes=10_000)
    old = Results(tmp_path / "old", resume=True)
    old.describe(describe(fixed, digits, {"dataset": "digits", "experiment": "toy"}, ""))
    old.close()
    plan = make_plan("toy", EXPERIMENT, digits, settings={}, **OPTIONS)
    known, _ = known_trials(tmp_path / "old", plan, digits.fingerprint)
    new = Results(tmp_path / "new")
    new.write(**known)
    sequence = Sequence(plan, new)
    configs = sequence.searches["found"].configs
    assert [config.beta for config in configs.values()] == pytest.approx([0.999] * 9)
    assert [config.lr for config in configs.values()] == [row["lr"] for row in known["trials"]]
    new.close()


def test_lost_rows_of_a_terminal_trial_are_measured_again(plan, tmp_path):
    play(plan, tmp_path / "r", writes=10_000)
    expected = rows(tmp_path / "r")
    results = Results(tmp_path / "r", resume=True)
    results.close()
    (part,) = (tmp_path / "r" / "epochs").glob("part-*")
    part.write_bytes(part.read_bytes()[:-100])
    results = Results(tmp_path / "r", resume=True)
    assert f"{part} is damaged" in results.past.notes[0]
    sequence = Sequence(plan, results)
    lost = [(spec.trial, spec.until_epoch) for spec in sequence.queue]
    assert lost == [(key, row[1]) for key, row in expected[0].items()]
    assert sequence.searches == {}  # nothing is proposed before what was known is known again
    results.abandon()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "6"], "the sweep was begun with --epochs 5, not with --epochs 6"),
        (["--seed", "1"], "the sweep was begun with --seed 0, not with --seed 1"),
        (["--set", "lr=0.01"], "the sweep was begun without --set, not with --set lr=0.01"),
        (
            ["--cpus-per-trial", "2"],
            "the sweep was begun with --cpus-per-trial 1, not with --cpus-per-trial 2",
        ),
        (["--dataset", "cifar10"], "begun with --dataset digits, not with --dataset cifar10"),
        (["--preset", "cpu"], "begun with --preset digits, not with --preset cpu"),
        (["--trials", "4"], "--trials may only grow, from 5, not to 4"),
        (["--seeds", "2"], "--seeds may only grow, from 3, not to 2"),
    ],
)
def test_what_resume_refuses(arguments, message, sweep, monkeypatch, capsys):
    monkeypatch.chdir(sweep.folder.parents[1])
    assert main(["cb_focal", "--resume", "--dry-run", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_what_resume_allows(sweep, monkeypatch, capsys):
    monkeypatch.chdir(sweep.folder.parents[1])
    grown = ["--trials", "6", "--seeds", "4", "--max-concurrent", "1", "--time-budget", "1h"]
    assert main(["cb_focal", "--resume", "--dry-run", *grown]) == 0
    shown = capsys.readouterr().out
    assert "6 search, 6 confirm, 4 final, 5 epochs" in shown
    by_status = pd.read_parquet(sweep.folder / "trials").groupby("status").size()
    assert f"so far:  {', '.join(f'{n} {status}' for status, n in by_status.items())}\n" in shown


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Expecting value: line 1 column 1"),
        ("[]", "it holds no description of a sweep"),
        ("{}", "Field required experiment"),
        ('{"experiment": "cb_focal", "options": 3', "Expecting ',' delimiter"),
    ],
)
def test_a_damaged_description_is_named(text, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "results" / "cb_focal" / "sweep.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert main(["cb_focal", "--resume"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: results/cb_focal/sweep.json is damaged: ")
    assert message in error
    assert error.count("\n") == 1


def test_a_folder_without_a_sweep_cannot_be_resumed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["cb_focal", "--resume"]) == 2
    expected = "error: results/cb_focal holds no sweep: No such file or directory (sweep.json); begin it"
    assert capsys.readouterr().err == f"{expected} without --resume\n"


def test_the_same_command_begins_a_sweep_and_goes_on_with_it(sweep, tmp_path, monkeypatch, capsys):
    line = ["cb_focal", "--resume-if-any", "--dry-run"]
    options = ["--dataset", "digits", "--trials", "5", "--seeds", "3", "--epochs", "5"]
    monkeypatch.chdir(tmp_path)
    assert main([*line, *options]) == 0
    assert "so far" not in capsys.readouterr().out
    monkeypatch.chdir(sweep.folder.parents[1])
    assert main([*line, *options]) == 0
    assert "so far:  " in capsys.readouterr().out
