"""Arms of one sweep that trained on different counts, and with different models, epochs and precision."""

import json

import pandas as pd
import pytest

from analysis.figures import recall_bars
from analysis.groups import head_to_tail, settings
from analysis.load import load
from analysis.report import main, tables
from analysis.summary import footer, header
from analysis.tables import comparison, frontier, precision_recall_f1, published, recall_by_class
from tests.analysis.builder import CIFAR10, put, write

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
RECALLS = {
    "balanced": [[0.8, 0.8], [0.82, 0.8]],
    "ce": [[0.9, 0.1], [0.8, 0.2]],
    "cb": [[0.7, 0.5], [0.7, 0.55]],
}
ARMS = {
    "balanced": {"counts": (50, 50), "ratio": 1.0},
    "cb": {"model": "resnet32", "epochs": 3, "precision": "bf16"},
}


@pytest.fixture
def sweep(tmp_path):
    """A balanced arm, one at ratio 10, and one at ratio 10 with another model, budget and precision."""
    return load(write(tmp_path, recalls=RECALLS, arms=ARMS))


def test_the_header_says_every_value(sweep):
    first, budget = header(sweep)[:2]
    assert first == (
        "toy on toy: convnet, resnet32, exponential profile, imbalance ratio 1 or 10, "
        "100 or 55 training images"
    )
    assert budget == "budget: 2, 3 epochs, 3 seeds, fp32 or bf16 on cpu"


def test_the_comparison_has_a_column_for_all_that_differs_and_for_nothing_else(sweep):
    frame = comparison.frame(sweep).set_index("arm")
    own = frame.columns[list(frame.columns).index("verdict") + 1 :]
    assert own.tolist() == ["model", "imbalance ratio", "training images", "epochs", "precision"]
    assert frame.loc["balanced", own].tolist() == ["convnet", 1.0, 100, 2, "fp32"]
    assert frame.loc["CE", own].tolist() == ["convnet", 10.0, 55, 2, "fp32"]
    assert frame.loc["CB", own].tolist() == ["resnet32", 10.0, 55, 3, "bf16"]


def test_whole_numbers_stay_whole_where_only_numbers_differ(tmp_path):
    arms = {"balanced": {"counts": (5000, 5000), "ratio": 1.0}}
    counts = {"counts": (5000, 4), "ratio": 1250.0}
    sweep = load(write(tmp_path, recalls=RECALLS, arms=arms, **counts))
    shown = comparison.display(comparison.frame(sweep)).set_index("arm")
    assert shown["training images"].tolist() == ["10,000", "5,004", "5,004"]
    assert shown["imbalance ratio"].tolist() == ["1", "1,250", "1,250"]
    assert "imbalance ratio 1 or 1,250, 10,000 or 5,004 training images" in header(sweep)[0]


def test_a_row_of_counts_stands_before_every_arm_that_has_others(sweep):
    frame = recall_by_class.frame(sweep)
    assert frame.columns.tolist() == ["arm / class", "cat", "dog"]
    assert frame.to_numpy().tolist() == [
        ["training images of balanced", 50, 50],
        ["balanced", pytest.approx(0.81), pytest.approx(0.8)],
        ["training images of CE", 50, 5],
        ["CE", pytest.approx(0.85), pytest.approx(0.15)],
        ["CB", pytest.approx(0.7), pytest.approx(0.525)],
    ]
    assert recall_by_class.display(frame).iloc[0].tolist() == ["training images of balanced", "50", "50"]


def test_with_many_classes_counts_and_arms_are_columns(tmp_path):
    names = [f"class {k}" for k in range(30)]
    recalls = {arm: [[0.5] * 30] for arm in ("balanced", "ce")}
    arms = {"balanced": {"counts": [9] * 30, "ratio": 1.0}, "ce": {"label": "balanced"}}
    sweep = load(write(tmp_path, recalls=recalls, names=names, counts=range(30, 0, -1), arms=arms))
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in tables(sweep, "md").splitlines()]
    title = "training images of balanced"
    assert ["class", title, "balanced", title, "balanced"] in lines  # two arms may be called the same
    assert ["class 29", "9", "50.0", "1", "50.0"] in lines


@pytest.mark.parametrize("first", ["balanced", "ce"])
def test_head_and_tail_are_the_longest_tails_for_every_arm(tmp_path, first):
    recalls = {arm: RECALLS[arm] for arm in (first, "balanced", "ce")}
    arms = {"balanced": {"counts": (30, 30), "ratio": 1.0}, "ce": {"counts": (5, 50)}}
    sweep = load(write(tmp_path, recalls=recalls, arms=arms, frontier_of="ce"))
    assert head_to_tail(sweep) == [1, 0]
    rows = frontier.frame(sweep).set_index("arm")
    assert rows.loc["balanced", ["head", "tail"]].tolist() == pytest.approx([0.8, 0.81])
    assert rows.loc["CE", ["head", "tail"]].tolist() == pytest.approx([0.15, 0.85])
    assert any(
        "fewest training images in the arm whose tail is the longest." in line for line in footer(sweep)
    )
    bars = recall_bars.draw(sweep).axes
    assert [bar.get_height() for bar in bars[0].patches] == pytest.approx(
        {"balanced": [80, 81], "ce": [15, 85]}[first]
    )


def test_bars_name_the_counts_where_all_arms_share_them_and_each_arms_images_else(tmp_path, sweep):
    def ticks(axes):
        return [label.get_text() for label in axes.get_xticklabels()]

    apart = recall_bars.draw(sweep).axes
    assert [axes.get_title() for axes in apart] == [
        "balanced (100 images)",
        "CE (55 images)",
        "CB (55 images)",
    ]
    assert ticks(apart[0]) == ["cat", "dog"]
    shared = recall_bars.draw(load(write(tmp_path / "shared"))).axes
    assert [axes.get_title() for axes in shared] == ["CE", "CB"]
    assert ticks(shared[0]) == ["cat (50)", "dog (5)"]


def test_published_figures_stand_beside_the_arms_on_their_own_long_tail(tmp_path):
    arms = {
        "balanced": {"counts": [50] * 10, "ratio": 1.0, "published": "ce"},
        "ce": {"ratio": 100.0, "published": "ce"},
        "ce50": {"ratio": 50.0, "published": "ce"},
        "step": {"ratio": 100.0, "profile": "step", "published": "ce"},
        "cb": {"ratio": 50.0, "published": "cb_focal"},
    }
    recalls = {arm: [[0.1 * (1 + i)] * 10] for i, arm in enumerate(arms)}
    about = {"names": CLASSES, "counts": [50] * 10, "data": CIFAR10, "published": "cifar10_lt_resnet32"}
    frame = published.frame(load(write(tmp_path, recalls=recalls, arms=arms, **about)))
    assert frame[["arm", "source"]].to_numpy().tolist() == [
        ["ce, imbalance ratio 100", "published"],
        ["", "CE"],
        ["ce, imbalance ratio 50", "published"],
        ["", "ce50"],
        ["cb_focal, imbalance ratio 50", "published"],
        ["", "CB"],
    ]
    assert frame.macro_recall.dropna().tolist() == pytest.approx([0.2, 0.3, 0.5])
    assert frame.best_epoch[[0, 2, 4]].tolist() == pytest.approx([0.704, 0.748, 0.7927])


def test_where_one_ratio_is_published_the_others_are_not_named(tmp_path):
    arms = {"balanced": {"counts": (50, 50), "ratio": 1.0, "published": "ce"}, "ce": {"published": "ce"}}
    about = {"data": CIFAR10, "published": "cifar10_lt_resnet32"}
    sweep = load(write(tmp_path / "a", recalls=RECALLS, arms=arms, **about))
    assert published.frame(sweep).arm.tolist() == ["ce", ""]
    nobody = {"balanced": arms["balanced"], "ce": {"published": "ce", "ratio": 20.0}}
    sweep = load(write(tmp_path / "b", recalls=RECALLS, arms=nobody, **about))
    assert published.frame(sweep) is None
    assert not any("ublished" in line for line in footer(sweep))


def test_published_precision_stands_beside_no_arm_on_another_tail(tmp_path):
    arms = {
        "ce": {"published": "baseline"},
        "cb": {"published": "baseline", "profile": "exponential"},
        "balanced": {"published": "baseline", "counts": [9] * 10, "ratio": 1.0},
    }
    about = {"names": CLASSES, "counts": range(100, 0, -10), "profile": "linear", "data": CIFAR10}
    recalls = {arm: [[0.5] * 10] for arm in arms}
    sweep = load(write(tmp_path, recalls=recalls, arms=arms, published="efficientnet_ladder", **about))
    found = precision_recall_f1.frame(sweep).groupby("arm").published_recall.count()
    assert found.to_dict() == {"CE": 11, "CB": 0, "balanced": 0}


def test_what_an_arm_trained_with_is_that_of_the_runs_that_count(tmp_path):
    """An extended search that chooses another model leaves the runs of the old one behind."""
    folder = write(tmp_path)
    trials = pd.read_parquet(folder / "trials")
    old = trials[trials.trial.str.startswith("cb-final")]
    old = old.assign(trial="old-" + old.trial, status="superseded", model="resnet32", precision="bf16")
    put(folder, "trials", pd.concat([old, trials]))
    assert settings(load(folder)).model.to_dict() == {"ce": "convnet", "cb": "convnet"}
    assert "fp32 on cpu" in header(load(folder))[1]


def test_a_ratio_of_given_counts_is_their_own(tmp_path):
    """Profiles without a ratio leave the knob at its default."""
    arms = {"balanced": {"counts": (50, 50), "profile": "counts", "ratio": 100.0}}
    own = settings(load(write(tmp_path, recalls=RECALLS, arms=arms)))
    assert own["imbalance ratio"].to_dict() == {"balanced": 1.0, "ce": 10.0, "cb": 10.0}
    assert own.profile.tolist() == ["counts", "exponential", "exponential"]


def test_an_arm_without_a_final_run_is_in_no_header(tmp_path):
    folder = write(tmp_path)
    about = json.loads((folder / "sweep.json").read_text())
    about["arms"].append(about["arms"][0] | {"name": "none", "label": "none", "train_counts": [7, 7]})
    (folder / "sweep.json").write_text(json.dumps(about))
    assert "imbalance ratio 10, 55 training images" in header(load(folder))[0]
    assert main([str(folder)]) == 0
