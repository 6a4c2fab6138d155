"""Means, standard errors and adjusted intervals over seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

LEVEL = 0.95
FEWEST = 3  # pairs; two can agree by chance, and their interval then says nothing


@dataclass(frozen=True)
class Difference:
    """A mean paired difference with its Holm-adjusted interval; NaN bounds: fewer than FEWEST pairs."""

    mean: float
    low: float
    high: float
    n: int

    @property
    def verdict(self) -> str:
        """Say "better" or "worse" only where the adjusted interval excludes 0."""
        if self.n == 0:
            return "nothing to compare"
        if np.isnan(self.low):
            return "too few seeds"
        if self.low > 0:
            return "better"
        return "worse" if self.high < 0 else "cannot be told apart"


def standard_error(values: pd.Series) -> float:
    """Return the standard error of the mean, ddof = 1; NaN for a single value."""
    return float(values.std(ddof=1) / np.sqrt(len(values)))


def holm_differences(samples: Sequence[np.ndarray]) -> list[Difference]:
    """Return a paired t interval for each sample of differences [n], adjusted over all of them by Holm.

    The sample with the i-th smallest p (from 0) of m is judged at level alpha / (m - i), as Holm's
    procedure does; after the first that does not reject, the level stays. So an interval excludes 0
    exactly where Holm (1979) rejects. Samples with fewer than FEWEST values are left out of the family.
    """
    p = np.array([_p_value(sample) for sample in samples])
    family = [i for i in np.argsort(p, kind="stable") if not np.isnan(p[i])]
    alphas = np.full(len(p), np.nan)
    alpha, rejecting = (1 - LEVEL) / max(len(family), 1), True
    for rank, i in enumerate(family):
        if rejecting:
            alpha = (1 - LEVEL) / (len(family) - rank)
            rejecting = bool(p[i] <= alpha)
        alphas[i] = alpha
    return [_interval(sample, a) for sample, a in zip(samples, alphas, strict=True)]


def _p_value(sample: np.ndarray) -> float:
    if len(sample) < FEWEST:
        return np.nan
    if np.ptp(sample) == 0:  # no spread, as between two arms that are one
        return float(sample[0] == 0)
    return float(stats.ttest_1samp(sample, 0).pvalue)


def _interval(sample: np.ndarray, alpha: float) -> Difference:
    n = len(sample)
    mean = float(np.mean(sample)) if n else np.nan
    if np.isnan(alpha):
        return Difference(mean, np.nan, np.nan, n)
    half = stats.t.ppf(1 - alpha / 2, n - 1) * np.std(sample, ddof=1) / np.sqrt(n)
    return Difference(mean, float(mean - half), float(mean + half), n)


def paired(finals: pd.DataFrame, arm: str, other: str, metric: str) -> np.ndarray:
    """Return arm - other on the seeds that both have, [n]."""
    by_seed = [finals[finals.arm == name].set_index("seed")[metric] for name in (arm, other)]
    return (by_seed[0] - by_seed[1]).dropna().to_numpy()
