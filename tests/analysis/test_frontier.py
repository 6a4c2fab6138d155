"""The head-tail frontier on curves that are known in closed form."""

import numpy as np
import pytest

from analysis.load import load
from analysis.tables import frontier
from analysis.tables.frontier import Curve
from tests.analysis.builder import TAUS, write

# At tau, the reference of seed s has head recall 0.9 - 0.2 tau and tail recall 0.1 + 0.3 tau + s / 100:
# its frontier is tail = 0.1 + s / 100 + 1.5 (0.9 - head), for heads from 0.5 to 0.9.
SEEDS = (0, 1, 2, 3)
NAMES, COUNTS = ("head", "middle", "tail"), (100, 30, 10)
MIDDLE = 0.5


def on_the_frontier(head, seed):
    return 0.1 + seed / 100 + 1.5 * (0.9 - min(max(head, 0.5), 0.9))


def reference(seed):
    return [[0.9 - 0.2 * tau, MIDDLE, 0.1 + 0.3 * tau + seed / 100] for tau in TAUS]


def runs(head, above, seeds=SEEDS):
    """Final runs at a head recall, so far above the frontier of their own seed, with a little spread."""
    spread = dict(zip(SEEDS, (-0.01, 0.01, -0.01, 0.01), strict=True))
    return {s: [head, MIDDLE, on_the_frontier(head, s) + above + spread[s]] for s in seeds}


def through(head, tail):
    return Curve(
        head=np.array(head), tail=np.array(tail), macro=np.zeros(len(head)), point=(head[0], tail[0])
    )


def frame(folder, recalls, reference_of="ce", lost=(), arms=None):
    recalls = {"ce": {s: reference(s)[0] for s in SEEDS}, **recalls}
    by_tau = {arm: {s: [run] * len(TAUS) for s, run in found.items()} for arm, found in recalls.items()}
    by_tau["ce"] = {s: reference(s) for s in SEEDS}
    about = {"names": NAMES, "counts": COUNTS, "by_tau": by_tau, "frontier_of": reference_of, "lost": lost}
    return frontier.frame(load(write(folder, recalls=recalls, arms=arms, **about)))


def test_above_the_frontier_on_it_and_below(tmp_path):
    arms = {"above": runs(0.7, 0.1), "on": runs(0.64, 0.0), "below": runs(0.8, -0.1)}
    rows = frame(tmp_path, arms).set_index("arm")
    assert rows.verdict[["above", "on", "below"]].tolist() == [
        "beats the frontier",
        "cannot be told apart from it",
        "below the frontier",
    ]
    for arm, head in (("above", 0.7), ("on", 0.64), ("below", 0.8)):
        assert rows["head"][arm] == pytest.approx(head)
        assert rows.frontier[arm] == pytest.approx(np.mean([on_the_frontier(head, s) for s in SEEDS]))
    assert rows.difference[["above", "on", "below"]].tolist() == pytest.approx([0.1, 0.0, -0.1])
    assert rows.n.tolist() == [4] * 5


@pytest.mark.parametrize("arm", ["ce", "above"])
def test_what_is_left_of_runs_that_diverged_gets_no_verdict(tmp_path, arm):
    rows = frame(tmp_path, {"above": runs(0.7, 0.1), "on": runs(0.64, 0.0)}, lost=[(arm, 3)]).set_index("arm")
    assert (rows.verdict["above"], rows.n["above"]) == ("final runs lost", 3)
    assert (rows.verdict["on"] == "final runs lost") == (arm == "ce")


def test_the_reference_stands_first_as_it_is_and_adjusted_with_tau_1(tmp_path):
    rows = frame(tmp_path, {"above": runs(0.7, 0.1)})
    assert rows.arm.tolist() == ["CE", "CE, post-hoc τ=1", "above"]
    tails = (0.115, 0.415)
    for row, head, tail in zip(rows.itertuples(), (0.9, 0.7), tails, strict=False):
        assert (row.head, row.tail) == pytest.approx((head, tail))
        assert row.macro_recall == pytest.approx((head + MIDDLE + tail) / 3)
        assert np.isnan(row.difference)


def test_where_tau_moves_the_tail_alone_its_best_is_the_frontier():
    curve = through([0.9, 0.9, 0.9, 0.8], [0.1, 0.5, 0.3, 0.6])
    assert [curve.tail_at(head) for head in (0.95, 0.9, 0.8)] == [0.5, 0.5, 0.6]


def test_beyond_the_ends_of_the_curve_its_end_counts(tmp_path):
    rows = frame(tmp_path, {"left": runs(0.3, 0.1), "right": runs(0.95, 0.1)}).set_index("arm")
    assert rows.frontier["left"] == pytest.approx(0.715)  # tau = 2
    assert rows.frontier["right"] == pytest.approx(0.115)  # tau = 0
    assert rows.difference[["left", "right"]].tolist() == pytest.approx([0.1, 0.1])


def test_a_verdict_is_withheld_where_the_curve_does_not_bear_it_out(tmp_path):
    """Beyond the end at tau = 0 the frontier is lower than that end, beyond the other it is higher."""
    arms = {
        "good left": runs(0.3, 0.1),
        "bad left": runs(0.3, -0.1),
        "good right": runs(0.95, 0.1),
        "bad right": runs(0.95, -0.1),
    }
    verdicts = frame(tmp_path, arms).set_index("arm").verdict
    assert verdicts["good left"] == verdicts["bad right"] == frontier.BEYOND
    assert verdicts["bad left"] == "below the frontier"
    assert verdicts["good right"] == "beats the frontier"


def test_between_two_taus_the_curve_is_straight_and_may_have_steps():
    curve = through([0.9, 0.8, 0.8, 0.4], [0.1, 0.2, 0.3, 0.7])
    assert curve.tail_at(0.85) == pytest.approx(0.15)
    assert curve.tail_at(0.8) == pytest.approx(0.3)  # where the head stays, the best tail
    assert curve.tail_at(0.7) == pytest.approx(0.4)
    assert (curve.tail_at(0.0), curve.tail_at(1.0)) == pytest.approx((0.7, 0.1))


def test_a_run_is_set_against_the_reference_of_its_own_seed(tmp_path):
    arms = {"late": runs(0.7, 0.1, seeds=(1, 2, 3))}
    row = frame(tmp_path, arms).set_index("arm").loc["late"]
    assert row.n == 3
    assert row.difference == pytest.approx(0.1 + 0.01 / 3)
    assert row.frontier == pytest.approx(np.mean([on_the_frontier(0.7, s) for s in (1, 2, 3)]))


def test_an_arm_that_shares_no_seed_with_the_reference_is_left_out(tmp_path):
    recalls = {"ce": {0: reference(0)[0]}, "other": {1: [0.7, MIDDLE, 0.5]}}
    folder = write(tmp_path, recalls=recalls, names=NAMES, counts=COUNTS, frontier_of="ce")
    assert frontier.frame(load(folder)).arm.tolist() == ["CE", "CE, post-hoc τ=1"]


def test_without_a_reference_or_its_final_runs_there_is_no_table(tmp_path):
    assert frame(tmp_path / "a", {}, reference_of=None) is None
    assert frame(tmp_path / "b", {}, lost=[("ce", seed) for seed in SEEDS]) is None


def test_head_and_tail_are_the_classes_with_most_and_fewest_images(tmp_path):
    """Wherever they stand: three of ten each, by training images."""
    counts = (5, 80, 20, 90, 30, 10, 100, 40, 15, 50)
    recall = np.array(counts) / 100
    folder = write(
        tmp_path,
        recalls={"ce": [recall, recall]},
        names=[f"class {k}" for k in range(10)],
        counts=counts,
        frontier_of="ce",
    )
    row = frontier.frame(load(folder)).iloc[0]
    assert (row["head"], row["tail"]) == pytest.approx((0.9, 0.1))
    assert row.macro_recall == pytest.approx(np.mean(recall))


def test_an_arm_that_trained_on_other_images_gets_no_verdict(tmp_path):
    arms = {"above": runs(0.7, 0.1), "other": runs(0.7, 0.1)}
    rows = frame(tmp_path, arms, arms={"other": {"counts": (100, 30, 11)}}).set_index("arm")
    assert rows.verdict[["above", "other"]].tolist() == ["beats the frontier", "trained on other images"]
    assert rows.difference.isna()[["above", "other"]].tolist() == [False, True]
