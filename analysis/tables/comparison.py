"""Every arm: macro recall over seeds, and the paired difference to the arm's baseline."""

from typing import Any

import numpy as np
import pandas as pd

from analysis.groups import settings
from analysis.load import Sweep
from analysis.statistics import differences, paired, standard_error
from analysis.words import interval, percent, plus_minus, ratio
from sweeps.record.metrics import TEST_METRIC

TITLE = "Test macro recall, percent"


def frame(sweep: Sweep) -> pd.DataFrame:
    """Return a row an arm: mean, standard error (ddof = 1), n, adjusted difference to the baseline over the
    seeds that both have, ``pairs`` of them, and what arms do not share of model, long tail, epochs and
    precision."""
    finals = sweep.finals
    pairs = [(arm.name, arm.baseline) for arm in sweep.about.arms if arm.baseline]
    judged = differences([paired(finals, *pair, TEST_METRIC) for pair in pairs])
    adjusted = {arm: (other, d) for (arm, other), d in zip(pairs, judged, strict=True)}
    own = settings(sweep)
    differing = own[[column for column in own if own[column].nunique() > 1]].to_dict("index")
    rows = []
    for name, label in sweep.labels.items():
        runs = finals[finals.arm == name]
        if runs.empty:  # the report's header names it
            continue
        row = {
            "arm": label,
            "macro_recall": runs.test_macro_recall.mean(),
            "se": standard_error(runs.test_macro_recall),
            "n": len(runs),
            "pairs": len(runs),
            "worst_recall": runs.test_worst_recall.mean(),
            "macro_f1": runs.test_macro_f1.mean(),
            "against": "",
            "difference": np.nan,
            "low": np.nan,
            "high": np.nan,
            "verdict": "",
            **differing[name],
        }
        if name in adjusted:
            baseline, d = adjusted[name]
            row |= {"against": sweep.labels[baseline], "difference": d.mean, "low": d.low, "high": d.high}
            row |= {"pairs": d.n, "verdict": sweep.marked(sweep.verdict(d, name, baseline), d)}
        rows.append(row)
    return pd.DataFrame(rows)


def display(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table as text."""
    own = list(frame.columns)[list(frame.columns).index("verdict") + 1 :]
    return pd.DataFrame(
        {
            "arm": frame.arm,
            **{column: frame[column].map(_value) for column in own},
            "macro recall": [plus_minus(m, s) for m, s in zip(frame.macro_recall, frame.se, strict=True)],
            "n": [
                f"{n}" if n == pairs else f"{n}, {pairs} paired"
                for n, pairs in zip(frame.n, frame.pairs, strict=True)
            ],
            "worst class": frame.worst_recall.map(percent),
            "macro F1": frame.macro_f1.map(percent),
            "difference [95 %]": [
                interval(*row) for row in frame[["difference", "low", "high"]].itertuples(index=False)
            ],
            "to": frame.against,
            "verdict": frame.verdict,
        }
    )


def _value(value: Any) -> str:
    return value if isinstance(value, str) else ratio(value) if isinstance(value, float) else f"{value:,}"
