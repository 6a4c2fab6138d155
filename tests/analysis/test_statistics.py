import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.statistics import Difference, holm_differences, paired, standard_error


def test_standard_error_has_ddof_1():
    assert standard_error(pd.Series([1.0, 2.0, 3.0])) == pytest.approx(1 / np.sqrt(3))
    assert np.isnan(standard_error(pd.Series([1.0])))


def test_one_interval_is_the_t_interval():
    sample = np.array([0.1, 0.3, 0.2, 0.25])
    (ours,) = holm_differences([sample])
    expected = stats.ttest_1samp(sample, 0).confidence_interval(0.95)
    assert (ours.low, ours.high) == pytest.approx((expected.low, expected.high))
    assert ours.n == 4


def test_holm_widens_by_rank_and_stops_at_the_first_that_does_not_reject():
    rng = np.random.default_rng(0)
    spread = rng.normal(size=10)
    spread = (spread - spread.mean()) / spread.std(ddof=1)  # mean 0, deviation 1: p follows the shift
    shifts = [2.0, 0.2, 1.0, 0.8]
    ours = holm_differences([spread + shift for shift in shifts])

    def interval(shift, alpha):
        half = stats.t.ppf(1 - alpha / 2, 9) / np.sqrt(10)
        return shift - half, shift + half

    # ranks by p: 2.0, 1.0, 0.8, 0.2; p(0.8) = 0.033 > 0.05/2, so it and 0.2 stay at 0.05/2
    for got, shift, alpha in zip(ours, shifts, [0.05 / 4, 0.05 / 2, 0.05 / 3, 0.05 / 2], strict=True):
        assert (got.low, got.high) == pytest.approx(interval(shift, alpha))
    verdicts = [d.verdict for d in ours]
    assert verdicts == ["better", "cannot be told apart", "better", "cannot be told apart"]


@pytest.mark.parametrize("seed", range(20))
def test_an_interval_excludes_0_exactly_where_holm_rejects(seed):
    rng = np.random.default_rng(seed)
    samples = [rng.normal(loc=rng.uniform(-1, 1), size=6) for _ in range(7)]
    p = np.array([stats.ttest_1samp(sample, 0).pvalue for sample in samples])
    order = np.argsort(p)
    adjusted = np.maximum.accumulate([(7 - rank) * p[i] for rank, i in enumerate(order)])
    rejected = {int(i) for i, value in zip(order, adjusted, strict=True) if value <= 0.05}
    ours = holm_differences(samples)
    assert {i for i, d in enumerate(ours) if d.low > 0 or d.high < 0} == rejected


def test_too_few_pairs_are_said_and_do_not_count_in_the_family():
    sample = np.array([0.1, 0.3, 0.2])
    few, alone = holm_differences([np.array([0.1, 0.2]), sample])
    assert few.verdict == "too few seeds"
    assert alone == holm_differences([sample])[0]


def test_no_difference_at_all_cannot_be_told_apart():
    (same,) = holm_differences([np.zeros(5)])
    assert same == Difference(0.0, 0.0, 0.0, 5)
    assert same.verdict == "cannot be told apart"


def test_pairs_are_matched_by_seed():
    finals = pd.DataFrame(
        {"arm": ["a", "a", "b", "b", "b"], "seed": [1, 2, 3, 2, 1], "score": [5.0, 7.0, 9.0, 4.0, 1.0]}
    )
    assert sorted(paired(finals, "a", "b", "score")) == [3.0, 4.0]
