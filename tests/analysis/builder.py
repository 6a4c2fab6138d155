"""Results folders from rows written by hand, shared by the tests of the tables."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from lt_core.evaluation import metrics
from sweeps.engine.trainable import Arrays, class_rows
from sweeps.record.versions import VERSION

REASONS = {"finished": None, "stopped": "ASHA: outside the best 1 in 3", "diverged": "loss is nan"}
RECALLS = {"ce": [[0.9, 0.1], [0.8, 0.2], [0.85, 0.12]], "cb": [[0.7, 0.5], [0.7, 0.55], [0.72, 0.5]]}
LABELS = {"ce": "CE", "cb": "CB"}
TAUS = [i / 10 for i in range(21)]
CIFAR10 = "CIFAR-10, JPEG"


def write(
    folder: Path,
    *,
    recalls=RECALLS,
    by_tau=None,
    names=("cat", "dog"),
    counts=(50, 5),
    ratio=10.0,
    profile="exponential",
    data="toy",
    status="finished",
    lost=(),
    arms=None,
    **about,
) -> Path:
    """A results folder of final runs with two epochs, the first of them the better one, and of a search.

    ``recalls``: of every class, by arm and seed (a list: seeds from 0 on), or a whole confusion matrix.
    ``by_tau``: recalls [taus, classes], by arm and seed; without: the same at every tau. ``counts``,
    ``ratio`` and ``profile``: of the arms that do not have their own. ``arms``: what is an arm's own: these,
    its model and precision, and what sweep.json says of it. ``lost``: (arm, seed) of final runs that
    diverged. ``about``: what sweep.json says of the sweep.
    """
    shared = {"counts": counts, "ratio": ratio, "profile": profile, "model": "convnet", "precision": "fp32"}
    own = {name: shared | (arms or {}).get(name, {}) for name in recalls}
    configs = {name: _config(arm) for name, arm in own.items()}
    usual = {
        "version": VERSION,
        "experiment": "toy",
        "data": {"name": data, "benchmark": data.split(",")[0], "class_names": list(names)},
        "preset": None,
        "arms": [_described(name, arm, shared.keys()) for name, arm in own.items()],
        "trials": 4,
        "seeds": 3,
        "questions": [],
        "published": None,
        "published_baseline": None,
        "frontier_of": None,
        "taus": TAUS,
        "notes": ["A note."],
    }
    trials, epochs, classes = [], [], []
    for arm, runs in recalls.items():
        for seed, run in runs.items() if isinstance(runs, dict) else enumerate(runs):
            identity = {"trial": f"{arm}-final-{seed}", "arm": arm, "phase": "final", "seed": seed}
            ended = {"status": "diverged" if (arm, seed) in lost else status, "reason": None}
            ended |= {"config_of": None, "epochs": 2, "epochs_done": 2}
            trials.append({**identity, **ended, **configs[arm]})
            confusion = confused(run)
            recall = metrics.class_metrics(confusion).recall
            for epoch, shift in ((1, 0.05), (2, 0.0)):
                macro = np.nanmean(recall) + shift
                values = {"macro_recall": macro, "worst_recall": min(recall), "macro_f1": macro - 0.02}
                values |= {"classes_without_support": 0.0, "classes_without_predictions": 0.0}
                row = {f"test_{name}": value for name, value in values.items()}
                epochs.append({**identity, "epoch": epoch, "train_accuracy": 0.9, **row})
            adjusted = np.tile(recall, (len(TAUS), 1)) if by_tau is None else np.array(by_tau[arm][seed])
            rows = class_rows(Arrays(confusion, np.array(own[arm]["counts"]), adjusted), tuple(names))
            classes += [identity | row for row in rows]
    first = next(iter(recalls))
    for i, (ended, done) in enumerate([("finished", 2), ("stopped", 1), ("stopped", 1), ("diverged", 0)]):
        row = {"trial": f"s{i}", "arm": first, "phase": "search", "seed": 9, "status": ended, "epochs": 2}
        row |= {"known_from": None, "reason": REASONS[ended], "epochs_done": done}
        trials.append({**row, **configs[first]})
    for name, rows in (("trials", trials), ("epochs", epochs), ("classes", classes)):
        put(folder, name, rows)
    (folder / "sweep.json").write_text(json.dumps(usual | about))
    return folder


def put(folder: Path, table: str, rows) -> None:
    """Make these rows the whole of a table."""
    (folder / table).mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_parquet(folder / table / "part-00000.parquet")


def _config(arm) -> dict:
    knobs = {"profile": arm["profile"], "imbalance_ratio": arm["ratio"], "device": "cpu"}
    return knobs | {"model": arm["model"], "precision": arm["precision"]}


def _described(name, arm, config_only) -> dict:
    usual = {"name": name, "label": LABELS.get(name, name), "baseline": "ce" if name == "cb" else None}
    usual |= {"published": None, "searched": {}, "epochs": 2}
    said = {key: value for key, value in arm.items() if key not in config_only}
    return usual | said | {"train_counts": list(arm["counts"])}


def confused(run) -> np.ndarray:
    """A confusion of 100 images a class from recalls; what is missed is taken for the next class."""
    if np.ndim(run) == 2:
        return np.array(run)
    hits = np.array([round(100 * recall) for recall in run])
    return np.diag(hits) + np.roll(np.diag(100 - hits), 1, axis=1)
