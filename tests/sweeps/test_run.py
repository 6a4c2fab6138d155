"""The command itself, in a subprocess, on digits, with real Ray."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lt_core.config import TrainConfig
from lt_core.train import train
from sweeps.search.asha import rungs
from sweeps.search.selection import choose, shortlist
from sweeps.store.location import Folder
from tests.conftest import command

TROUBLED = Path(__file__).parent / "troubled.py"
SEARCHED = ("ce_searched", "cb_focal_beta_searched", "cb_focal_searched")


def test_the_command_ends_with_the_table(sweep):
    out = sweep.stdout
    assert out.index("13 arms on digits") < out.index("72 of 72 done") < out.index("Test macro recall")
    assert "CB-Focal, all searched" in out
    assert "python -m analysis.report results/cb_focal" in out
    assert sweep.stderr == ""
    assert "\x1b" not in out  # piped: plain lines


def test_asha_stopped_trials_and_the_saving_is_printed(sweep):
    trials = pd.read_parquet(sweep.folder / "trials")
    search = trials[trials.phase == "search"]
    stopped = search[search.status == "stopped"]
    assert len(stopped) > 0
    assert stopped.reason.str.startswith("ASHA").all()
    assert (stopped.epochs_done < 5).all()
    assert set(trials[trials.phase != "search"].status) == {"finished"}
    saved = int((stopped.epochs - stopped.epochs_done).sum())
    assert f"stopped {len(stopped)} of 15 trials and saved {saved} of 75 epochs" in sweep.stdout


def test_every_epoch_is_there_once(sweep):
    trials = pd.read_parquet(sweep.folder / "trials")
    epochs = pd.read_parquet(sweep.folder / "epochs")
    assert not epochs.duplicated(["trial", "epoch"]).any()
    assert epochs.groupby("trial").size().to_dict() == trials.set_index("trial").epochs_done.to_dict()
    classes = pd.read_parquet(sweep.folder / "classes")
    assert (classes.groupby("trial").size() == 10).all()
    assert set(classes.trial) == set(trials.trial)


def test_test_is_evaluated_in_final_runs_only(sweep):
    epochs = pd.read_parquet(sweep.folder / "epochs")
    final = epochs.phase == "final"
    test, val = epochs.filter(regex="^test_"), epochs.filter(regex="^val_")
    assert val[final].isna().all(axis=None)
    assert test[~final].isna().all(axis=None)
    evaluated = epochs.test_macro_recall.notna() | epochs.val_macro_recall.notna()
    assert test[final & evaluated].notna().all(axis=None)
    assert val[~final & evaluated].notna().all(axis=None)
    assert (evaluated == (epochs.eval_seconds > 0)).all()


def test_runs_are_evaluated_where_they_are_read(sweep):
    """Search trials where they are compared, finals at points of a curve, confirmations at their end."""
    epochs = pd.read_parquet(sweep.folder / "epochs")
    trials = pd.read_parquet(sweep.folder / "trials").set_index("trial")
    assert (trials.epochs == 5).all()
    scores = epochs.test_macro_recall.fillna(epochs.val_macro_recall)
    at = epochs[scores.notna()].groupby("trial").epoch.agg(set)
    ended = trials[trials.status == "finished"]
    expected = {"search": {*rungs(5), 5}, "confirm": {5}, "final": {1, 2, 3, 4, 5}}
    for trial, row in ended.iterrows():
        assert at[trial] == expected[row.phase]


def test_a_trial_beside_others_has_the_bits_of_one_alone(sweep, digits):
    trials = {row["trial"]: row for row in pq.read_table(sweep.folder / "trials").to_pylist()}
    epochs = pd.read_parquet(sweep.folder / "epochs")
    for key in ("cb_focal_0.9999-final-02", "ce_searched-search-0001"):
        config = TrainConfig.parse({knob: trials[key][knob] for knob in TrainConfig.model_fields})
        ran = epochs[epochs.trial == key].sort_values("epoch")
        alone = [next_epoch for next_epoch, _ in zip(train(config, digits), ran.epoch, strict=False)]
        assert ran.train_loss.tolist() == [e.train_loss for e in alone]
        column = f"{config.evaluate_on}_macro_recall"
        assert ran[column].replace(np.nan, None).tolist() == [e.macro_recall for e in alone]


def test_trials_are_stopped_at_a_rung_by_the_score_that_is_on_record(sweep):
    trials = pd.read_parquet(sweep.folder / "trials").set_index("trial")
    epochs = pd.read_parquet(sweep.folder / "epochs")
    for arm in SEARCHED:
        search = trials[(trials.arm == arm) & (trials.phase == "search")]
        stopped = search[search.status == "stopped"]
        assert set(stopped.epochs_done) <= {1, 2}
        for rung in (1, 2):
            at = epochs[epochs.trial.isin(search.index) & (epochs.epoch == rung)].set_index("trial")
            scores = at.val_best_adjusted_recall
            assert (scores[stopped.index[stopped.epochs_done == rung]] < scores.max()).all()
            assert search.epochs_done[scores.idxmax()] > rung


def selected(folder):
    best = {arm: shortlist(Folder(folder), arm, 3) for arm in SEARCHED}
    return {arm: (best[arm], choose(Folder(folder), arm, best[arm])) for arm in SEARCHED}


@pytest.mark.parametrize("spoiled", ["nan", "noise"])
def test_selection_never_reads_test(sweep, tmp_path, spoiled):
    before = selected(sweep.folder)
    copy = tmp_path / "copy"
    shutil.copytree(sweep.folder, copy)
    rng = np.random.default_rng(0)
    for part in [*copy.glob("epochs/*.parquet"), *copy.glob("classes/*.parquet")]:
        table = pq.read_table(part)
        test = [c for c in table.column_names if c.startswith("test_")]
        test += ["precision", "recall", "f1", "recall_by_tau"] if "split" in table.column_names else []
        for column in test:
            values = np.full(len(table), np.nan) if spoiled == "nan" else rng.normal(size=len(table))
            table = table.set_column(table.column_names.index(column), column, pa.array(values))
        pq.write_table(table, part)
    assert selected(copy) == before
    trials = pd.read_parquet(sweep.folder / "trials")
    for arm, (best, chosen) in before.items():
        finals = trials[(trials.arm == arm) & (trials.phase == "final")]
        assert set(finals.config_of) == {chosen}
        assert chosen in best


def test_sweep_json_says_what_was_asked(sweep):
    about = json.loads((sweep.folder / "sweep.json").read_text())
    assert (about["metric"], about["direction"]) == ("val_macro_recall", "max")
    assert about["data"]["name"] == "digits"
    assert (about["preset"], about["options"]["preset"]) == ("digits", "digits")
    assert about["questions"][0] == {
        "ask": "Does searching CE help?",
        "arm": "ce_searched",
        "against": "ce",
    }
    assert (about["frontier_of"], about["published_baseline"]) == (None, None)
    assert about["taus"] == [i / 10 for i in range(21)]
    assert {sum(arm["train_counts"]) for arm in about["arms"]} == {342}
    assert {"torch", "ray", "optuna"} <= set(about["versions"])
    assert any("CB-Focal β=0.1 1." in note for note in about["notes"])


def test_the_report_writes_tables_and_figures(sweep):
    process = command("analysis.report", sweep.folder, cwd=sweep.folder)
    assert process.returncode == 0, process.stderr
    out = sweep.folder / "report"
    for name in ("comparison", "recall_by_class", "questions", "chosen", "precision_recall_f1"):
        for suffix in ("txt", "md", "csv", "tex"):
            assert "CB-Focal" in (out / f"{name}.{suffix}").read_text()
    for name in ("confusion_matrices", "learning_curves", "recall_bars"):
        assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert "</svg>" in (out / f"{name}.svg").read_text()
    comparison = pd.read_csv(out / "comparison.csv").set_index("arm")
    epochs = pd.read_parquet(sweep.folder / "epochs")
    ce = epochs[(epochs.arm == "ce") & (epochs.epoch == 5)].test_macro_recall
    assert comparison.macro_recall["CE"] == pytest.approx(ce.mean())
    assert comparison.se["CE"] == pytest.approx(ce.std() / 3**0.5)


@pytest.mark.slow
def test_troubled_trials_are_rows_and_the_sweep_goes_on(tmp_path, data_dir):
    """A user's own experiment whose arms raise, hang, end their worker and diverge."""
    options = ["--dataset", "digits", "--data-dir", data_dir, "--epochs", 3, "--seeds", 1, "--trials", 4]
    process = command("sweeps.run", TROUBLED, *options, "--epoch-limit", "30s", cwd=tmp_path)
    assert process.returncode == 0, process.stdout + process.stderr
    folder = tmp_path / "results" / "troubled"
    trials = pd.read_parquet(folder / "trials")
    finals = trials[trials.phase == "final"].set_index("arm")
    failed = dict.fromkeys(("raises", "exits", "leaves", "hangs", "scalar"), "failed")
    assert finals.status.to_dict() == failed | {
        "fine": "finished",
        "diverges": "diverged",
        "searched": "finished",
    }
    # A worker that dies is tried again twice.
    assert finals.attempts.to_dict() == dict.fromkeys(finals.index, 1) | {"exits": 3}
    expected = {
        "raises": r"troubled\.py, line 31: ValueError: this loss always raises$",
        "exits": "worker process has died",
        "leaves": r"troubled\.py, line 41: SystemExit: this loss has had enough$",
        "hangs": r"^epoch 1 took longer than 30 s \(--epoch-limit\)$",
        "scalar": "RuntimeError: The size of tensor a",
        "diverges": "training loss is nan in epoch 1",
    }
    for arm, reason in expected.items():
        assert re.search(reason, finals.reason[arm]), finals.reason[arm]
    assert "no finished final run: raises, exits, leaves, hangs, scalar, diverges" in process.stdout
    assert trials[trials.arm == "searched"].groupby("phase").size()["search"] == 4
    resumed = command("sweeps.run", TROUBLED, "--resume", cwd=tmp_path)  # nothing is left to do
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "trials"), trials)


@pytest.mark.slow
def test_an_unwritable_results_folder_is_one_clear_line(tmp_path, data_dir):
    (tmp_path / "file").write_text("")
    where = "file/results/cb_focal"
    options = ["--dataset", "digits", "--data-dir", data_dir, "--results", "file/results"]
    process = command("sweeps.run", "cb_focal", *options, cwd=tmp_path)
    assert process.returncode == 2
    assert process.stderr == f"error: cannot write {where}: Not a directory; what is there stays good\n"
    assert "arms on" not in process.stdout  # it is refused before the plan is shown


def test_list_and_dry_run_touch_nothing(tmp_path, data_dir):
    listed = command("sweeps.run", "--list", cwd=tmp_path)
    assert re.search(r"^cb_focal +CE, focal", listed.stdout, re.MULTILINE)
    options = ["--dataset", "digits", "--data-dir", data_dir, "--dry-run"]
    options += ["--set", "lr=0.002", "--set", "tta=horizontal"]
    planned = command("sweeps.run", "cb_focal", *options, cwd=tmp_path)
    assert planned.returncode == 0
    assert "124 80 51 33 21 14 9 5 3 2 (342 in all)" in planned.stdout
    assert "CE, searched: lr is fixed at 0.002, no longer searched" in planned.stdout
    assert "recipe: CE: keeps its recipe's lr=0.001" in planned.stdout
    assert "recipe: CE: tta=horizontal comes on top of its recipe" in planned.stdout
    assert "CE trains with:  model=convnet, optimizer=adam, lr=0.002, batch_size=64," in planned.stdout
    assert os.listdir(tmp_path) == []


@pytest.mark.slow
def test_without_cifar_the_run_says_so_and_takes_digits(tmp_path):
    cwd = tmp_path / "here"
    cwd.mkdir()
    environment = {**os.environ, "https_proxy": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    process = subprocess.run(
        [sys.executable, "-m", "sweeps.run", "cb_focal", "--dry-run"],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert process.returncode == 0, process.stderr
    assert "CIFAR-10 is not whole under data and cannot be fetched" in process.stdout
    assert "using the bundled digits instead" in process.stdout
    assert "13 arms on digits" in process.stdout
