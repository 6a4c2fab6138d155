"""The experiment's questions, each answered by a paired difference, or not."""

import numpy as np
import pandas as pd

from analysis.load import Sweep
from analysis.statistics import Difference, differences, paired
from analysis.tables.published import on_cifar10
from analysis.words import interval
from sweeps.record.description import QuestionRecord
from sweeps.record.metrics import TEST_METRIC

TITLE = "The experiment's questions, by paired differences of test macro recall, points"
NOT_ANSWERED = "not answered at this budget"
ANSWERS = {"better": "yes", "worse": "no, the opposite", "cannot be told apart": NOT_ANSWERED}


def frame(sweep: Sweep) -> pd.DataFrame | None:
    """Return a row a question, intervals adjusted over the questions."""
    questions = sweep.about.questions
    if not questions:
        return None
    judged = differences([paired(sweep.finals, q.arm, q.against, TEST_METRIC) for q in questions])
    return pd.DataFrame([_row(sweep, q, d) for q, d in zip(questions, judged, strict=True)])


def _row(sweep: Sweep, question: QuestionRecord, difference: Difference) -> dict:
    verdict = sweep.verdict(difference, question.arm, question.against)
    answer = sweep.marked(ANSWERS.get(verdict, f"{NOT_ANSWERED} ({verdict})"), difference)
    if trained_too_little(sweep, question.against):
        answer = f"{NOT_ANSWERED} (too little training)"
    return {
        "question": question.ask,
        "answer": answer,
        "arm": sweep.labels[question.arm],
        "against": sweep.labels[question.against],
        "difference": difference.mean,
        "low": difference.low,
        "high": difference.high,
        "n": difference.n,
    }


def trained_too_little(sweep: Sweep, arm: str) -> bool:
    """Whether the arm stays below half of what the baseline reaches elsewhere, on the same data."""
    published = sweep.about.published_baseline
    if published is None or not on_cifar10(sweep):
        return False
    recall = sweep.finals[sweep.finals.arm == arm].test_macro_recall.mean()
    return bool(np.isfinite(recall) and recall < published / 2)


def display(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table as text."""
    bounds = frame[["difference", "low", "high"]].itertuples(index=False)
    return pd.DataFrame(
        {
            "question": frame.question,
            "answer": frame.answer,
            "arm": frame.arm,
            "against": frame.against,
            "difference [95 %]": [interval(*row) for row in bounds],
            "n": frame.n,
        }
    )
