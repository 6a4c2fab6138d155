"""Learning curves draw what was measured: from the untrained network on, over gaps, and a single epoch."""

import numpy as np
import pandas as pd
import pytest

from analysis.figures import learning_curves
from analysis.load import load
from tests.analysis.builder import LABELS, put, write

CURVES = {  # test macro recall and training accuracy by epoch, of both arms
    "ce": {0: (0.5, np.nan), 1: (0.6, 0.7), 3: (np.nan, 0.8), 4: (0.8, 0.9)},
    "cb": {2: (0.7, 0.65)},
}


@pytest.fixture
def axes(tmp_path):
    folder = write(tmp_path)
    rows = []
    for arm, curve in CURVES.items():
        for seed in range(3):
            for epoch, (recall, accuracy) in curve.items():
                row = {"trial": f"{arm}-final-{seed}", "arm": arm, "seed": seed, "epoch": epoch}
                recall += seed / 100
                rows.append(row | {"test_macro_recall": recall, "train_accuracy": accuracy})
    put(folder, "epochs", rows)
    trials = pd.read_parquet(folder / "trials")
    last = trials.arm.map({arm: max(curve) for arm, curve in CURVES.items()})
    put(folder, "trials", trials.assign(epochs_done=last))
    return learning_curves.draw(load(folder)).axes


@pytest.mark.parametrize(
    ("panel", "ce", "cb"),
    [(0, {0: 0.51, 1: 0.61, 4: 0.81}, {2: 0.71}), (1, {1: 0.7, 3: 0.8, 4: 0.9}, {2: 0.65})],
)
def test_every_epoch_that_was_measured_is_drawn_and_no_other(axes, panel, ce, cb):
    lines = {line.get_label(): line for line in axes[panel].lines}
    assert lines.keys() == set(LABELS.values())
    for label, expected in (("CE", ce), ("CB", cb)):
        drawn = dict(zip(*lines[label].get_data(), strict=True))
        assert drawn == pytest.approx(expected)
    assert {line.get_marker() for line in lines.values()} == {"."}  # what few points say is theirs alone


def test_the_band_is_one_standard_error(axes):
    (band, _) = axes[0].collections
    at = {x: [] for x in CURVES["ce"]}
    for x, y in band.get_paths()[0].vertices:
        at[x].append(y)
    se = 0.01 / np.sqrt(3)  # of three seeds that stand 0.01 apart
    assert (min(at[4]), max(at[4])) == pytest.approx((0.81 - se, 0.81 + se))
