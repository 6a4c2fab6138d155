"""A plan as sweep.json, for the record."""

import hashlib
import subprocess
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from lt_core.data import Dataset
from lt_core.evaluation.posthoc import TAUS
from sweeps.planning.plan import Plan, PlannedArm, final_counts, start_note, weight_note
from sweeps.record.description import ArmRecord, DataRecord, Description, QuestionRecord, SpaceRecord

GIT_SECONDS = 10  # it may wait for a disk, or for a person
PACKAGES = ("torch", "torchvision", "ray", "optuna", "numpy", "pandas", "pyarrow")


def describe(
    plan: Plan, data: Dataset, options: dict[str, Any], about: str, stopping: str = ""
) -> Description:
    """Return sweep.json: what was asked, on what, with what; ``stopping``: the rule of early stopping."""
    added, counts = (weight_note(plan, data), start_note(plan)), final_counts(plan, data)
    return Description(
        experiment=plan.name,
        about=about,
        stopping=stopping,
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
        arms=[_arm(arm, counts[arm.name].tolist()) for arm in plan.arms],
        questions=[QuestionRecord(**asdict(question)) for question in plan.experiment.questions],
        published=plan.experiment.published,
        published_baseline=plan.experiment.published_baseline,
        frontier_of=plan.experiment.frontier_of,
        taus=list(TAUS),
        notes=[*plan.experiment.notes, *(note for note in added if note)],
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
    """Return the revision of the repository that this very file is part of; None: it is in none, or there is
    no git. A package that is installed inside somebody's repository is no part of it."""
    here = Path(__file__)
    if _git(here.parent, "ls-files", "--error-unmatch", here.name) is None:
        return None
    return _git(here.parent, "describe", "--always", "--dirty")


def _git(folder: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=GIT_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
