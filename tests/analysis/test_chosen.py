"""What the searches chose, as the table says it."""

import pandas as pd
import pytest

from analysis.load import Sweep
from analysis.tables import chosen

KNOBS = {"lr": 0.00123456, "batch_size": 64, "mixup_alpha": None, "tta": "none"}


def test_the_configuration_of_the_finals_with_its_confirmations(tmp_path):
    runs = [("final", "s1", 0.0), ("confirm", "s1", 0.5), ("confirm", "s1", 0.7), ("confirm", "s0", 0.1)]
    trials, epochs = [], []
    for i, (phase, origin, score) in enumerate(runs):
        row = {"trial": f"t{i}", "arm": "found", "phase": phase, "status": "finished", "config_of": origin}
        trials.append({**row, **KNOBS, "epochs_done": 2})
        epochs.append({"trial": f"t{i}", "epoch": 2, "val_macro_recall": score})
    about = {"arms": [{"name": "found", "label": "found", "searched": KNOBS}]}
    frame = chosen.frame(Sweep(tmp_path, about, pd.DataFrame(trials), pd.DataFrame(epochs), pd.DataFrame()))
    (row,) = frame.to_dict("records")
    assert row["chosen"] == "lr 0.0012346, batch_size 64, mixup_alpha off, tta none"
    assert (row["val_macro_recall"], row["n"]) == (pytest.approx(0.6), 2)
