"""What Ray runs: a thin shell around lt_core.train. It knows no loss and writes no file."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from ray import tune

from lt_core import metrics
from lt_core.config import TrainConfig
from lt_core.data import Dataset, load_dataset
from lt_core.errors import Diverged, InputError
from lt_core.train import EpochMetrics, on_this_machine, split_indices, train
from sweeps.experiment import load_file

HARDWARE_KNOBS = ("device", "precision", "channels_last")


class Trial(tune.Trainable):
    """One trial; an actor serves many, one after the other.

    The config holds ``knobs`` (of TrainConfig), ``dataset`` (arguments of load_dataset), ``fingerprint``
    (of the data that was planned for) and ``plugin`` (a file of the user's that registers losses or
    models, or None).
    """

    def setup(self, config: dict[str, Any]) -> None:
        if config["plugin"]:
            _load_once(config["plugin"])
        self.train_config = on_this_machine(TrainConfig.parse(config["knobs"]))
        data = _data(**config["dataset"])
        if data.fingerprint != config["fingerprint"]:
            raise InputError(f"the data of {config['dataset']['spec']} is not what the sweep began with")
        self.counts = split_indices(self.train_config, data)[2]
        self.epochs = train(self.train_config, data)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self.setup(new_config)
        return True

    def step(self) -> dict[str, Any]:
        try:
            epoch = next(self.epochs)
        except Diverged as error:
            return {"done": True, "diverged": str(error)}
        return {
            **epoch_row(epoch, self.train_config.evaluate_on),
            "confusion": epoch.eval_confusion,
            "counts": self.counts,
            "ran_with": {knob: getattr(self.train_config, knob) for knob in HARDWARE_KNOBS},
            "done": epoch.epoch == self.train_config.epochs,
        }

    def cleanup(self) -> None:
        self.epochs.close()


def epoch_row(epoch: EpochMetrics, split: str) -> dict[str, Any]:
    """Return the columns of the epochs table that the epoch itself knows."""
    trained = metrics.summary(epoch.train_confusion)
    evaluated = metrics.summary(epoch.eval_confusion)
    return {
        "epoch": epoch.epoch,
        "lr": epoch.lr,
        "train_loss": epoch.train_loss,
        "train_accuracy": trained["accuracy"],
        "train_macro_recall": trained["macro_recall"],
        f"{split}_loss": epoch.eval_loss,
        **{f"{split}_{name}": value for name, value in evaluated.items()},
        "train_seconds": epoch.train_seconds,
        "eval_seconds": epoch.eval_seconds,
    }


def class_rows(confusion: np.ndarray, counts: np.ndarray, class_names: tuple[str, ...]) -> list[dict]:
    """Return the columns of the classes table, a row a class."""
    by_class = metrics.class_metrics(confusion)
    return [
        {
            "class": k,
            "class_name": name,
            "n_train": int(counts[k]),
            "support": int(by_class.support[k]),
            "predicted": int(by_class.predicted[k]),
            "precision": float(by_class.precision[k]),
            "recall": float(by_class.recall[k]),
            "f1": float(by_class.f1[k]),
            "confusion": confusion[k].tolist(),
        }
        for k, name in enumerate(class_names)
    ]


@cache
def _data(spec: str, data_dir: str, image_size: int | None) -> Dataset:
    return load_dataset(spec, data_dir, image_size)


@cache
def _load_once(plugin: str) -> None:
    load_file(Path(plugin))
