"""What the searches chose, as the table says it."""

import pandas as pd
import pytest

from analysis.load import Sweep
from analysis.tables import chosen
from sweeps.record.description import Description

SPACES = {
    "lr": {"text": "0.0001 to 0.01, log scale"},
    "batch_size": {"text": "one of 32, 64"},
    "mixup_alpha": {"text": "off, or 0.05 to 2, log scale", "off": None},
    "label_smoothing": {"text": "off, or 0 to 0.4", "off": 0.0},
    "gamma": {"text": "0 to 3"},
    "tta": {"text": "one of none, horizontal"},
}
KNOBS = {
    "lr": 0.00123456,
    "batch_size": 64,
    "mixup_alpha": None,
    "label_smoothing": 0.0,
    "gamma": 0.0,
    "tta": "none",
}


def test_the_configuration_of_the_finals_with_its_confirmations(tmp_path):
    runs = [("final", "s1", 0.0), ("confirm", "s1", 0.5), ("confirm", "s1", 0.7), ("confirm", "s0", 0.1)]
    trials, epochs = [], []
    for i, (phase, origin, score) in enumerate(runs):
        row = {"trial": f"t{i}", "arm": "found", "phase": phase, "status": "finished", "config_of": origin}
        trials.append({**row, **KNOBS, "epochs_done": 2})
        epochs.append({"trial": f"t{i}", "epoch": 2, "val_macro_recall": score})
    arm = {"name": "found", "label": "found", "epochs": 2, "searched": SPACES, "train_counts": [5, 5]}
    data = {"name": "toy", "class_names": ["cat", "dog"]}
    about = Description(experiment="toy", data=data, trials=2, seeds=1, arms=[arm])
    frame = chosen.frame(Sweep(tmp_path, about, pd.DataFrame(trials), pd.DataFrame(epochs), pd.DataFrame()))
    (row,) = frame.to_dict("records")
    assert (
        row["chosen"]
        == "lr 0.0012346, batch_size 64, mixup_alpha off, label_smoothing off, gamma 0, tta none"
    )
    assert (row["val_macro_recall"], row["n"]) == (pytest.approx(0.6), 2)
