"""A loss and an experiment of a user's own are one file: nothing else is touched."""

import re

import pandas as pd
import pytest

from tests.conftest import command

MINE = '''
"""Does a cubed cross-entropy help?"""

import torch.nn.functional as F

from lt_core.losses.losses import LOSSES
from sweeps.planning.experiment import Arm, Experiment, Question


@LOSSES.register("cubed")
def cubed(logits, labels, *, gamma):
    return F.cross_entropy(logits, labels, reduction="none") ** 3 * gamma


def experiment(data):
    return Experiment(
        base={"imbalance_ratio": 10.0, "epochs": 2, "batch_size": 32},
        arms=[
            Arm(name="ce", label="CE"),
            Arm(name="cubed", label="CE, cubed", knobs={"loss": "cubed"}, baseline="ce"),
        ],
        seeds=1,
        questions=[Question("Does cubing help?", "cubed", "ce")],
    )
'''


@pytest.mark.slow
def test_a_loss_and_an_experiment_in_one_file(tmp_path, data_dir):
    (tmp_path / "mine.py").write_text(MINE)
    process = command("sweeps.run", "./mine.py", "--dataset", "digits", "--data-dir", data_dir, cwd=tmp_path)
    assert process.returncode == 0, process.stdout + process.stderr
    table = process.stdout.partition("Test macro recall")[2]
    assert re.search(r"^CE, cubed +\d+\.\d ", table, re.MULTILINE)
    assert re.search(r"^Does cubing help\? +not answered at this budget", table, re.MULTILINE)
    trials = pd.read_parquet(tmp_path / "results" / "mine" / "trials").set_index("arm")
    assert trials.loss.to_dict() == {"ce": "ce", "cubed": "cubed"}
    assert set(trials.status) == {"finished"}
    epochs = pd.read_parquet(tmp_path / "results" / "mine" / "epochs").set_index(["arm", "epoch"])
    assert (epochs.train_loss["cubed"] != epochs.train_loss["ce"]).all()  # it is what was trained
