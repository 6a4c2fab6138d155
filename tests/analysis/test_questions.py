"""The answers to an experiment's questions, by value."""

import json

import pytest

from analysis.load import load
from analysis.summary import troubles
from analysis.tables import questions
from tests.analysis.builder import CIFAR10, write

HIGH = [[0.9, 0.7], [0.8, 0.7], [0.85, 0.72]]
LOW = [[0.6, 0.4], [0.5, 0.38], [0.55, 0.42]]
NOISY = [[0.9, 0.3], [0.2, 0.4], [0.7, 0.7]]
ASKED = [
    {"ask": "Does high beat low?", "arm": "high", "against": "low"},
    {"ask": "Does low beat high?", "arm": "low", "against": "high"},
    {"ask": "Does noisy beat low?", "arm": "noisy", "against": "low"},
]


def answers(folder, **about):
    sweep = load(write(folder, recalls={"high": HIGH, "low": LOW, "noisy": NOISY}, questions=ASKED, **about))
    return questions.frame(sweep).set_index("question")


def test_yes_no_and_not_answered(tmp_path):
    rows = answers(tmp_path)
    assert rows.answer.to_dict() == {
        "Does high beat low?": "yes",
        "Does low beat high?": "no, the opposite",
        "Does noisy beat low?": "not answered at this budget",
    }
    assert rows.n.tolist() == [3, 3, 3]
    pairs = [(0.8 - 0.5), (0.75 - 0.44), (0.785 - 0.485)]
    assert rows.difference.iloc[0] == pytest.approx(sum(pairs) / 3)
    assert rows.difference.iloc[1] == pytest.approx(-sum(pairs) / 3)
    assert rows.low.iloc[0] > 0 > rows.high.iloc[1]
    assert rows.low.iloc[2] < 0 < rows.high.iloc[2]


def test_a_question_alone_is_not_adjusted_by_others(tmp_path):
    together = answers(tmp_path / "a")
    folder = write(tmp_path / "b", recalls={"high": HIGH, "low": LOW}, questions=ASKED[:1])
    alone = questions.frame(load(folder)).iloc[0]
    assert (alone.arm, alone.against) == ("high", "low")
    assert alone.low > together.low.iloc[0]
    assert alone.high < together.high.iloc[0]


@pytest.mark.parametrize(("data", "answered"), [(CIFAR10, False), ("digits", True), ("CIFAR-100", True)])
def test_nothing_is_answered_against_an_arm_that_trained_too_little(tmp_path, data, answered):
    rows = answers(tmp_path, data=data, published_baseline=1.0)  # low reaches 0.475, high 0.778
    little = "not answered at this budget (too little training)"
    expected = ["yes", "no, the opposite", "not answered at this budget"]
    assert rows.answer.tolist() == (expected if answered else [little, "no, the opposite", little])
    assert rows.difference.notna().all()


def test_half_of_the_published_baseline_is_enough(tmp_path):
    assert answers(tmp_path, data=CIFAR10, published_baseline=0.9).answer.iloc[0] == "yes"


@pytest.mark.parametrize("arm", ["high", "low"])
def test_what_is_left_of_an_arm_whose_final_runs_diverged_answers_nothing(tmp_path, arm):
    rows = answers(tmp_path, lost=[(arm, 1)])
    assert rows.answer["Does high beat low?"] == "not answered at this budget (final runs lost)"
    assert rows.n["Does high beat low?"] == 2
    others = rows.answer["Does noisy beat low?"]
    assert ("lost" in others) == (arm == "low")


def test_an_arm_without_a_final_run_answers_nothing(tmp_path):
    write(tmp_path, recalls={"low": LOW}, questions=[{"ask": "And high?", "arm": "low", "against": "low"}])
    about = json.loads((tmp_path / "sweep.json").read_text())
    about["arms"].append(about["arms"][0] | {"name": "high", "label": "high"})
    about["questions"] = [ASKED[0]]
    (tmp_path / "sweep.json").write_text(json.dumps(about))
    row = questions.frame(load(tmp_path)).iloc[0]
    assert (row.answer, row.n) == ("not answered at this budget (nothing to compare)", 0)


def test_no_questions_make_no_table(tmp_path):
    assert questions.frame(load(write(tmp_path))) is None


def test_an_answer_of_an_unfinished_sweep_is_provisional(tmp_path):
    whole = answers(tmp_path / "whole")
    half = answers(tmp_path / "half", seeds=4)  # four are planned, three have run
    assert whole.answer.iloc[0] == "yes"
    assert half.answer.iloc[0] == "yes, provisional"
    assert (half.low == whole.low).all()
    (line,) = [line for line in troubles(load(tmp_path / "half")) if "provisional" in line]
    assert line == "verdicts are provisional: final runs are to come of high; low; noisy"


def test_an_answer_does_not_change_as_other_arms_come_in(tmp_path):
    """With fewer of the planned comparisons done, the others count as not rejected."""
    some = write(tmp_path, recalls={"high": HIGH, "low": LOW}, questions=ASKED[:2])
    about = json.loads((some / "sweep.json").read_text())
    about["arms"].append(about["arms"][0] | {"name": "noisy", "label": "noisy"})
    about["questions"] = ASKED
    (some / "sweep.json").write_text(json.dumps(about))
    partly = questions.frame(load(some)).set_index("question")
    whole = answers(tmp_path / "whole")
    assert partly.answer.tolist()[:2] == ["yes, provisional", "no, the opposite, provisional"]
    assert (partly.low[:2] == whole.low[:2]).all()
