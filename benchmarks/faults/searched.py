"""One search beside one fixed arm; where the learning rate is high, trials diverge."""

import torch
import torch.nn.functional as F

from lt_core.losses.losses import LOSSES
from sweeps.planning.experiment import Arm, Experiment
from sweeps.planning.spaces import SPACES


@LOSSES.register("cliff")
def cliff(logits, labels):
    """CE, until a batch is fitted all but perfectly: then no number any more."""
    ce = F.cross_entropy(logits, labels, reduction="none")
    return torch.where(ce.max() < 0.01, torch.nan, ce)


def experiment(data):
    """Return the two arms."""
    search = {knob: SPACES[knob] for knob in ("beta", "lr", "batch_size")}
    knobs = {"loss": "cliff", "weighting": "effective_number"}
    arms = [
        Arm(name="ce", label="CE"),
        Arm(name="found", label="CB, searched", knobs=knobs, search=search, baseline="ce"),
    ]
    base = {"imbalance_ratio": 10.0, "epochs": 30, "batch_size": 64, "augment": "crop"}
    return Experiment(base=base, arms=arms, trials=12, seeds=2)
