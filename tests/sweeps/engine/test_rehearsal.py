"""What a file of the user's own registers is tried before the sweep begins, in a process that it may end."""

import pytest

from lt_core.losses.losses import LOSSES
from sweeps.engine import rehearsal
from sweeps.run import main

FILE = """import os, time
import torch.nn.functional as F
from lt_core.losses import LOSSES
from sweeps.planning import Arm, Experiment


@LOSSES.register("tried")
def tried(logits, labels):
    return BODY


def experiment(data):
    arms = [Arm(name="ce", label="CE"), Arm(name="own", label="Own", knobs={"loss": "tried"})]
    return Experiment(base={"imbalance_ratio": 10.0, "epochs": 2}, arms=arms, seeds=1)
"""


@pytest.fixture(autouse=True)
def registered():
    yield
    LOSSES.pop("tried", None)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "logits",
            "Own: loss=tried returns float32 of shape [16, 10]: a float tensor of",
        ),
        ("logits.nothing()", "mine.py, line 9: AttributeError: 'Tensor' object has no attribute 'nothing'"),
        pytest.param(
            "os._exit(3)",
            "Own: tried on a few images, it ended its process with exit 3",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "time.sleep(99)",
            "Own: tried on a few images, it had not ended after 12 s",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_one_line_says_what_is_wrong(tmp_path, monkeypatch, capsys, data_dir, body, message):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(rehearsal, "SECONDS", 12)
    (tmp_path / "mine.py").write_text(FILE.replace("BODY", body))
    assert main(["./mine.py", "--dataset", "digits", "--data-dir", str(data_dir), "--dry-run"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: Own: ")
    assert (message in err, err.count("\n")) == (True, 1), err
    assert not (tmp_path / "results").exists()


def test_one_arm_of_each_kind_is_tried():
    arms = [("a", "ce", 0.1), ("b", "ce", 0.2), ("c", "focal", 0.1)]
    tried = rehearsal.kinds([(label, {"loss": loss, "lr": lr}) for label, loss, lr in arms])
    assert [label for label, _ in tried] == ["a", "c"]
