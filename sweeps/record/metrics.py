"""The metrics of a results folder, each with the direction in which it is better."""

METRICS = {  # as lt_core.evaluation.metrics.Summary has them, and the loss
    "loss": "min",
    "accuracy": "max",
    "macro_precision": "max",
    "macro_recall": "max",
    "macro_f1": "max",
    "worst_recall": "max",
    "classes_without_support": "min",
    "classes_without_predictions": "min",
}
SELECTION_METRIC = "val_macro_recall"  # what searches maximise and selection reads
BEST_ADJUSTED_RECALL = "val_best_adjusted_recall"  # a column of its own: post-hoc adjustment, on validation
RUNG_METRIC = BEST_ADJUSTED_RECALL  # what early stopping compares: any column of validation
TEST_METRIC = "test_macro_recall"  # what tables compare arms by
DIRECTION = METRICS["macro_recall"]
