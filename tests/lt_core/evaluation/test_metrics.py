import numpy as np
import pytest
from sklearn import metrics as reference

from lt_core.evaluation.metrics import class_metrics, confusion_matrix, summary


@pytest.mark.parametrize("seed", range(5))
def test_metrics_are_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(6), rng.integers(0, 6, 60)])
    predictions = rng.integers(0, 5, 66)  # class 5 is never predicted
    confusion = confusion_matrix(labels, predictions, 6)
    assert (confusion == reference.confusion_matrix(labels, predictions)).all()
    expected = reference.precision_recall_fscore_support(labels, predictions, zero_division=0)
    ours = class_metrics(confusion)
    np.testing.assert_allclose([ours.precision, ours.recall, ours.f1], expected[:3])
    assert (ours.support == expected[3]).all()
    got = summary(confusion)
    macro = reference.precision_recall_fscore_support(labels, predictions, average="macro", zero_division=0)
    assert [got["macro_precision"], got["macro_recall"], got["macro_f1"]] == pytest.approx(macro[:3])
    assert got["macro_recall"] == pytest.approx(reference.balanced_accuracy_score(labels, predictions))
    assert got["accuracy"] == pytest.approx(reference.accuracy_score(labels, predictions))
    assert got["worst_recall"] == 0.0
    assert got["classes_without_predictions"] == 1


def test_a_class_without_support_is_left_out_and_counted():
    confusion = np.array([[3, 1, 0], [0, 0, 0], [0, 2, 2]])
    by_class = class_metrics(confusion)
    np.testing.assert_array_equal(by_class.recall, [0.75, np.nan, 0.5])
    got = summary(confusion)
    assert got["macro_recall"] == 0.625
    assert got["classes_without_support"] == 1
