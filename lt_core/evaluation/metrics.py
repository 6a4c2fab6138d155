"""Every metric from one confusion matrix: entry [i, j] counts images of class i predicted as j."""

from dataclasses import dataclass
from typing import TypedDict

import numpy as np


@dataclass(frozen=True)
class ClassMetrics:
    """By class, float64 [C]; support and predicted are counts, int64 [C].

    Recall and F1 of a class without support are NaN and left out of macro averages. Precision of a
    class that is never predicted is 0, as in scikit-learn's zero_division=0.
    """

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    support: np.ndarray
    predicted: np.ndarray


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray, num_classes: int) -> np.ndarray:
    """Return int64 [C, C] from labels [N] and predictions [N]."""
    flat = np.bincount(labels * num_classes + predictions, minlength=num_classes**2)
    return flat.reshape(num_classes, num_classes)


def class_metrics(confusion: np.ndarray) -> ClassMetrics:
    """Return precision, recall, F1, support and predicted counts by class."""
    hits = np.diag(confusion).astype(np.float64)
    support, predicted = confusion.sum(axis=1), confusion.sum(axis=0)
    supported = support > 0
    recall = np.divide(hits, support, out=np.full(len(hits), np.nan), where=supported)
    precision = np.divide(hits, predicted, out=np.zeros(len(hits)), where=predicted > 0)
    precision[~supported] = np.nan
    f1 = np.divide(2 * hits, support + predicted, out=np.full(len(hits), np.nan), where=supported)
    return ClassMetrics(precision, recall, f1, support, predicted)


def recall_by_class(labels: np.ndarray, predictions: np.ndarray, num_classes: int) -> np.ndarray:
    """Return float64 [C] from labels [N] and predictions [N]; NaN for a class without support."""
    return class_metrics(confusion_matrix(labels, predictions, num_classes)).recall


class Summary(TypedDict):
    """A confusion matrix in a row: shares between 0 and 1, and two counts of classes."""

    accuracy: float
    macro_precision: float
    macro_recall: float
    macro_f1: float
    worst_recall: float
    classes_without_support: int
    classes_without_predictions: int


def summary(confusion: np.ndarray) -> Summary:
    """Return accuracy, macro averages, worst-class recall, and how many classes were left out or unseen."""
    by_class = class_metrics(confusion)
    supported = by_class.support > 0
    return {
        "accuracy": float(np.trace(confusion) / confusion.sum()),
        "macro_precision": float(by_class.precision[supported].mean()),
        "macro_recall": float(by_class.recall[supported].mean()),
        "macro_f1": float(by_class.f1[supported].mean()),
        "worst_recall": float(by_class.recall[supported].min()),
        "classes_without_support": int((~supported).sum()),
        "classes_without_predictions": int((by_class.predicted == 0).sum()),
    }
