"""A run that is interrupted and resumed, on digits, in all its stages."""

import pytest
import torch

from lt_core.config import TrainConfig
from lt_core.train import train
from sweeps.store.checkpoints import Checkpoints
from sweeps.store.location import Folder
from tests.lt_core.runs import FAST, copied, numbers

COSINE = {"augment": "crop_flip", "schedule": "cosine", "precision": "bf16"}
NOISE = {"noise_variances": (0.05, 0.2), "epochs": 4}
RUNS = {
    "convnet, adam": COSINE,
    "convnet, sgd": COSINE | {"optimizer": "sgd"},
    "resnet32": COSINE | {"model": "resnet32"},
    "on test": COSINE | {"evaluate_on": "test"},
    "cRT": NOISE | {"stage1_share": 0.5, "ema_decay": 0.9, "mixup_alpha": 0.4, "augment": "flip"},
    "LWS": {
        "stage1_share": 0.5,
        "stage2_classifier": "scale",
        "stage2_batch_norm": "moving",
        "cutmix_alpha": 1.0,
        "stage2_mix": True,
        "optimizer": "sgd",
        "sampler": "square_root",
        "epochs": 4,
    },
    "kept cosine": {"stage1_share": 0.4, "stage2_classifier": "keep", "classifier": "cosine", "loss": "ldam"},
    "IRM by sampling": {"irm_penalty": 1.0, "irm_warmup": 0.3, "epochs": 4},
    "IRM by noise": NOISE | {"irm_penalty": 1.0, "irm_environments": "noise", "epochs": 3},
    "late and smooth": {"weighting": "inverse", "reweight_after": 0.5, "label_smoothing": 0.1, "warmup": 0.4},
}


@pytest.mark.parametrize("name", RUNS)
def test_a_run_resumed_after_any_epoch_has_the_bits_of_a_whole_one(digits, tmp_path, name):
    config = TrainConfig.parse(FAST | RUNS[name])
    store = Checkpoints(Folder(tmp_path), "run", attempt=1, every=0)
    whole, states = [], []
    for epoch in train(config, digits):
        whole.append(numbers(epoch))
        store.write(epoch.epoch, epoch.snapshot())
        states.append(store.newest(up_to=epoch.epoch))
    assert [state["epoch"] for state in states] == [*range(1, config.epochs + 1)]
    for done, state in enumerate(states, start=1):
        torch.manual_seed(99)
        rest, last = resumed(config, digits, state)
        assert rest == whole[done:]
        for part in ("model", "average") if rest else ():
            torch.testing.assert_close(last[part], states[-1][part], rtol=0, atol=0)


def resumed(config, data, state):
    """The numbers of each epoch that follows, and the last snapshot."""
    found, last = [], None
    for epoch in train(config, data, state):
        found.append(numbers(epoch))
        if epoch.epoch == config.epochs:
            last = copied(epoch.snapshot())
    return found, last
