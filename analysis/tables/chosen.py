"""What each search found: the configuration that the final runs of the arm used."""

from typing import Any

import pandas as pd

from analysis.load import Sweep
from analysis.statistics import standard_error
from analysis.words import plus_minus
from sweeps.record.states import Phase, Status

TITLE = "What the searches chose, with validation macro recall on fresh seeds, percent"


def frame(sweep: Sweep) -> pd.DataFrame | None:
    """Return a row a searched arm; None where nothing was searched."""
    rows = []
    for arm in sweep.about.arms:
        current = (sweep.trials.phase == Phase.FINAL) & (sweep.trials.status != Status.SUPERSEDED)
        finals = sweep.trials[(sweep.trials.arm == arm.name) & current]
        if not arm.searched or finals.empty:
            continue
        chosen = finals.iloc[0]
        scores = sweep.confirmations[sweep.confirmations.config_of == chosen.config_of].val_macro_recall
        rows.append(
            {
                "arm": arm.label,
                "chosen": ", ".join(
                    _choice(knob, chosen[knob], space.off) for knob, space in arm.searched.items()
                ),
                "val_macro_recall": scores.mean(),
                "se": standard_error(scores),
                "n": len(scores),
            }
        )
    return pd.DataFrame(rows) if rows else None


def _choice(knob: str, value: Any, off: Any) -> str:
    absent = value is None or value != value  # a column of numbers has NaN for None
    return f"{knob} off" if absent or value == off else f"{knob} {_value(value)}"


def _value(value: Any) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def display(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table as text."""
    scores = [plus_minus(m, s) for m, s in zip(frame.val_macro_recall, frame.se, strict=True)]
    return pd.DataFrame({"arm": frame.arm, "chosen": frame.chosen, "validation": scores, "n": frame.n})
