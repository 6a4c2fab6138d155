"""What Ray runs: a thin shell around lt_core.train. It knows no loss; it writes checkpoints and weights."""

from collections.abc import Generator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ray import tune

from lt_core.config import TrainConfig
from lt_core.data import Dataset, open_copy
from lt_core.data.split import split_indices
from lt_core.errors import Diverged, InputError
from lt_core.evaluation import metrics
from lt_core.hardware import on_this_machine
from lt_core.timing import seconds_per_epoch
from lt_core.train import EpochMetrics, train
from sweeps.engine.home import AtHome, data_from_home
from sweeps.engine.machine import processor, unfit
from sweeps.experiments import in_one_line, load_source
from sweeps.record.metrics import BEST_ADJUSTED_RECALL
from sweeps.record.versions import upgrade_row
from sweeps.store.checkpoints import Checkpoints, serialised
from sweeps.store.location import open_location

HARDWARE_KNOBS = ("device", "precision", "channels_last")


@dataclass(frozen=True, repr=False)  # Ray writes every report out as text, for a log that nobody reads
class Arrays:
    """Of an evaluation: confusion int64 [C, C], counts int64 [C], recall_by_tau float64 [taus, C]."""

    confusion: np.ndarray
    counts: np.ndarray
    recall_by_tau: np.ndarray


class Trial(tune.Trainable):
    """One trial; an actor serves many, one after the other.

    The config holds ``trial`` (its key), ``knobs`` (of TrainConfig), ``until_epoch`` (the epoch to end at,
    None: the last), ``attempt`` (how many times it was begun), ``reported`` (its last epoch on record),
    ``place`` (the address of the sweep's), ``checkpoint_every`` (seconds), ``copy`` (the decoded data) and
    ``fingerprint`` (theirs), ``plugin`` (path and text of a file of the user's own that registers losses or
    models, or None), ``versions`` (of what moves the numbers) and ``cluster`` (whether place and copy are to
    be had from the driver's node).
    """

    def setup(self, config: dict[str, Any]) -> None:
        # Begins in the first step: an error there is the trial's own, while one here ends the actor.
        self.reports = reports(config)
        self.plugin = Path(config["plugin"][0]) if config["plugin"] else None  # what it raises has its line

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self.setup(new_config)
        return True

    def step(self) -> dict[str, Any]:
        with in_one_line(self.plugin) if self.plugin else nullcontext():
            return next(self.reports)

    def cleanup(self) -> None:
        self.reports.close()


def reports(job: dict[str, Any]) -> Generator[dict[str, Any]]:
    """Yield a report an epoch. A trial that goes on from a checkpoint reports the checkpoint's epoch again:
    whoever was told of it before may be gone."""
    if why := unfit(job["versions"]):
        yield {"done": True, "unfit": why}
        return
    if job["plugin"]:
        _load_once(*job["plugin"])
    config = on_this_machine(TrainConfig.parse(job["knobs"]))
    data = _data(job["copy"], job["fingerprint"], job["cluster"])
    counts = split_indices(config, data)[2]
    last = config.epochs if job["until_epoch"] is None else job["until_epoch"]
    place = AtHome(job["place"]) if job["cluster"] else open_location(job["place"])
    store = Checkpoints(place, job["trial"], job["attempt"], job["checkpoint_every"])
    saved = store.newest(job["reported"])
    if saved:
        report = upgrade_row("epochs", saved["report"])
        yield _on_the_wire(report) | {"done": saved["run"]["epoch"] == last, "notes": store.notes}
    try:
        for epoch in train(config, data, saved and saved["run"]):
            report = {
                **epoch_row(epoch, config.evaluate_on),
                "arrays": _tensors(epoch, counts),
                "ran_with": {knob: getattr(config, knob) for knob in HARDWARE_KNOBS},
                "processor": processor(),
            }
            done = epoch.epoch == last
            if epoch.epoch == config.epochs and config.keep_weights:
                place.write(f"weights/{job['trial']}.pt", serialised(epoch.weights()))
            if not done and store.due:
                store.write(epoch.epoch, {"run": epoch.snapshot(), "report": report})
            yield _on_the_wire(report) | {"done": done, "notes": store.notes}
            if done:
                return
    except Diverged as error:
        yield {"done": True, "diverged": str(error)}


def _tensors(epoch: EpochMetrics, counts: np.ndarray) -> dict[str, torch.Tensor] | None:
    """Return what an evaluation found, as checkpoints hold it; None: there was none."""
    if epoch.eval_confusion is None or epoch.recall_by_tau is None:
        return None
    arrays = {"confusion": epoch.eval_confusion, "counts": counts, "recall_by_tau": epoch.recall_by_tau}
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _on_the_wire(report: dict[str, Any]) -> dict[str, Any]:
    """Return the report with arrays for tensors."""
    found = report.get("arrays")  # a checkpoint of an older version has none
    return report | {"arrays": found and Arrays(**{name: found[name].numpy() for name in found})}


def epoch_row(epoch: EpochMetrics, split: str) -> dict[str, Any]:
    """Return the columns of the epochs table that the epoch itself knows."""
    seen, found = epoch.train_confusion, epoch.eval_confusion
    trained: dict[str, Any] = {} if seen is None else dict(metrics.summary(seen))
    evaluated: dict[str, Any] = {} if found is None else dict(metrics.summary(found))
    return {
        "epoch": epoch.epoch,
        "lr": epoch.lr,
        "train_loss": epoch.train_loss,
        "train_accuracy": trained.get("accuracy"),
        "train_macro_recall": trained.get("macro_recall"),
        f"{split}_loss": epoch.eval_loss,
        **{f"{split}_{name}": value for name, value in evaluated.items()},
        # Not of test: nobody may choose an adjustment there.
        BEST_ADJUSTED_RECALL: epoch.best_adjusted_recall if split == "val" else None,
        "train_seconds": epoch.train_seconds,
        "eval_seconds": epoch.eval_seconds,
    }


def class_rows(arrays: Arrays, class_names: tuple[str, ...]) -> list[dict]:
    """Return the columns of the classes table, a row a class."""
    by_class = metrics.class_metrics(arrays.confusion)
    return [
        {
            "class": k,
            "class_name": name,
            "n_train": int(arrays.counts[k]),
            "support": int(by_class.support[k]),
            "predicted": int(by_class.predicted[k]),
            "precision": float(by_class.precision[k]),
            "recall": float(by_class.recall[k]),
            "f1": float(by_class.f1[k]),
            "confusion": arrays.confusion[k].tolist(),
            "recall_by_tau": arrays.recall_by_tau[:, k].tolist(),
        }
        for k, name in enumerate(class_names)
    ]


def seconds_per_epoch_there(
    knobs: dict[str, Any], plugin: tuple[str, bytes] | None, copy: str, fingerprint: str
) -> float:
    """Time a config on a machine of a cluster, in seconds an epoch."""
    if plugin:
        _load_once(*plugin)
    return seconds_per_epoch(TrainConfig.parse(knobs), _data(copy, fingerprint, cluster=True))


@cache
def _data(copy: str, fingerprint: str, cluster: bool) -> Dataset:
    if data := mapped(copy, fingerprint):
        return data
    if cluster:
        return data_from_home()
    raise InputError(f"the decoded data in {copy} are not what the sweep began with")


def mapped(copy: str, fingerprint: str) -> Dataset | None:
    """Return the data from a decoded copy that this machine sees; None: it sees none, or another."""
    data = open_copy(copy) if Path(copy, "meta.json").exists() else None
    return data if data and data.fingerprint == fingerprint else None


@cache
def _load_once(path: str, text: bytes) -> None:
    load_source(Path(path), text)
