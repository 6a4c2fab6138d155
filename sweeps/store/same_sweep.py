"""Is it the same sweep? What --resume checks."""

from typing import Any

from lt_core.errors import InputError
from sweeps.record.description import Description
from sweeps.store.schemas import with_defaults

UNDECISIVE = {"evaluate_at"}  # knobs that move no number: what is evaluated is evaluated alike
DECISIVE = ("torch", "torchvision", "numpy", "optuna")  # packages whose version moves the numbers


def check(old: Description, new: Description) -> list[str]:
    """Refuse to go on with a sweep that is not the one that was begun; ``new``: as it is asked for now.

    Returns notes on what may matter and cannot be judged.

    Raises:
        InputError: naming the first difference.
    """
    for name in ("trials", "seeds"):
        before, now = getattr(old, name), getattr(new, name)
        if now < before:
            raise InputError(f"--resume: --{name} may only grow, from {before}, not to {now}")
    if old.file != new.file:
        changed = "the experiment file has changed since the sweep began"
        raise InputError(f"--resume: {changed}: restore it, or start anew with another --results")
    for what, before, now in _compared(old, new):
        if before != now:
            raise InputError(f"--resume: the sweep was begun with {what} {before}, it is {now} now")
    if old.git != new.git:
        return [f"the sweep was begun with the code at {old.git}, it goes on with {new.git}"]
    return []


def _compared(old: Description, new: Description) -> list[tuple[str, Any, Any]]:
    rows: list[tuple[str, Any, Any]]
    rows = [("experiment", old.experiment, new.experiment), ("--seed", old.seed, new.seed)]
    if old.data.fingerprint != new.data.fingerprint:
        began, found = (f"{about.data.name} ({about.data.fingerprint})" for about in (old, new))
        rows.append(("data", began, found))
    rows.append(("the classes", old.data.class_names, new.data.class_names))
    rows += [(name, old.versions.get(name), new.versions.get(name)) for name in DECISIVE]
    if old.stopping and any(arm.searched for arm in old.arms):
        rows.append(("early stopping by", old.stopping, new.stopping))
    rows += [("the arms", [arm.name for arm in old.arms], [arm.name for arm in new.arms])]
    for before, now in zip(old.arms, new.arms, strict=False):
        searched, searching = ({k: s.text for k, s in arm.searched.items()} for arm in (before, now))
        rows.append((f"arm {before.name!r} searching", searched, searching))
        knobs, asked = with_defaults(before.knobs), with_defaults(now.knobs)
        rows += [
            (f"arm {before.name!r} at {knob}", knobs[knob], asked[knob])
            for knob in sorted(knobs.keys() - UNDECISIVE)
        ]
    return rows
