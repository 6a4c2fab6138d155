"""The experiment's questions: pairs of arms, such as searched against hand-picked."""

import pandas as pd

from analysis.load import Sweep
from analysis.render import interval
from analysis.statistics import holm_differences, paired

TITLE = "The experiment's questions: paired differences of test macro recall, points"


def frame(sweep: Sweep) -> pd.DataFrame | None:
    """Return a row a contrast, intervals adjusted over the contrasts."""
    pairs = sweep.about["contrasts"]
    if not pairs:
        return None
    differences = holm_differences(
        [paired(sweep.finals, arm, other, "test_macro_recall") for arm, other in pairs]
    )
    return pd.DataFrame(
        [
            {
                "arm": sweep.labels[arm],
                "against": sweep.labels[other],
                "difference": d.mean,
                "low": d.low,
                "high": d.high,
                "n": d.n,
                "verdict": d.verdict,
            }
            for (arm, other), d in zip(pairs, differences, strict=True)
        ]
    )


def display(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table as text."""
    bounds = frame[["difference", "low", "high"]].itertuples(index=False)
    return pd.DataFrame(
        {
            "arm": frame.arm,
            "against": frame.against,
            "difference [95 %]": [interval(*row) for row in bounds],
            "n": frame.n,
            "verdict": frame.verdict,
        }
    )
