"""A plan in words for the screen, and as sweep.json for the record."""

import hashlib
import subprocess
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from lt_core.config import TrainConfig
from lt_core.data import Dataset
from lt_core.data.split import split_indices
from lt_core.evaluation.posthoc import TAUS
from lt_core.timing import seconds_per_epoch
from sweeps.planning.plan import Plan, PlannedArm, final_counts, weight_note
from sweeps.record.description import ArmRecord, DataRecord, Description, QuestionRecord, SpaceRecord
from sweeps.record.metrics import RUNG_METRIC, SELECTION_METRIC
from sweeps.search.asha import REDUCTION, rung
from sweeps.terminal.progress import duration

OF_THE_TIME = ("model", "batch_size", "precision", "sampler", "noise_variances", "irm_penalty", "tta")
SHOWN = ("model", "optimizer", "lr", "batch_size", "weight_decay", "schedule", "augment")  # in the plan
PACKAGES = ("torch", "torchvision", "ray", "optuna", "numpy", "pandas", "pyarrow")


def seconds_per_epoch_by_arm(plan: Plan, data: Dataset) -> dict[str, float]:
    """Time one step of each kind of arm; return seconds per epoch by arm."""
    timed: dict[tuple, float] = {}
    costs = {}
    for arm in plan.arms:
        kind = tuple(getattr(arm.config, knob) for knob in OF_THE_TIME)
        if kind not in timed:
            timed[kind] = seconds_per_epoch(arm.config.model_copy(update={"evaluate_on": "test"}), data)
        costs[arm.name] = timed[kind]
    return costs


def plan_text(plan: Plan, data: Dataset, folder: Path, concurrent: int, costs: dict[str, float]) -> str:
    """Return the plan as a person reads it; ``costs`` are seconds per epoch by arm."""
    search_counts = split_indices(plan.arms[0].config, data)[2]
    preset = f", preset {plan.preset}" if plan.preset else ""
    lines = [
        f"{plan.name}{preset}: {len(plan.arms)} arms on {data.name}, {data.num_classes} classes",
        f"  training images in final runs:  {_counts(final_counts(plan, data))}",
        f"  training images in the search:  {_counts(search_counts)}",
        f"  {plan.arms[0].arm.label} trains with:  {_knobs(plan.arms[0].config)}",
        "",
    ]
    for arm in plan.arms:
        runs = ", ".join(f"{n} {phase}" for a, phase, n in plan.runs() if a is arm)
        lines.append(f"  {arm.arm.label:28} {runs}, {arm.config.epochs} epochs")
        lines += [f"  {'':28}   {knob}: {space}" for knob, space in arm.search.items()]
    lines += ["", *(f"  note: {note}" for note in plan.notes)]
    seconds = sum(n * arm.config.epochs * costs[arm.name] for arm, _, n in plan.runs()) / concurrent
    if plan.searched:
        at = rung(plan.searched[0].config.epochs)
        stopping = f"ASHA lets the best 1 in {REDUCTION} go on at epoch {at}, by {RUNG_METRIC}"
        lines.append(f"  search:  Optuna (TPE) on {SELECTION_METRIC}; {stopping}")
    lines += [
        f"  at once: {concurrent} trials",
        f"  results: {folder}",
        f"  time:    about {duration(seconds)} of training at most, judged from one timed step",
        "",
    ]
    return "\n".join(lines)


def _knobs(config: TrainConfig) -> str:
    return ", ".join(f"{knob}={getattr(config, knob)}" for knob in SHOWN)


def _counts(counts: np.ndarray) -> str:
    shown = [str(n) for n in counts]
    if len(shown) > 12:
        shown = [*shown[:6], "...", *shown[-3:]]
    return f"{' '.join(shown)} ({counts.sum():,} in all)"


def describe(plan: Plan, data: Dataset, options: dict[str, Any], about: str) -> Description:
    """Return sweep.json: what was asked, on what, with what."""
    note = weight_note(plan, data)
    return Description(
        experiment=plan.name,
        about=about,
        options=options,
        data=DataRecord(
            name=data.name,
            benchmark=data.benchmark,
            source=options["dataset"].partition(":")[0],
            fingerprint=data.fingerprint,
            class_names=list(data.class_names),
        ),
        preset=plan.preset,
        trials=plan.trials,
        seeds=plan.seeds,
        seed=plan.seed,
        arms=[_arm(arm, final_counts(plan, data).tolist()) for arm in plan.arms],
        questions=[QuestionRecord(**asdict(question)) for question in plan.experiment.questions],
        published=plan.experiment.published,
        published_baseline=plan.experiment.published_baseline,
        frontier_of=plan.experiment.frontier_of,
        taus=list(TAUS),
        notes=[*plan.experiment.notes, *([note] if note else [])],
        versions={package: metadata.version(package) for package in PACKAGES},
        git=_git_revision(),
        file=_digest(options["experiment"]),
    )


def _arm(planned: PlannedArm, counts: list[int]) -> ArmRecord:
    return ArmRecord(
        name=planned.name,
        label=planned.arm.label,
        baseline=planned.arm.baseline,
        published=planned.arm.published,
        searched={
            knob: SpaceRecord(text=str(space), off=getattr(space, "off", None))
            for knob, space in planned.search.items()
        },
        epochs=planned.config.epochs,
        knobs=planned.config.model_dump(mode="json"),
        train_counts=counts,
    )


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
