"""The search of searched.py as a script in the manner of Ray Tune's examples.

A DataLoader a trial, Tune's own loggers and trial processes, OptunaSearch, ASHA; the best configuration again
on SEEDS seeds, and a table.

python -m benchmarks.efficiency.script STORAGE DATA_DIR
"""

import sys
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import ray
import torch
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.optuna import OptunaSearch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.efficiency.searched import EPOCHS, SEARCHED, SEEDS, TRIALS
from lt_core.config import TrainConfig
from lt_core.data import load_dataset
from lt_core.data.split import make_split
from lt_core.models import MODELS
from sweeps.planning.spaces import SPACES

BATCH = TrainConfig.model_fields["batch_size"].default


def trainable(config: dict[str, Any], data_dir: str) -> None:
    """Train and report the macro recall of every epoch."""
    torch.set_num_threads(1)
    torch.manual_seed(config["seed"])
    data = load_dataset("digits", data_dir)
    knobs = {"imbalance_ratio": 10.0, "seed": config["seed"], "evaluate_on": config["split"]}
    split = make_split(TrainConfig.parse(knobs), data, "cpu")
    loaders = [
        DataLoader(TensorDataset(_floats(images), labels), BATCH, shuffle=training)
        for images, labels, training in (
            (split.images, split.labels, True),
            (split.eval_images, split.eval_labels, False),
        )
    ]
    counts = torch.bincount(split.labels, minlength=10).clamp(min=1)
    weights = config["1-beta"] / (1 - (1 - config["1-beta"]) ** counts)
    model = MODELS["convnet"](10, 1, split.images.shape[1])
    optimizer = torch.optim.Adam(model.parameters(), config["lr"], weight_decay=5e-4)
    loss_of = nn.CrossEntropyLoss(weights.float())
    for _ in range(EPOCHS):
        model.train()
        for images, labels in loaders[0]:
            optimizer.zero_grad()
            loss_of(model(images), labels).backward()
            optimizer.step()
        tune.report({"macro_recall": macro_recall(model, loaders[1])})


def _floats(images: torch.Tensor) -> torch.Tensor:
    return images.permute(0, 3, 1, 2).float() / 255


@torch.no_grad()
def macro_recall(model: nn.Module, loader: DataLoader) -> float:
    """Return the mean recall of the classes."""
    model.eval()
    pairs = [(model(images).argmax(1), labels) for images, labels in loader]
    found, labels = (torch.cat(tensors) for tensors in zip(*pairs, strict=True))
    return float(np.mean([(found[labels == k] == k).float().mean() for k in labels.unique()]))


def main(storage: str, data_dir: str) -> None:
    """Search, run the best again, print a table."""
    ray.init(address="local", num_cpus=2)
    run = tune.with_resources(partial(trainable, data_dir=data_dir), {"cpu": 1})
    (low, high), (least, most) = (SPACES[knob].extremes() for knob in SEARCHED)
    space = {
        "lr": tune.loguniform(low, high),
        "1-beta": tune.loguniform(1 - most, 1 - least),
        "seed": 0,
        "split": "val",
    }
    search = tune.TuneConfig(
        metric="macro_recall",
        mode="max",
        search_alg=OptunaSearch(),
        scheduler=ASHAScheduler(max_t=EPOCHS),
        num_samples=TRIALS,
    )
    searched = tune.Tuner(
        run,
        param_space=space,
        tune_config=search,
        run_config=tune.RunConfig(name="search", storage_path=storage),
    ).fit()
    best = searched.get_best_result("macro_recall", "max").config or {}
    again = {**best, "seed": tune.grid_search(list(range(1, SEEDS + 1))), "split": "test"}
    finals = tune.Tuner(
        run, param_space=again, run_config=tune.RunConfig(name="finals", storage_path=storage)
    ).fit()
    recalls = pd.Series(finals.get_dataframe()["macro_recall"])
    print(pd.DataFrame({"arm": ["found"], "mean": [recalls.mean()], "sd": [recalls.std()]}).to_markdown())


if __name__ == "__main__":
    main(*sys.argv[1:])
