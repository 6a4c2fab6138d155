"""The selection rule on rows written by hand."""

from lt_core.config import TrainConfig
from sweeps.search.selection import choose, shortlist
from sweeps.store.location import Folder
from sweeps.store.results import Results


def write(folder, rows):
    """Rows of (trial, phase, config_of, status, lr, (epoch, score) of the last epoch)."""
    results = Results(folder)
    for trial, phase, config_of, status, lr, (epoch, score) in rows:
        identity = {"trial": trial, "arm": "a", "phase": phase}
        knobs = TrainConfig(lr=lr).model_dump()
        results.write(trials=[{**knobs, **identity, "config_of": config_of, "status": status}])
        for e in range(1, epoch + 1):
            value = score if e == epoch else 0.99
            results.write(epochs=[{**identity, "epoch": e, "val_macro_recall": value}])
    results.close()
    return Folder(folder)


def test_the_shortlist_goes_by_length_then_score_at_the_last_epoch(tmp_path):
    rows = [
        ("s0", "search", None, "finished", 0.1, (4, 0.5)),
        ("s1", "search", None, "stopped", 0.2, (2, 0.9)),
        ("s2", "search", None, "finished", 0.3, (4, 0.7)),
        ("s3", "search", None, "diverged", 0.4, (3, 0.95)),
        ("s4", "search", None, "failed", 0.5, (4, 0.95)),
    ]
    assert shortlist(write(tmp_path / "r", rows), "a", 3) == ["s2", "s0", "s1"]


def test_a_configuration_enters_once_and_the_earlier_trial_wins_a_tie(tmp_path):
    rows = [(f"s{i}", "search", None, "finished", lr, (1, 0.5)) for i, lr in enumerate([0.1, 0.1, 0.2])]
    assert shortlist(write(tmp_path / "r", rows), "a", 3) == ["s0", "s2"]


def test_the_best_mean_over_fresh_seeds_is_chosen_and_a_run_that_did_not_end_counts_as_0(tmp_path):
    rows = [
        ("c0", "confirm", "s0", "finished", 0.1, (2, 0.70)),
        ("c1", "confirm", "s0", "finished", 0.1, (2, 0.68)),
        ("c2", "confirm", "s1", "finished", 0.2, (2, 0.90)),
        ("c3", "confirm", "s1", "diverged", 0.2, (1, 0.90)),
    ]
    assert choose(write(tmp_path / "r", rows), "a", ["s0", "s1"]) == "s0"


def test_none_is_chosen_where_nothing_ended(tmp_path):
    rows = [("c0", "confirm", "s0", "failed", 0.1, (1, 0.7))]
    assert choose(write(tmp_path / "r", rows), "a", ["s0"]) is None
