"""What a trial reports when it goes on, without Ray."""

import os

import numpy as np
import pytest
import torch

from lt_core.errors import InputError
from sweeps.engine.machine import versions
from sweeps.engine.trainable import Arrays, class_rows, reports
from sweeps.store.checkpoints import Checkpoints
from sweeps.store.location import Folder


@pytest.fixture
def job(tmp_path, digits):
    return {
        "trial": "t",
        "knobs": {"imbalance_ratio": 20.0, "epochs": 6, "augment": "crop"},
        "until_epoch": None,
        "attempt": 1,
        "reported": 0,
        "place": str(tmp_path),
        "checkpoint_every": 0.0,
        "copy": digits.copy,
        "fingerprint": digits.fingerprint,
        "plugin": None,
        "versions": versions(),
        "cluster": False,
    }


def numbers(report):
    left_out = ("train_seconds", "eval_seconds", "notes")
    flat = report | vars(report["arrays"])
    return {key: str(value) for key, value in flat.items() if key not in (*left_out, "arrays")}


def some(job, n):
    """The first n reports of a trial whose process then ends."""
    running = reports(job)
    found = [numbers(next(running)) for _ in range(n)]
    running.close()
    return found


def test_a_trial_goes_on_from_its_checkpoint_and_reports_that_epoch_again(job):
    whole = list(map(numbers, reports(job | {"trial": "whole"})))
    assert [report["epoch"] for report in whole] == list("123456")
    assert [report["done"] for report in whole] == ["False"] * 5 + ["True"]
    assert some(job, 4) == whole[:4]
    assert list(map(numbers, reports(job | {"attempt": 2, "reported": 4}))) == whole[3:]


def test_an_epoch_that_was_never_put_on_record_is_not_skipped(job):
    whole = list(map(numbers, reports(job | {"trial": "whole"})))
    some(job, 4)  # the driver died before it wrote the fourth
    assert list(map(numbers, reports(job | {"attempt": 2, "reported": 3}))) == whole[2:]


def test_a_damaged_checkpoint_is_said_and_the_one_before_is_used(job, tmp_path):
    whole = some(job, 4)
    newest = max((tmp_path / "checkpoints" / "t").iterdir())
    os.truncate(newest, 1000)
    first = next(reports(job | {"attempt": 2, "reported": 4}))
    assert first["notes"] == [f"checkpoint {newest} is damaged: the one before it is used"]
    assert numbers(first) == whole[2]


def test_what_was_lost_is_measured_up_to_where_it_was(job):
    whole = list(map(numbers, reports(job | {"trial": "whole"})))
    again = list(map(numbers, reports(job | {"until_epoch": 4})))
    assert again == [*whole[:3], whole[3] | {"done": "True"}]


def test_a_checkpoint_of_an_older_version_is_gone_on_with(job, tmp_path):
    whole = list(map(numbers, reports(job | {"trial": "whole"})))
    some(job, 4)
    newest = max((tmp_path / "checkpoints" / "t").iterdir())
    state = torch.load(newest, weights_only=True)
    del state["run"]["drawn elsewhere"]
    state["report"]["val_potential"] = state["report"].pop("val_best_adjusted_recall")
    newest.unlink()
    Checkpoints(Folder(tmp_path), "t", 1, 0).write(4, state)
    assert list(map(numbers, reports(job | {"attempt": 2, "reported": 4}))) == whole[3:]


def test_the_untrained_network_is_reported_once_as_epoch_0(job):
    asked = job | {"knobs": job["knobs"] | {"evaluate_untrained": True}}
    whole = list(map(numbers, reports(asked | {"trial": "whole"})))
    assert [report["epoch"] for report in whole] == list("0123456")
    assert [whole[0][name] for name in ("lr", "train_loss", "train_accuracy")] == ["None"] * 3
    plain = list(map(numbers, reports(job | {"trial": "plain"})))
    assert whole[1:] == plain
    some(asked, 1)  # its worker died right after
    assert list(map(numbers, reports(asked | {"attempt": 2}))) == whole


def test_weights_are_kept_at_the_last_epoch_and_another_trial_starts_from_them(job, tmp_path):
    keeping = job | {"knobs": job["knobs"] | {"keep_weights": True}}
    *_, last = reports(keeping)
    assert os.listdir(tmp_path / "weights") == ["t.pt"]
    knobs = job["knobs"] | {"pretrained": str(tmp_path / "weights" / "t.pt"), "evaluate_untrained": True}
    first = next(reports(job | {"trial": "next", "knobs": knobs}))
    assert (first["epoch"], first["val_loss"]) == (0, last["val_loss"])
    os.remove(tmp_path / "weights" / "t.pt")
    list(reports(keeping | {"until_epoch": 3}))  # what was lost is measured again: no new weights
    assert os.listdir(tmp_path / "weights") == []


def test_other_data_is_refused(job):
    message = r"the decoded data in .*/digits-[0-9a-f]+ are not what the sweep began with"
    with pytest.raises(InputError, match=message):
        next(reports(job | {"fingerprint": "other"}))


def test_the_score_of_the_rung_is_the_best_under_any_adjustment_and_never_of_test(job):
    for report in reports(job):
        assert report["val_best_adjusted_recall"] == np.nanmean(report["arrays"].recall_by_tau, axis=1).max()
        assert report["val_best_adjusted_recall"] >= report["val_macro_recall"]
    for report in reports(job | {"trial": "final", "knobs": job["knobs"] | {"evaluate_on": "test"}}):
        assert report["val_best_adjusted_recall"] is None
        assert report["arrays"].recall_by_tau.shape == (21, 10)


def test_a_report_as_text_is_short_as_ray_writes_every_one_out(job):
    assert all(len(repr(report)) < 1500 for report in reports(job))


def test_the_rows_of_the_classes():
    confusion = np.array([[3, 1], [2, 6]])
    by_tau = np.array([[0.75, 0.75], [0.5, 1.0], [0.25, 1.0]])
    first, second = class_rows(Arrays(confusion, np.array([9, 4]), by_tau), ("cat", "dog"))
    assert first == {
        "class": 0,
        "class_name": "cat",
        "n_train": 9,
        "support": 4,
        "predicted": 5,
        "precision": 3 / 5,
        "recall": 3 / 4,
        "f1": 6 / 9,
        "confusion": [3, 1],
        "recall_by_tau": [0.75, 0.5, 0.25],
    }
    assert (second["class_name"], second["recall_by_tau"]) == ("dog", [0.75, 1.0, 1.0])


def test_a_machine_with_other_versions_is_told_of_and_trains_nothing(job):
    (report,) = reports(job | {"versions": versions() | {"torch": "1.0"}})
    assert report["done"] is True
    had = "where the sweep was started it is 1.0: install the same"
    assert report["unfit"].endswith(f"has torch {versions()['torch']}, {had}")
