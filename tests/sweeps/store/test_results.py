import pandas as pd
import pytest

from lt_core.config import TrainConfig
from lt_core.errors import InputError
from sweeps.store import journal
from sweeps.store import results as module
from sweeps.store.results import Results
from sweeps.store.schemas import SCHEMAS


def test_rows_come_back_as_they_were_written(tmp_path):
    results = Results(tmp_path / "r")
    results.write(trials=[{"trial": "a", "arm": "a", "status": "running", "beta": 0.9}])
    results.write(epochs=[{"trial": "a", "epoch": 1, "val_loss": 0.5}])
    results.write(trials=[{"trial": "a", "status": "finished"}])
    results.close()
    trials = pd.read_parquet(tmp_path / "r" / "trials")
    assert trials[["trial", "status", "beta"]].to_dict("records") == [
        {"trial": "a", "status": "finished", "beta": 0.9}
    ]
    epochs = pd.read_parquet(tmp_path / "r" / "epochs")
    assert (epochs.epoch[0], epochs.val_loss[0]) == (1, 0.5)
    assert not (tmp_path / "r" / "journal").exists()


def test_every_knob_is_a_column_and_types_are_stable_when_a_column_is_empty(tmp_path):
    assert set(TrainConfig.model_fields) <= set(SCHEMAS["trials"].names)
    results = Results(tmp_path / "r")
    for i in range(2):
        results.write(epochs=[{"trial": "a", "epoch": i, "test_loss": 0.1 if i else None}])
        results.flush()
        results._seal()
    results.close()
    assert len(list((tmp_path / "r" / "epochs").iterdir())) == 2
    epochs = pd.read_parquet(tmp_path / "r" / "epochs")
    assert epochs.test_loss.dtype == "float64"
    assert epochs.epoch.tolist() == [0, 1]


def test_parts_are_sealed_when_full(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "ROWS_PER_PART", 3)
    results = Results(tmp_path / "r")
    for i in range(7):
        results.write(epochs=[{"trial": "a", "epoch": i}])
        results.flush()
    results.close()
    assert pd.read_parquet(tmp_path / "r" / "epochs").epoch.tolist() == list(range(7))
    assert len(list((tmp_path / "r" / "epochs").iterdir())) == 3


def test_a_row_is_in_the_journal_before_it_is_in_parquet(tmp_path):
    results = Results(tmp_path / "r")
    results.write(epochs=[{"trial": "a", "epoch": 1}])
    entries, damaged = journal.read(results.place)
    assert (entries[1:], damaged) == ([("epochs", {"trial": "a", "epoch": 1})], 0)


def test_a_folder_with_results_is_refused(tmp_path):
    results = Results(tmp_path / "r")
    results.place.write("sweep.json", b"{}")
    results.close()
    with pytest.raises(InputError, match="already holds results: go on with --resume"):
        Results(tmp_path / "r")
