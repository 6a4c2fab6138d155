import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.statistics import differences, paired, standard_error


def shifted(*shifts, n=10):
    """Samples of one spread, mean 0 and deviation 1, moved: their p follow the shift."""
    spread = np.random.default_rng(0).normal(size=n)
    spread = (spread - spread.mean()) / spread.std(ddof=1)
    return [spread + shift for shift in shifts]


def test_standard_error_has_ddof_1():
    assert standard_error(pd.Series([1.0, 2.0, 3.0])) == pytest.approx(1 / np.sqrt(3))
    assert np.isnan(standard_error(pd.Series([1.0])))


def test_one_interval_is_the_t_interval():
    sample = np.array([0.1, 0.3, 0.2, 0.25])
    (ours,) = differences([sample])
    expected = stats.ttest_1samp(sample, 0).confidence_interval(0.95)
    assert (ours.low, ours.high) == pytest.approx((expected.low, expected.high))
    assert ours.n == 4


@pytest.mark.parametrize("family", [None, 9])
def test_intervals_are_bonferronis_over_the_planned_family(family):
    samples = shifted(2.0, 0.2, 1.0, 0.8)
    for ours, sample in zip(differences(samples, family), samples, strict=True):
        expected = stats.ttest_1samp(sample, 0).confidence_interval(1 - 0.05 / (family or 4))
        assert (ours.low, ours.high) == pytest.approx((expected.low, expected.high))


def test_verdicts_are_holms_and_stop_at_the_first_that_is_not_rejected():
    # p of the shifts: 2.0 < 0.001, 1.0 = 0.012, 0.8 = 0.033, 0.2 = 0.54; levels 0.05 / 4, / 3, / 2, / 1
    verdicts = [d.verdict for d in differences(shifted(2.0, 0.2, 1.0, 0.8))]
    assert verdicts == ["better", "cannot be told apart", "better", "cannot be told apart"]
    assert differences(shifted(0.8))[0].verdict == "better"  # alone, p = 0.033 is enough
    assert [d.verdict for d in differences(shifted(-2.0, -1.0))] == ["worse", "worse"]


def test_what_is_planned_and_has_not_run_counts():
    (alone,), (planned,) = differences(shifted(0.8)), differences(shifted(0.8), family=2)
    assert (alone.verdict, planned.verdict) == ("better", "cannot be told apart")


@pytest.mark.parametrize("seed", range(20))
def test_verdicts_are_those_of_holms_adjusted_p(seed):
    rng = np.random.default_rng(seed)
    samples = [rng.normal(loc=rng.uniform(-1, 1), size=6) for _ in range(7)]
    p = np.array([stats.ttest_1samp(sample, 0).pvalue for sample in samples])
    order = np.argsort(p)
    adjusted = np.maximum.accumulate([(7 - rank) * p[i] for rank, i in enumerate(order)])
    rejected = {int(i) for i, value in zip(order, adjusted, strict=True) if value <= 0.05}
    assert {i for i, d in enumerate(differences(samples)) if d.verdict in ("better", "worse")} == rejected


def test_too_few_pairs_are_said_and_count_in_the_family():
    few, other = differences([np.array([0.1, 0.2]), *shifted(0.8)])
    assert few.verdict == "too few seeds"
    assert np.isnan([few.low, few.high]).all()
    assert other == differences(shifted(0.8), family=2)[0]


@pytest.mark.parametrize(
    ("sample", "verdict"),
    [
        ([0.0, 0.0, 0.0], "the same in every seed"),
        ([0.02, 0.02, 0.02], "no spread over seeds"),
        ([0.1 + 0.2, 0.3, 0.3], "no spread over seeds"),  # apart by rounding alone
        ([], "nothing to compare"),
    ],
)
def test_without_spread_nothing_is_certain(sample, verdict):
    (ours,) = differences([np.array(sample)])
    assert ours.verdict == verdict
    assert np.isnan([ours.low, ours.high]).all()
    assert not ours.rejected


def test_no_samples():
    assert differences([]) == []


def test_pairs_are_matched_by_seed():
    finals = pd.DataFrame(
        {"arm": ["a", "a", "b", "b", "b"], "seed": [1, 2, 3, 2, 1], "score": [5.0, 7.0, 9.0, 4.0, 1.0]}
    )
    assert sorted(paired(finals, "a", "b", "score")) == [3.0, 4.0]


ARMS, DRAWS = 8, 2_000
EFFECTS = {"none": np.zeros(ARMS), "all": np.linspace(0.5, 4, ARMS), "half": np.repeat([0.0, 2.0], ARMS // 2)}


@pytest.mark.parametrize("finished", [ARMS, ARMS // 2], ids=["whole", "half of it run"])
@pytest.mark.parametrize("effects", EFFECTS)
@pytest.mark.parametrize("n", [3, 5, 10])
def test_all_intervals_of_a_table_hold_together_and_verdicts_err_rarely(n, effects, finished):
    """Eight arms against one baseline on shared seeds, so that their differences depend on each other."""
    rng = np.random.default_rng([n, len(effects), finished])
    truth = EFFECTS[effects]
    noise = rng.normal(size=(DRAWS, ARMS + 1, n))
    held = wrong = 0
    for draw in noise:
        samples = list((draw[1:] - draw[0] + truth[:, None])[ARMS - finished :])
        ours, true = differences(samples, ARMS), truth[ARMS - finished :]
        held += all(d.low <= t <= d.high for d, t in zip(ours, true, strict=True))
        wrong += any(d.rejected and t == 0 for d, t in zip(ours, true, strict=True))
    assert held / DRAWS >= 0.94
    assert wrong / DRAWS <= 0.06
