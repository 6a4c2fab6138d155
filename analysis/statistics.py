"""Means, standard errors, simultaneous intervals and verdicts over seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

LEVEL = 0.95
FEWEST = 3  # pairs; two can agree by chance, and their interval then says nothing
ROUNDING = 1e-9  # shares that differ by less are the same number


@dataclass(frozen=True)
class Difference:
    """A mean paired difference over n seeds.

    Attributes:
        low, high: bounds that hold together with those of the whole family; NaN: there is no telling.
        rejected: Holm's procedure over the family rejects that the mean is 0.
    """

    mean: float
    low: float
    high: float
    n: int
    rejected: bool = False

    @property
    def verdict(self) -> str:
        """Say "better" or "worse" only where Holm rejects."""
        if self.n == 0:
            return "nothing to compare"
        if self.n < FEWEST:
            return "too few seeds"
        if np.isnan(self.low):  # seeds that agree to the last digit do not say how far others may lie
            return "the same in every seed" if abs(self.mean) < ROUNDING else "no spread over seeds"
        if not self.rejected:
            return "cannot be told apart"
        return "better" if self.mean > 0 else "worse"


def standard_error(values: pd.Series) -> float:
    """Return the standard error of the mean, ddof = 1; NaN for a single value."""
    return float(values.std(ddof=1) / np.sqrt(len(values)))


def differences(samples: Sequence[np.ndarray], family: int | None = None) -> list[Difference]:
    """Judge samples of paired differences, each [n], together.

    Intervals are paired t at Bonferroni's level, 1 - 0.05 / m: all of them hold at once in 95 % of cases,
    whatever the effects and however they depend on each other. Verdicts are Holm's (1979) at 5 %, which
    rejects more than these intervals exclude 0.

    ``family``: m, the comparisons that are planned, at least as many as there are samples (None: these). One
    that cannot be judged yet counts in it as one that Holm does not reject.
    """
    m = max(family or 0, len(samples))
    judged = [len(sample) >= FEWEST and np.ptp(sample) > ROUNDING for sample in samples]
    n = np.array([len(sample) for sample in samples])
    mean = np.array([np.mean(sample) if len(sample) else np.nan for sample in samples])
    deviation = [np.std(s, ddof=1) if good else np.nan for s, good in zip(samples, judged, strict=True)]
    error = np.array(deviation) / np.sqrt(np.maximum(n, 1))
    freedom = np.maximum(n - 1, 1)
    half = stats.t.ppf(1 - (1 - LEVEL) / m / 2, freedom) * error if m else error
    p = 2 * stats.t.sf(np.abs(mean) / error, freedom)
    rejected = _holm(np.where(judged, p, 1.0), m)
    return [
        Difference(float(mean[i]), float(mean[i] - half[i]), float(mean[i] + half[i]), int(n[i]), rejected[i])
        for i in range(len(samples))
    ]


def _holm(p: np.ndarray, m: int) -> list[bool]:
    """Say of each p whether Holm rejects it among m: the i-th smallest (from 0) is held against
    0.05 / (m - i), and after the first that is larger nothing is rejected."""
    order = np.argsort(p, kind="stable")
    below = p[order] <= (1 - LEVEL) / (m - np.arange(len(p)))
    rejected = np.zeros(len(p), dtype=bool)
    rejected[order] = np.logical_and.accumulate(below)
    return rejected.tolist()


def paired(finals: pd.DataFrame, arm: str, other: str, metric: str) -> np.ndarray:
    """Return arm - other on the seeds that both have, [n]."""
    by_seed = [finals[finals.arm == name].set_index("seed")[metric] for name in (arm, other)]
    return (by_seed[0] - by_seed[1]).dropna().to_numpy()
