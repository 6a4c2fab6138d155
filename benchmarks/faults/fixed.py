"""A fixed list of configurations, without a search; five of them diverge after some epochs."""

import torch
import torch.nn.functional as F

from lt_core.losses.losses import LOSSES
from sweeps.planning.experiment import Arm, Experiment


@LOSSES.register("nan_below")
def nan_below(logits, labels, *, gamma):
    """CE, until a batch's mean is below gamma: then no number any more."""
    ce = F.cross_entropy(logits, labels, reduction="none")
    return torch.where(ce.mean() < gamma, torch.nan, ce)


def experiment(data):
    """Return four arms that end well and five that do not."""
    arms = [
        Arm(name="ce", label="CE"),
        Arm(name="large_batch", label="large batch", knobs={"batch_size": 128}),
        Arm(name="cb", label="CB-CE", knobs={"weighting": "effective_number"}),
        Arm(name="sgd", label="SGD", knobs={"optimizer": "sgd", "lr": 0.05, "schedule": "cosine"}),
    ]
    for threshold in (1.2, 0.4, 0.2, 0.1, 0.05):
        knobs = {"loss": "nan_below", "gamma": threshold}
        arms.append(Arm(name=f"nan_{threshold}", label=f"NaN below {threshold}", knobs=knobs))
    base = {"imbalance_ratio": 10.0, "epochs": 30, "batch_size": 32, "augment": "crop"}
    return Experiment(base=base, arms=arms, trials=1, seeds=2)
