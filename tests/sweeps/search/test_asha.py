"""Early stopping by value."""

import math

import pytest

from sweeps.search.asha import ASHA, rungs


def decide(asha, trial, epoch, score, arm="a", epochs=12):
    return asha.decide(trial, arm, epochs, epoch, score)


def with_ended(*curves):
    """The rule, after trials that have ended; each a curve, score by epoch."""
    asha = ASHA()
    for i, curve in enumerate(curves):
        asha.bring_back(f"ended {i}", "a", 12, curve, last=12, ended=True)
    return asha


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [
        (1, (1,)),
        (3, (1,)),
        (4, (1, 2)),
        (12, (1, 2, 4)),
        (18, (1, 3, 6)),
        (20, (2, 4, 7)),
        (52, (3, 9, 18)),
        (200, (12, 34, 67)),
    ],
)
def test_the_rungs_are_shares_of_the_epochs_rounded_up(epochs, expected):
    assert rungs(epochs) == expected


def test_at_the_first_rung_what_is_below_the_median_of_those_before_stops():
    asha, stopped = ASHA(), {}
    for i, score in enumerate([0.5, 0.4, 0.6, 0.45, 0.7, 0.55]):
        assert not decide(asha, str(i), 0, 0.0)
        stopped[score] = decide(asha, str(i), 1, score)
    assert stopped == {0.5: False, 0.4: True, 0.6: False, 0.45: True, 0.7: False, 0.55: False}


@pytest.mark.parametrize("rung", [2, 4])
def test_later_what_may_still_end_up_best_goes_on(rung):
    """The mean gain from the rung to the end is 1/4: 2.5 of it, on top of 1/8, are the best score, 3/4."""
    asha = with_ended({rung: 0.25, 12: 0.5}, {rung: 0.5, 12: 0.75})
    assert not decide(asha, "hopes", rung, 0.125)
    assert decide(asha, "does not", rung, 0.125 - 1e-9)


def test_a_gain_counts_from_the_rung_that_is_decided_at():
    asha = with_ended({2: 0.0, 4: 0.25, 12: 0.5}, {2: 0.25, 4: 0.5, 12: 0.75})  # gains: 1/2, then 1/4
    assert not decide(asha, "x", 2, 0.1)
    assert decide(asha, "x", 4, 0.1)


def test_later_the_best_quarter_goes_on_without_a_hope():
    asha = with_ended({4: 0.75, 12: 0.25}, {4: 0.5, 12: 0.25}, {4: 0.25, 12: 0.5}, {4: 0.5, 12: 0.25})
    assert not decide(asha, "among them", 4, 0.5625)  # the 75th percentile of .25, .5, .5, .75
    assert decide(asha, "below", 4, 0.56)


def test_later_nothing_stops_before_a_trial_has_ended():
    asha = ASHA()
    assert not any(decide(asha, str(score), 4, score) for score in (0.9, 0.5, 0.1))


def test_a_tie_is_never_cut():
    asha = ASHA()
    for i in range(9):
        assert not any(decide(asha, str(i), epoch, 0.5) for epoch in (1, 2, 4, 12))
    assert decide(asha, "below", 1, 0.5 - 1e-12)
    assert decide(asha, "later", 4, 0.5 - 1e-12)


def test_a_trial_that_is_late_enters_the_rung_that_it_is_past():
    asha = ASHA()
    assert not decide(asha, "0", 1, 0.9)
    assert not decide(asha, "1", 3, 0.1)
    assert not decide(asha, "1", 3, 0.1)
    assert asha.recorded() == {"a": {"0": {1: 0.9}, "1": {2: 0.1}}}


def test_nothing_is_stopped_at_its_last_epoch():
    asha = ASHA()
    for i, score in enumerate((0.9, 0.1)):
        assert not decide(asha, str(i), 1, score, epochs=1)
    assert asha.recorded() == {"a": {"0": {1: 0.9}, "1": {1: 0.1}}}


def test_arms_do_not_share_rungs():
    asha = ASHA()
    assert not decide(asha, "s", 1, 0.9, arm="strong")
    assert not decide(asha, "w", 1, 0.1, arm="weak")
    assert asha.recorded() == {"strong": {"s": {1: 0.9}}, "weak": {"w": {1: 0.1}}}


@pytest.mark.parametrize("score", [None, math.nan])
def test_reports_without_a_score_go_on_and_enter_no_rung(score):
    asha = with_ended({1: 0.9, 2: 0.9, 4: 0.9, 12: 0.9})
    before = asha.recorded()
    assert not any(decide(asha, "x", epoch, score) for epoch in range(13))
    assert asha.recorded() == before


def test_what_was_decided_on_is_brought_back_and_the_rest_is_left_open():
    asha = ASHA()
    asha.bring_back("0", "a", 12, {1: 0.1, 4: 0.5, 12: 0.6}, last=12, ended=True)
    asha.bring_back("1", "a", 12, {1: 0.7, 2: 0.8}, last=3, ended=False)
    asha.bring_back("2", "a", 12, {1: 0.2, 2: 0.9}, last=2, ended=False)  # its last epoch: not decided on
    expected = {"0": {1: 0.1, 4: 0.5, 12: 0.6}, "1": {1: 0.7, 2: 0.8}, "2": {1: 0.2}}
    assert asha.recorded() == {"a": expected}
    assert not decide(asha, "1", 1, 0.0)  # decided on before: not again
    assert not decide(asha, "2", 2, 0.9)
    assert asha.recorded() == {"a": expected | {"2": {1: 0.2, 2: 0.9}}}
