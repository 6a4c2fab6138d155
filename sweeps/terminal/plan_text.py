"""The plan in words, as a person reads it before the sweep begins."""

from collections import Counter
from pathlib import Path

import numpy as np

from lt_core.config import TrainConfig
from lt_core.data import Dataset
from lt_core.words import count
from sweeps.planning.notes import AS_GIVEN
from sweeps.planning.plan import Plan, PlannedArm, final_counts, train_counts
from sweeps.record.metrics import RUNG_METRIC, SELECTION_METRIC
from sweeps.record.remote import is_remote
from sweeps.record.states import Status
from sweeps.record.tables import parts
from sweeps.search.asha import rungs
from sweeps.store.results import FLUSH_SECONDS
from sweeps.terminal.data_text import MOST_CLASSES, data_lines
from sweeps.terminal.progress import duration, noted

SHOWN = ("model", "optimizer", "lr", "batch_size", "weight_decay", "schedule", "augment")
ON_THIS_DISK = (
    f"           rows of the last {FLUSH_SECONDS:.0f} s or more are on this machine's disk alone:",
    "           after a kill, --resume on another machine measures them again",
)
OWN = ("profile", "imbalance_ratio", "n_max", "precision")  # of an arm, where it differs from the first's


def plan_text(plan: Plan, data: Dataset, place: str, where: list[str], seconds: float) -> str:
    """Return the plan as a person reads it; ``where``: lines on the machines; ``seconds``: what is left of it
    is expected to take."""
    judged = "by timed steps and what early stopping may save"
    lines = [
        *_head(plan, data),
        *data_lines(data),
        "",
        *(line for arm in plan.arms for line in _arm(plan, arm)),
        "",
        *(f"  {noted(note)}" for note in plan.notes),
        *_search(plan),
        *where,
        f"  results: {place}",
        *(ON_THIS_DISK if is_remote(place) else ()),
        f"  time:    about {duration(seconds)} from this plan to the table, {judged}",
        "",
    ]
    return "\n".join(lines)


def so_far(folder: Path) -> str:
    """Return the number of trials by status that a sweep's tables hold; what still ran is interrupted."""
    statuses = Counter[str]()
    for _, part in parts(folder, "trials"):
        if not isinstance(part, ValueError):
            statuses.update(part["status"].to_pylist())
    statuses[Status.INTERRUPTED] += statuses.pop(Status.RUNNING, 0)
    found = [f"{n} {status}" for status, n in sorted(statuses.items()) if n]
    return f"  so far:  {', '.join(found) or 'no trial'}\n"


def _head(plan: Plan, data: Dataset) -> list[str]:
    preset = f", preset {plan.preset}" if plan.preset else ""
    first, final = plan.arms[0], final_counts(plan, data)
    searching = train_counts(plan.searched, data, "val")
    return [
        f"{plan.name}{preset}: {count(len(plan.arms), 'arm')} on {data.name}, {data.num_classes} classes",
        *_images("final runs", [(a.arm.label, _with_tail(a, final[a.name])) for a in plan.arms]),
        *_images("the search", [(a.arm.label, _counts(searching[a.name])) for a in plan.searched]),
        f"  {first.arm.label} trains with:  {_knobs(first.config)}",
    ]


def _images(where: str, shown: list[tuple[str, str]]) -> list[str]:
    """Return one line where all arms, (label, class counts), train on the same, else a line for each with its
    arms."""
    labels: dict[str, list[str]] = {}
    for label, counts in shown:
        labels.setdefault(counts, []).append(label)
    title = f"  training images in {where}:"
    if len(labels) > 1:
        return [title, *(f"    {of_some}: {'; '.join(some)}" for of_some, some in labels.items())]
    return [f"{title}  {of_all}" for of_all in labels]


def _counts(counts: np.ndarray) -> str:
    shown = [str(n) for n in counts]
    if len(shown) > MOST_CLASSES:
        shown = [*shown[:6], "...", *shown[-3:]]
    return f"{' '.join(shown)} ({counts.sum():,} in all)"


def _with_tail(arm: PlannedArm, counts: np.ndarray) -> str:
    """Return class counts with the profile and the imbalance ratio that they have."""
    profile, ratio, lowered = arm.config.profile, arm.config.imbalance_ratio, ""
    if profile in AS_GIVEN:
        ratio = counts.max() / counts.min()
    elif arm.asked_ratio and arm.asked_ratio > ratio:
        lowered = f" (lowered from {arm.asked_ratio:g}, for so few images)"
    kind = "as they are" if profile == "none" else f"{profile} profile"
    return f"{_counts(counts)}, {kind}, imbalance ratio {round(ratio, 2):,g}{lowered}"


def _knobs(config: TrainConfig) -> str:
    return ", ".join(f"{knob}={getattr(config, knob)}" for knob in SHOWN)


def _own_knobs(plan: Plan, arm: PlannedArm) -> list[str]:
    """Return a line of the main knobs that are not as the first arm's, if there are any."""
    first = plan.arms[0].config
    own = [k for k in (*SHOWN, *OWN) if k not in arm.search and getattr(arm.config, k) != getattr(first, k)]
    values = ", ".join(f"{knob}={getattr(arm.config, knob)}" for knob in own)
    return [f"  {'':28}   {values}"] if own else []


def _arm(plan: Plan, arm: PlannedArm) -> list[str]:
    runs = ", ".join(f"{runs.n} {runs.phase}" for runs in plan.runs() if runs.arm is arm)
    spaces = [f"  {'':28}   {knob}: {space}" for knob, space in arm.search.items()]
    runs += f", {count(arm.config.epochs, 'epoch')}"
    return [f"  {arm.arm.label:28} {runs}", *_own_knobs(plan, arm), *spaces]


def _search(plan: Plan) -> list[str]:
    if not plan.searched:
        return []
    at = ", ".join(map(str, rungs(plan.searched[0].config.epochs)))
    stopping = f"ASHA stops trials after epoch {at}, by {RUNG_METRIC}"
    return [f"  search:  Optuna (TPE) on {SELECTION_METRIC}; {stopping}"]
