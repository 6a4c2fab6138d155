"""Tables from rows written by hand: golden text, and what is left out."""

import json

import pytest

from analysis.figures import all_figures, recall_bars
from analysis.formats import all_formats, txt
from analysis.load import ReportError, load
from analysis.report import main, tables
from analysis.summary import savings, troubles
from analysis.tables import all_tables, comparison, recall_by_class
from tests.analysis.builder import CIFAR10, write

QUESTION = {"ask": "Does CB help?", "arm": "cb", "against": "ce"}

GOLDEN = """\
arm    macro recall    n    worst class    macro F1    difference [95 %]    to    verdict
-----  --------------  ---  -------------  ----------  -------------------  ----  ---------
CE     49.5 ± 0.5      3    14.0           47.5
CB     61.2 ± 0.7      3    51.7           59.2        +11.7 [+8.1, +15.3]  CE    better"""


def test_golden_comparison(tmp_path):
    frame = comparison.frame(load(write(tmp_path)))
    assert txt.table(frame, comparison.display(frame)) == GOLDEN


def test_an_arm_alone_is_a_table_too(tmp_path):
    write(tmp_path)
    about = json.loads((tmp_path / "sweep.json").read_text())
    about["arms"][1]["baseline"] = None
    (tmp_path / "sweep.json").write_text(json.dumps(about))
    frame = comparison.frame(load(tmp_path))
    assert "49.5 ± 0.5" in txt.table(frame, comparison.display(frame))


def test_the_last_epoch_counts_not_the_best(tmp_path):
    frame = comparison.frame(load(write(tmp_path))).set_index("arm")
    assert frame.macro_recall["CE"] == pytest.approx((0.5 + 0.5 + 0.485) / 3)


@pytest.mark.parametrize("style", all_formats())
def test_every_table_renders_in_every_format(tmp_path, style):
    beside = {
        "published": "cb_focal_beta",
        "data": CIFAR10,
        "ratio": 100.0,
        "arms": {"ce": {"published": "ce"}},
    }
    sweep = load(write(tmp_path, questions=[QUESTION], frontier_of="ce", **beside))
    rendered = [name for name, module in all_tables().items() if "CE" in text(module, sweep, style)]
    assert rendered == [name for name in all_tables() if name != "chosen"]  # nothing was searched and chosen


def text(module, sweep, style):
    frame = module.frame(sweep)
    return "" if frame is None else all_formats()[style].table(frame, module.display(frame))


def test_long_tables_are_in_the_files_and_not_on_the_screen(tmp_path, capsys):
    folder = write(tmp_path)
    assert main([str(folder)]) == 0
    assert "Precision, recall and F1" not in capsys.readouterr().out
    assert "weighted average" in (folder / "report" / "precision_recall_f1.txt").read_text()


@pytest.mark.parametrize("reference", [None, "ce"])
def test_a_figure_that_does_not_apply_is_left_out(tmp_path, reference):
    folder = write(tmp_path, frontier_of=reference)
    assert main([str(folder)]) == 0
    written = {path.stem for path in (folder / "report").glob("*.png")}
    assert {"confusion_matrices", "learning_curves", "recall_bars"} <= written
    assert all_figures().keys() - written == (set() if reference else {"frontier"})


def test_the_header_names_preset_and_models(tmp_path):
    arms = {"cb": {"model": "resnet32"}}
    first = tables(load(write(tmp_path / "a", preset="cpu", arms=arms))).splitlines()[0]
    assert first == (
        "toy, preset cpu on toy: convnet, resnet32, exponential profile, imbalance ratio 10, "
        "55 training images"
    )
    assert tables(load(write(tmp_path / "b"))).startswith("toy on toy: convnet, exponential")


def test_classes_stand_from_head_to_tail(tmp_path):
    recalls = {"ce": [[0.1, 0.9, 0.5]]}
    sweep = load(write(tmp_path, recalls=recalls, names=("rare", "common", "middle"), counts=(5, 80, 20)))
    frame = recall_by_class.frame(sweep)
    assert frame.columns.tolist() == ["arm / class", "common", "middle", "rare"]
    assert frame.iloc[:, 1:].to_numpy().tolist() == [[80, 20, 5], pytest.approx([0.9, 0.5, 0.1])]
    ticks = [label.get_text() for label in recall_bars.draw(sweep).axes[0].get_xticklabels()]
    assert ticks == ["common (80)", "middle (20)", "rare (5)"]


def test_a_long_tail_by_nature_is_called_so_and_no_subset_is_drawn(tmp_path):
    by_nature = tables(load(write(tmp_path / "a", profile="none")))
    assert "a long tail by nature, imbalance ratio 10, 55 training images" in by_nature
    assert "The seeds move the initialisation and the order;" in by_nature
    assert "The seeds move the subset drawn, the init" in tables(load(write(tmp_path / "b")))


def test_savings_and_troubles_are_said(tmp_path):
    sweep = load(write(tmp_path))
    expected = "search: ASHA stopped 2 of 4 trials and saved 2 of 8 epochs (25%)"
    assert savings(sweep) == expected
    assert troubles(sweep) == ["1 trial diverged, the first s3, loss is nan"]
    assert "A note." in tables(sweep)


def test_what_diverged_makes_no_winner(tmp_path):
    """CB is better on the seeds that it survived; CE is bad on those where CB diverged."""
    ce = [[0.6, 0.4], [0.61, 0.41], [0.59, 0.4], [0.2, 0.1], [0.21, 0.1]]
    recalls = {"ce": ce, "cb": [[0.7, 0.5]] * 5}
    sweep = load(write(tmp_path, recalls=recalls, lost=[("cb", 3), ("cb", 4)]))
    cb = comparison.frame(sweep).set_index("arm").loc["CB"]
    assert (cb.n, cb.pairs, cb.verdict) == (3, 3, "final runs lost")
    assert cb.low > 0
    assert "CB: 2 of 5 final runs diverged or failed, so it gets no verdict" in troubles(sweep)


def test_a_difference_over_fewer_seeds_than_the_mean_says_so(tmp_path):
    recalls = {"ce": [[0.6, 0.4]], "cb": [[0.7, 0.5], [0.9, 0.8]]}
    frame = comparison.frame(load(write(tmp_path, recalls=recalls)))
    assert frame.difference.iloc[1] == pytest.approx(0.1)
    assert comparison.display(frame).n.tolist() == ["1", "2, 1 paired"]


def test_seeds_that_differ_leave_nothing_to_compare(tmp_path):
    recalls = {"ce": {0: [0.6, 0.4]}, "cb": {1: [0.7, 0.5]}}
    assert comparison.frame(load(write(tmp_path, recalls=recalls))).verdict[1] == "nothing to compare"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "sweep.json").unlink(), "holds no sweep: No such file"),
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
    with pytest.raises(ReportError, match=r"holds no sweep: No such file"):
        load(tmp_path)
