"""A plan as sweep.json, for the record."""

import hashlib
import subprocess
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from lt_core.data import Dataset
from lt_core.evaluation.inference import TAUS
from sweeps.planning.plan import Plan, final_counts, weight_note
from sweeps.record.metrics import SELECTION_METRIC

PACKAGES = ("torch", "torchvision", "ray", "optuna", "numpy", "pandas", "pyarrow")


def describe(plan: Plan, data: Dataset, options: dict[str, Any], about: str) -> dict[str, Any]:
    """Return sweep.json: what was asked, on what, with what."""
    note, counts = weight_note(plan, data), final_counts(plan, data)
    return {
        "experiment": plan.name,
        "about": about,
        "options": options,
        "metric": SELECTION_METRIC,
        "direction": "max",
        "data": {
            "name": data.name,
            "source": options["dataset"].partition(":")[0],
            "fingerprint": data.fingerprint,
            "class_names": list(data.class_names),
            "train_counts": counts[plan.arms[0].name].tolist(),
        },
        "preset": plan.preset,
        "trials": plan.trials,
        "seeds": plan.seeds,
        "seed": plan.seed,
        "arms": [
            {
                "name": arm.name,
                "label": arm.arm.label,
                "baseline": arm.arm.baseline,
                "published": arm.arm.published,
                "searched": {knob: str(space) for knob, space in arm.search.items()},
                "epochs": arm.config.epochs,
                "train_counts": counts[arm.name].tolist(),
                "knobs": arm.config.model_dump(),
            }
            for arm in plan.arms
        ],
        "questions": [asdict(question) for question in plan.experiment.questions],
        "published": plan.experiment.published,
        "published_baseline": plan.experiment.published_baseline,
        "frontier_of": plan.experiment.frontier_of,
        "taus": TAUS,
        "notes": [*plan.experiment.notes, *([note] if note else [])],
        "versions": {package: metadata.version(package) for package in PACKAGES},
        "git": _git_revision(),
        "file": _digest(options["experiment"]),
    }


def _digest(experiment: str) -> str | None:
    """Return the digest of an experiment file: its losses and models are part of what is measured."""
    if not experiment.endswith(".py"):
        return None
    return hashlib.sha256(Path(experiment).read_bytes()).hexdigest()[:16]


def _git_revision() -> str | None:
    here = Path(__file__).parent
    command = ["git", "-C", str(here), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.strip() or None
    except FileNotFoundError:  # no git on this machine
        return None
