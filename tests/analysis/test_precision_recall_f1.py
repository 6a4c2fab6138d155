"""Precision, recall and F1, beside scikit-learn's and beside published ones."""

import numpy as np
import pytest
from sklearn.metrics import classification_report

from analysis.load import load
from analysis.tables import precision_recall_f1
from tests.analysis.builder import CIFAR10, write

NAMES = ("cat", "dog", "eel")
CONFUSION = [[50, 7, 0], [20, 10, 0], [3, 9, 0]]  # eel is never predicted
OTHER = [[40, 10, 7], [5, 25, 0], [0, 2, 10]]
METRICS = ["precision", "recall", "f1", "support"]


def report(confusion):
    confusion = np.array(confusion)
    true, predicted = (index.repeat(confusion.ravel()) for index in np.indices((3, 3)).reshape(2, -1))
    options = {"target_names": NAMES, "output_dict": True, "zero_division": 0}
    return classification_report(true, predicted, labels=range(3), **options)


def frame(folder, runs, **about):
    return precision_recall_f1.frame(
        load(write(folder, recalls=runs, names=NAMES, counts=(9, 5, 2), **about))
    )


@pytest.mark.parametrize("confusion", [CONFUSION, OTHER])
def test_every_figure_is_scikit_learns(tmp_path, confusion):
    rows = frame(tmp_path, {"ce": [confusion]}).set_index("class")
    theirs = report(confusion)
    assert rows.index.tolist() == [*NAMES, "macro average", "weighted average"]
    for name in rows.index:
        expected = theirs[name.replace("average", "avg")]
        found = rows.loc[name, METRICS].tolist()
        assert found == pytest.approx(
            [expected[key] for key in ("precision", "recall", "f1-score", "support")]
        )
    assert rows.recall["weighted average"] == pytest.approx(theirs["accuracy"])


def test_over_seeds_the_mean_is_taken(tmp_path):
    rows = frame(tmp_path, {"ce": [CONFUSION, OTHER]}).set_index("class")
    both = [report(confusion) for confusion in (CONFUSION, OTHER)]
    for name, theirs in (
        ("dog", "dog"),
        ("macro average", "macro avg"),
        ("weighted average", "weighted avg"),
    ):
        for ours, key in (("precision", "precision"), ("recall", "recall"), ("f1", "f1-score")):
            assert rows.loc[name, ours] == pytest.approx(np.mean([one[theirs][key] for one in both]))
        assert rows.support[name] == both[0][theirs]["support"]


def test_a_class_without_a_test_image_is_left_out_of_the_averages(tmp_path):
    rows = frame(tmp_path, {"ce": [[[6, 2, 0], [1, 3, 0], [0, 0, 0]]]}).set_index("class")
    assert rows.loc["eel", ["precision", "recall", "f1"]].isna().all()
    assert rows.recall["macro average"] == pytest.approx((6 / 8 + 3 / 4) / 2)
    assert rows.recall["weighted average"] == pytest.approx(9 / 12)
    assert rows.support["macro average"] == 12


def test_every_arm_has_its_rows_and_what_was_not_published_has_no_columns(tmp_path):
    rows = frame(tmp_path, {"ce": [CONFUSION], "cb": [OTHER]})
    assert rows.arm.tolist() == ["CE"] * 5 + ["CB"] * 5
    shown = precision_recall_f1.display(rows)
    assert shown.columns.tolist() == ["arm", "class", "precision", "recall", "f1", "support"]
    assert shown.iloc[0].tolist() == ["CE", "cat", "68.5", "87.7", "76.9", "57"]


def test_published_figures_stand_beside_the_arm_that_they_are_of(tmp_path):
    classes = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
    folder = write(
        tmp_path,
        recalls={"ce": [[0.5] * 10], "cb": [[0.6] * 10]},
        names=classes,
        counts=range(100, 0, -10),
        data=CIFAR10,
        profile="linear",
        arms={"ce": {"published": "baseline"}},
        published="efficientnet_ladder",
    )
    rows = precision_recall_f1.frame(load(folder)).set_index(["arm", "class"])
    assert rows.loc[("CE", "cat"), "published_precision":"published_f1"].tolist() == [0.8054, 0.7700, 0.7873]
    average = rows.loc[("CE", "macro average"), "published_precision":"published_f1"].tolist()
    assert average == pytest.approx([0.8528, 0.8422, 0.8418], abs=6e-5)  # as the summary gives them
    assert rows.loc["CB"].published_recall.isna().all()
