"""What Ray is told: the searcher's jobs and the scheduler's decisions, as Ray asks for them."""

from types import SimpleNamespace

import pytest
from ray.tune.experiment import Trial
from ray.tune.search import Searcher

from sweeps.engine.scheduler import SweepScheduler
from sweeps.engine.searcher import SweepSearcher
from sweeps.record.states import Status


def trials(searcher, number):
    """The next trials of Ray's."""
    return [Trial("Trial", config=searcher.suggest(f"ray's {i}"), stub=True) for i in range(number)]


def test_ray_gets_jobs_while_there_is_room(sequence):
    searcher = SweepSearcher(sequence, 2, {"plugin": None})
    first, second = (searcher.suggest(str(i)) for i in range(2))
    assert (first["trial"], second["trial"]) == ("fixed-final-00", "found-search-0000")
    assert first["knobs"]["evaluate_on"] == "test"
    assert {key: first[key] for key in ("until_epoch", "attempt", "reported", "plugin")} == {
        "until_epoch": None,
        "attempt": 1,
        "reported": 0,
        "plugin": None,
    }
    assert searcher.suggest("2") is None
    sequence.end("fixed-final-00", Status.FINISHED)
    assert searcher.suggest("2")["trial"] == "found-search-0001"


def test_a_trial_that_goes_on_is_told_what_is_on_record(sequence):
    searcher, results = SweepSearcher(sequence, 1, {}), sequence.results
    job = searcher.suggest("0")
    identity = {"trial": job["trial"], "arm": "fixed", "phase": "final", "status": "running"}
    results.write(trials=[{**identity, "attempts": 1}])
    results.write(epochs=[{"trial": job["trial"], "epoch": epoch} for epoch in (0, 1, 2)])
    sequence.again(job["trial"])
    again = searcher.suggest("1")
    assert again == job | {"attempt": 2, "reported": 2}


def test_a_closed_sequence_ends_the_fit_when_nothing_runs(sequence):
    searcher = SweepSearcher(sequence, 2, {})
    job = searcher.suggest("0")
    sequence.closed = True
    assert searcher.suggest("1") is None
    sequence.end(job["trial"], Status.INTERRUPTED)
    assert searcher.suggest("1") == Searcher.FINISHED


@pytest.mark.parametrize("way", ["asked", "done"])
def test_ray_stops_what_the_sequence_stops(way, sequence):
    """Ray does not ask about a trial that is done: its score counts for the others all the same."""
    final, first, second = trials(SweepSearcher(sequence, 3, {}), 3)
    scheduler = SweepScheduler(sequence)

    def decided(trial, epoch, score):
        return scheduler.on_trial_result(None, trial, {"epoch": epoch, "val_best_adjusted_recall": score})

    assert decided(final, 1, None) == "CONTINUE"
    if way == "asked":
        assert decided(first, 1, 0.5) == "CONTINUE"
    else:
        scheduler.on_trial_complete(None, first, {"epoch": 1, "val_best_adjusted_recall": 0.5})
    assert decided(second, 1, 0.4) == "STOP"
    expected = {"found-search-0000": {1: 0.5}, "found-search-0001": {1: 0.4}}
    assert sequence.asha.recorded() == {"found": expected}


def test_a_trial_that_diverged_is_no_part_of_a_rung(sequence):
    _, trial = trials(SweepSearcher(sequence, 2, {}), 2)
    scheduler = SweepScheduler(sequence)
    scheduler.on_trial_complete(None, trial, {"done": True, "diverged": "training loss is nan in epoch 1"})
    assert sequence.asha.recorded() == {}


def test_trials_begin_in_the_order_in_which_they_were_handed_out(sequence):
    first, second, third = trials(SweepSearcher(sequence, 3, {}), 3)
    scheduler = SweepScheduler(sequence)
    live = SimpleNamespace(get_live_trials=lambda: {third, second, first})
    for expected in (first, second, third):
        assert scheduler.choose_trial_to_run(live) is expected
        expected.set_status(Trial.RUNNING)
    assert scheduler.choose_trial_to_run(live) is None
