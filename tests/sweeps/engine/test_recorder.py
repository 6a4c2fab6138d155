"""Rows of what Ray tells the recorder, in Ray's order, without its processes."""

import numpy as np
import pytest
from ray.tune.experiment import Trial

from lt_core.errors import InputError
from sweeps.engine.deaths import Deaths
from sweeps.engine.recorder import Recorder
from sweeps.engine.searcher import SweepSearcher
from sweeps.engine.trainable import Arrays
from sweeps.terminal.progress import Progress

ARRAYS = Arrays(
    confusion=np.eye(10, dtype=np.int64),
    counts=np.full(10, 7),
    recall_by_tau=np.ones((21, 10)),
)


class Rays:
    """What TuneController does with a trial's reports."""

    def __init__(self, data, sequence):
        self.there = ["here"]
        self.progress = Progress(sequence, {"fixed": 1.0, "found": 2.0}, 60.0)
        limits = {"fixed": 60.0, "found": 60.0}
        self.recorder = Recorder(data, sequence, self.progress, None, limits, Deaths(self.alive))
        self.searcher = SweepSearcher(sequence, 1, {})

    def alive(self):
        return self.there

    def begin(self):
        trial = Trial("Trial", config=self.searcher.suggest("0"), stub=True)
        self.recorder.on_trial_start(0, [], trial)
        return trial

    def report(self, trial, epoch, **columns):
        times = {"train_seconds": float(epoch > 0), "eval_seconds": 0.5}
        ran_with = {"device": "cpu", "precision": "fp32", "channels_last": False}
        result = {
            "epoch": epoch,
            "arrays": ARRAYS,
            **times,
            "ran_with": ran_with,
            "notes": [],
            "hostname": "here",
            "processor": "made by one",
        }
        result |= columns
        self.recorder.on_trial_result(0, [], trial, result)
        trial.update_last_result(result | {"training_iteration": 1})

    def complete(self, trial):
        self.recorder.on_trial_complete(0, [], trial)

    def lose(self, trial):
        self.recorder.on_trial_error(0, [], trial)


@pytest.fixture
def rays(digits, sequence):
    return Rays(digits, sequence)


def test_a_trial_ends_with_its_last_epoch_and_the_epoch_before_the_first_costs_nothing(rays, sequence):
    trial = rays.begin()
    for epoch in range(5):  # 0: before anything is trained
        rays.report(trial, epoch, train_loss=1.0)
    assert rays.progress.worked == 4
    rays.complete(trial)
    row = sequence.results.trials["fixed-final-00"]
    assert (row["status"], row["epochs_done"], row["seconds"], row["host"]) == ("finished", 4, 6.5, "here")
    assert sorted(sequence.results.past.scores["fixed-final-00"]) == [0, 1, 2, 3, 4]
    assert sequence.results.past.classes["fixed-final-00"] == 10
    assert rays.progress.worked == 4
    assert trial.metric_analysis == {}
    assert sequence.running == {}


def test_a_trial_that_diverged_ends_where_it_was(rays, sequence):
    trial = rays.begin()
    rays.report(trial, 1)
    trial.update_last_result({"done": True, "diverged": "training loss is nan in epoch 2"})
    rays.complete(trial)
    row = sequence.results.trials["fixed-final-00"]
    assert (row["status"], row["epochs_done"]) == ("diverged", 1)
    assert row["reason"] == "training loss is nan in epoch 2"
    assert rays.progress.worked == 4  # nothing of it is left to do


def test_a_trial_that_diverged_in_its_first_epoch_has_no_classes(rays, sequence):
    trial = rays.begin()
    rays.report(trial, 0)  # before anything is trained
    trial.update_last_result({"done": True, "diverged": "training loss is nan in epoch 1"})
    rays.complete(trial)
    row = sequence.results.trials["fixed-final-00"]
    assert (row["status"], row["epochs_done"], row["seconds"]) == ("diverged", 0, 0.5)
    assert sequence.results.past.classes["fixed-final-00"] == 0


def test_what_asha_stopped_says_where(rays, sequence):
    rays.report(first := rays.begin(), 4)
    rays.complete(first)
    rays.report(searched := rays.begin(), 2)
    rays.complete(searched)
    row = sequence.results.trials["found-search-0000"]
    expected = ("stopped", "ASHA: too low at the rung after epoch 2", 2)
    assert (row["status"], row["reason"], row["epochs_done"]) == expected


def test_a_sweep_that_ends_early_leaves_trials_that_go_on(rays, sequence):
    rays.report(trial := rays.begin(), 1)
    rays.recorder.end_early("SIGTERM")
    assert rays.recorder.should_stop("0", {})
    rays.complete(trial)
    row = sequence.results.trials["fixed-final-00"]
    assert (row["status"], row["reason"], row["epochs_done"]) == ("interrupted", "SIGTERM", 1)
    assert sequence.results.past.classes["fixed-final-00"] == 0
    assert sequence.over


def test_a_trial_that_ray_left_without_an_end_is_interrupted(rays, sequence):
    rays.report(rays.begin(), 1)
    rays.recorder.end_early("SIGINT")
    rays.recorder.close()
    row = sequence.results.trials["fixed-final-00"]
    assert (row["status"], row["reason"], row["epochs_done"]) == ("interrupted", "SIGINT", 1)


def test_an_epoch_that_is_measured_again_must_come_out_the_same(rays, sequence):
    trial = rays.begin()
    rays.report(trial, 1, train_loss=1.0)
    rays.report(trial, 1, train_loss=1.0, train_seconds=9.0)  # a time may differ
    assert len(sequence.results.past.scores["fixed-final-00"]) == 1
    message = "fixed-final-00, epoch 1: train_loss was 1.0 and is now 1.5: the code, a library or the machine"
    with pytest.raises(InputError, match=message):
        rays.report(trial, 1, train_loss=1.5)
    assert isinstance(rays.recorder.crash, InputError)
    assert sequence.closed


def test_a_step_does_not_look_at_every_trial_there_ever_was(rays):
    class Thousands(list):
        def __iter__(self):
            raise AssertionError("looked through")

    rays.begin()
    rays.recorder.on_step_end(0, Thousands())


@pytest.fixture
def says(tmp_path, monkeypatch):
    """Sets what Ray writes of a trial that failed."""

    def says(why):
        (tmp_path / "error.txt").write_text(f"Failure # 1\nray.exceptions.ActorDiedError: {why}\n")
        monkeypatch.setattr(Trial, "error_file", str(tmp_path / "error.txt"))
        monkeypatch.setattr(Trial, "pickled_error_file", None)

    return says


def test_a_trial_whose_worker_dies_again_and_again_fails(rays, sequence, says):
    says("The actor died unexpectedly before finishing this task.")
    for _ in range(3):
        rays.lose(rays.begin())
    row = sequence.results.trials["fixed-final-00"]
    assert (row["status"], row["attempts"]) == ("failed", 3)


def test_a_machine_that_is_lost_is_no_fault_of_the_trials(rays, sequence, says):
    says("The actor died unexpectedly before finishing this task.")
    for i in range(5):
        rays.report(trial := rays.begin(), 1, node_ip=f"host {i}")
        rays.there = [f"host {i}"]  # is missed a moment later
        rays.lose(trial)
    row = sequence.results.trials["fixed-final-00"]
    assert (row["status"], row["attempts"], sequence.queue[0].trial) == ("running", 5, "fixed-final-00")
    said = "fixed-final-00: its worker or machine is gone, it goes on from its last checkpoint"
    assert rays.progress.notes == {said}


def test_trials_that_do_not_begin_are_never_failed_and_end_the_sweep_when_none_does(rays, sequence, says):
    says("No module named 'nothing'")
    for _ in range(10):
        rays.lose(Trial("Trial", config=rays.searcher.suggest("0"), stub=True))
    assert sequence.results.trials == {}
    message = "11 trials in a row did not begin: ray.exceptions.ActorDiedError: No module named 'nothing'"
    with pytest.raises(InputError, match=message):
        rays.lose(Trial("Trial", config=rays.searcher.suggest("0"), stub=True))
    assert isinstance(rays.recorder.crash, InputError)


def test_a_machine_with_other_versions_ends_the_sweep(rays):
    trial = rays.begin()
    with pytest.raises(InputError, match="there has torch 1"):
        rays.recorder.on_trial_result(0, [], trial, {"unfit": "there has torch 1.0", "done": True})


def test_another_processor_may_measure_other_numbers_and_is_on_record(rays, sequence):
    trial = rays.begin()
    rays.report(trial, 1, train_loss=1.0)
    rays.report(trial, 1, train_loss=1.5, processor="made by another")
    rays.report(trial, 2, train_loss=0.5, processor="made by another", hostname="there")
    row = sequence.results.trials["fixed-final-00"]
    assert (row["host"], row["processor"]) == ("there", "made by another")
    assert rays.recorder.seen["fixed-final-00"][1]["train_loss"] == 1.0
