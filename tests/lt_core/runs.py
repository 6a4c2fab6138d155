"""Short runs on digits, shared by the tests of the training loop."""

import numpy as np

from lt_core.config import TrainConfig
from lt_core.data.split import split_indices
from lt_core.train import train

FAST = {"imbalance_ratio": 20.0, "epochs": 3, "batch_size": 32, "precision": "fp32"}


def numbers(e):
    """Every number of an epoch but the times."""
    arrays = [a for a in (e.train_confusion, e.eval_confusion, e.recall_by_tau) if a is not None]
    return (e.epoch, e.lr, e.train_loss, e.eval_loss, e.best_adjusted_recall, *(a.tolist() for a in arrays))


def rows(config, data):
    return [numbers(epoch) for epoch in train(config, data)]


def run(data, **knobs):
    """The epochs of a fast run and, beside each, what its snapshot held."""
    return [(epoch, copied(epoch.snapshot())) for epoch in train(TrainConfig.parse(FAST | knobs), data)]


def copied(state):
    if isinstance(state, dict):
        return {key: copied(value) for key, value in state.items()}
    return state.clone() if hasattr(state, "clone") else state


def training(data, **knobs):
    """What a fast run trained to: losses, drawn batches and the bits of the weights, epoch by epoch."""
    found = []
    for epoch, state in run(data, **knobs):
        weights = {name: tensor.numpy().tobytes() for name, tensor in state["model"].items()}
        found.append((epoch.train_loss, epoch.train_confusion.tolist(), weights))
    return found


def counts(data, **knobs):
    """Training images by class."""
    return np.array(split_indices(TrainConfig.parse(FAST | knobs), data)[2])
