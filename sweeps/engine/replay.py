"""Epochs that are measured again must come out as they did."""

from typing import Any

from lt_core.errors import InputError

TIMES = ("train_seconds", "eval_seconds")


def check_replayed(old: dict[str, Any], new: dict[str, Any], device: str, moved: bool) -> None:
    """Refuse a row of an epoch that differs from the one on record; GPUs do not promise that it does not, nor
    does another model of processor (``moved``). What one of them was not evaluated for is not compared."""
    differing = [name for name in new if name not in TIMES and not _same(old.get(name), new[name])]
    if differing and device == "cpu" and not moved:
        name = differing[0]
        raise InputError(
            f"{new['trial']}, epoch {new['epoch']}: {name} was {old.get(name)} and is now {new[name]}: "
            "the code, a library or the machine has changed; go on where the sweep began"
        )


def _same(old: Any, new: Any) -> bool:
    return old is None or new is None or old == new or (old != old and new != new)
