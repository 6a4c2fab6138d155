"""Tables from rows written by hand: golden text, and what is left out."""

import json
from pathlib import Path

import pandas as pd
import pytest

from analysis.load import ReportError, load
from analysis.render import FORMATS, table
from analysis.report import main, tables
from analysis.summary import savings, troubles
from analysis.tables import all_tables, comparison, contrasts, published

REASONS = {"finished": None, "stopped": "ASHA: outside the best third", "diverged": "loss is nan"}
RECALLS = {"ce": [[0.9, 0.1], [0.8, 0.2], [0.85, 0.12]], "cb": [[0.7, 0.5], [0.7, 0.55], [0.72, 0.5]]}


def write(folder: Path, *, data="toy", published=None, status="finished") -> Path:
    """A results folder of two arms, three seeds and two epochs; the first epoch is the better one."""
    arms = [
        {"name": "ce", "label": "CE", "baseline": None, "published": "ce", "searched": {}, "epochs": 2},
        {"name": "cb", "label": "CB", "baseline": "ce", "published": None, "searched": {}, "epochs": 2},
    ]
    about = {
        "experiment": "toy",
        "data": {"name": data, "class_names": ["cat", "dog"], "train_counts": [50, 5]},
        "arms": arms,
        "trials": 4,
        "seeds": 3,
        "contrasts": [["cb", "ce"]],
        "published": published,
        "notes": ["A note."],
    }
    config = {"profile": "exponential", "imbalance_ratio": 10.0, "precision": "fp32", "device": "cpu"}
    trials, epochs, classes = [], [], []
    for arm, runs in RECALLS.items():
        for seed, recalls in enumerate(runs):
            identity = {"trial": f"{arm}-final-{seed}", "arm": arm, "phase": "final", "seed": seed}
            ended = {"status": status, "reason": None, "config_of": None, "epochs": 2, "epochs_done": 2}
            trials.append({**identity, **ended, **config})
            for epoch, shift in ((1, 0.05), (2, 0.0)):
                macro = sum(recalls) / 2 + shift
                metrics = {"macro_recall": macro, "worst_recall": min(recalls), "macro_f1": macro - 0.02}
                metrics |= {"classes_without_support": 0.0, "classes_without_predictions": 0.0}
                row = {f"test_{name}": value for name, value in metrics.items()}
                epochs.append({**identity, "epoch": epoch, "train_accuracy": 0.9, **row})
            for k, recall in enumerate(recalls):
                counts = [round(100 * recall), 100 - round(100 * recall)][:: 1 if k == 0 else -1]
                classes.append({**identity, "class": k, "recall": recall, "confusion": counts})
    for i, (ended, done) in enumerate([("finished", 2), ("stopped", 1), ("stopped", 1), ("diverged", 0)]):
        row = {"trial": f"s{i}", "arm": "ce", "phase": "search", "seed": 9, "status": ended, "epochs": 2}
        row["known_from"] = None
        trials.append({**row, "reason": REASONS[ended], "epochs_done": done})
    for name, rows in (("trials", trials), ("epochs", epochs), ("classes", classes)):
        (folder / name).mkdir(parents=True)
        pd.DataFrame(rows).to_parquet(folder / name / "part-00000.parquet")
    (folder / "sweep.json").write_text(json.dumps(about))
    return folder


GOLDEN = """\
arm    macro recall    n    worst class    macro F1    difference [95 %]    to    verdict
-----  --------------  ---  -------------  ----------  -------------------  ----  ---------
CE     49.5 ± 0.5      3    14.0           47.5
CB     61.2 ± 0.7      3    51.7           59.2        +11.7 [+8.1, +15.3]  CE    better"""


def test_golden_comparison(tmp_path):
    frame = comparison.frame(load(write(tmp_path)))
    assert table(comparison.display(frame), "txt") == GOLDEN


def test_an_arm_alone_is_a_table_too(tmp_path):
    write(tmp_path)
    about = json.loads((tmp_path / "sweep.json").read_text())
    about["arms"][1]["baseline"] = None
    (tmp_path / "sweep.json").write_text(json.dumps(about))
    frame = comparison.frame(load(tmp_path))
    assert "49.5 ± 0.5" in table(comparison.display(frame), "txt")


def test_the_last_epoch_counts_not_the_best(tmp_path):
    frame = comparison.frame(load(write(tmp_path))).set_index("arm")
    assert frame.macro_recall["CE"] == pytest.approx((0.5 + 0.5 + 0.485) / 3)


@pytest.mark.parametrize("style", FORMATS)
def test_every_table_renders_in_every_style(tmp_path, style):
    sweep = load(write(tmp_path))
    for module in all_tables().values():
        frame = module.frame(sweep)
        if frame is not None:
            assert "CE" in table(module.display(frame), style)


def test_a_contrast_alone_is_not_adjusted_by_others(tmp_path):
    row = contrasts.frame(load(write(tmp_path))).iloc[0]
    assert (row.arm, row.against, row.n) == ("CB", "CE", 3)
    assert row.difference == pytest.approx(0.35 / 3)


def test_published_figures_stand_beside_cifar_10_only(tmp_path):
    assert published.frame(load(write(tmp_path / "a", published="cb_focal_beta"))) is None
    sweep = load(write(tmp_path / "b", published="cb_focal_beta", data="CIFAR-10, JPEG"))
    frame = published.frame(sweep)
    first, ours = frame.iloc[0], frame.iloc[1]
    assert (first.source, first["cat"], first.best_epoch) == ("published", 0.87, 0.2361)
    assert (ours.source, ours["cat"]) == ("CE", pytest.approx(0.85))
    assert ours.macro_recall == pytest.approx(0.495)
    assert ours.best_epoch == pytest.approx(0.545)


def test_savings_and_troubles_are_said(tmp_path):
    sweep = load(write(tmp_path))
    expected = "search: ASHA stopped 2 of 4 trials and saved 2 of 8 epochs (25%)"
    assert savings(sweep) == expected
    assert troubles(sweep) == ["1 trial diverged, the first s3, loss is nan"]
    assert "A note." in tables(sweep)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "sweep.json").unlink(), "holds no sweep.json"),
        (lambda folder: (folder / "sweep.json").write_text("{"), "sweep.json is damaged"),
        (lambda folder: (folder / "epochs/part-00000.parquet").write_bytes(b"PAR1"), "part-00000.parquet is"),
        (lambda folder: (folder / "epochs/part-00000.parquet").unlink(), "epochs holds no Parquet file"),
    ],
)
def test_a_damaged_folder_is_one_clear_line(tmp_path, spoil, message, capsys):
    spoil(write(tmp_path))
    assert main([str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_damaged_part_is_left_out_only_when_told_to_and_the_table_says_so(tmp_path, capsys):
    folder = write(tmp_path)
    damaged = folder / "epochs" / "part-00001.parquet"
    content = bytearray((folder / "epochs" / "part-00000.parquet").read_bytes())
    damaged.write_bytes(content[: len(content) // 2])
    assert main([str(folder), "--tables-only"]) == 2
    error = capsys.readouterr().err
    assert f"{damaged} is damaged" in error
    assert "--skip-damaged goes on without it, sweeps.run --resume mends it" in error
    assert main([str(folder), "--tables-only", "--skip-damaged"]) == 0
    assert f"{damaged} is damaged" in capsys.readouterr().out.partition("Test macro recall")[0]


def test_no_finished_final_run_is_said(tmp_path, capsys):
    assert main([str(write(tmp_path, status="failed"))]) == 2
    assert "no final run has finished, so there is no table (1 trial diverged" in capsys.readouterr().err


def test_load_never_takes_a_folder_for_results(tmp_path):
    with pytest.raises(ReportError, match=r"give a folder that sweeps\.run wrote"):
        load(tmp_path)
