"""Each arm against the head-tail frontier of one of them: does it beat it?

The frontier is what post-hoc logit adjustment makes of the reference's final runs, from tau = 0 up. An arm is
set against the tail recall that the reference has at the arm's own head recall, on the same seed. One that
cannot be told apart from it slides along it as far as this budget can tell.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.groups import head_and_tail
from analysis.load import Sweep
from analysis.statistics import differences
from analysis.tables.questions import trained_too_little
from analysis.words import interval, percent

TITLE = "The head-tail frontier, percent: tail recall beside the frontier's at the same head recall"
VERDICTS = {
    "better": "beats the frontier",
    "worse": "below the frontier",
    "cannot be told apart": "cannot be told apart from it",
}
BEYOND = "beyond the frontier's ends"
OTHER_IMAGES = "trained on other images"


@dataclass(frozen=True)
class Curve:
    """One final run: head, tail and macro recall, each [T] by tau; ``point``: head and tail as it is."""

    head: np.ndarray
    tail: np.ndarray
    macro: np.ndarray
    point: tuple[float, float]

    def tail_at(self, head: float) -> float:
        """Return the tail recall at a head recall; beyond the curve's ends, that of the end: too much where
        the head is better than any of the curve's, too little where it is worse."""
        order = np.lexsort((self.tail, -self.head))  # where tau moves the tail alone, the best of them counts
        worse, tail = -self.head[order], self.tail[order]
        first = tail[np.searchsorted(worse, worse[0], side="right") - 1]
        return float(np.interp(-head, worse, tail, left=first))


def curves(sweep: Sweep) -> dict[str, dict[int, Curve]]:
    """Return the curve of every final run, by arm and seed."""
    head, tail = head_and_tail(sweep)
    found: dict[str, dict[int, Curve]] = {}
    for _, rows in sweep.final_classes().groupby("trial"):
        arm, seed = str(rows.arm.iloc[0]), int(rows.seed.iloc[0])
        rows = rows.sort_values("class")
        by_tau = np.stack(rows.recall_by_tau.to_list())
        recall = rows.recall.to_numpy()
        found.setdefault(arm, {})[seed] = Curve(
            head=np.nanmean(by_tau[head], axis=0),
            tail=np.nanmean(by_tau[tail], axis=0),
            macro=np.nanmean(by_tau, axis=0),
            point=(float(np.nanmean(recall[head])), float(np.nanmean(recall[tail]))),
        )
    return found


def frame(sweep: Sweep) -> pd.DataFrame | None:
    """Return a row an arm, the reference first, as it is and adjusted with tau = 1; None: no reference."""
    reference = sweep.about.frontier_of
    found = curves(sweep) if reference else {}
    if reference not in found:
        return None
    base = found[reference]
    one = sweep.about.taus.index(1.0)
    adjusted = [(c.head[one], c.tail[one]) for c in base.values()]
    rows = [
        _row(sweep, reference, [c.point for c in base.values()], list(base)),
        _row(sweep, reference, adjusted, list(base))
        | {
            "arm": f"{sweep.labels[reference]}, post-hoc τ=1",
            "macro_recall": float(np.mean([c.macro[one] for c in base.values()])),
        },
    ]
    counts = {arm.name: arm.train_counts for arm in sweep.about.arms}
    planned = [arm for arm in sweep.labels if arm != reference and counts[arm] == counts[reference]]
    others = [arm for arm in sweep.labels if arm != reference and found.get(arm, {}).keys() & base.keys()]
    gains, beyond = [], []
    for arm in others:
        shared = [seed for seed in found[arm] if seed in base]
        points = [found[arm][seed].point for seed in shared]
        frontier = np.array(
            [base[seed].tail_at(point[0]) for seed, point in zip(shared, points, strict=True)]
        )
        gain = np.array([tail for _, tail in points]) - frontier
        gains.append(gain[~np.isnan(gain)])  # NaN: no test image of the head, or of the tail
        rows.append(_row(sweep, arm, points, shared) | {"frontier": frontier.mean()})
        beyond.append(_cannot_be(points, [base[seed] for seed in shared]))
    too_little = trained_too_little(sweep, reference)
    alike = [gain for arm, gain in zip(others, gains, strict=True) if arm in planned]
    judged = iter(differences(alike, len(planned)))
    for arm, row, unknown in zip(others, rows[2:], beyond, strict=True):
        if arm not in planned:
            row["verdict"] = OTHER_IMAGES
            continue
        d = next(judged)
        row |= {"difference": d.mean, "low": d.low, "high": d.high, "n": d.n}
        verdict = sweep.verdict(d, arm, reference)
        row["verdict"] = sweep.marked(BEYOND if verdict in unknown else VERDICTS.get(verdict, verdict), d)
        if too_little:
            row["verdict"] = "too little training"
    return pd.DataFrame(rows)


def _cannot_be(points: list[tuple[float, float]], base: list[Curve]) -> set[str]:
    """Return the verdicts that the frontier's ends do not bear out."""
    unknown = set()
    if any(head > curve.head.max() for (head, _), curve in zip(points, base, strict=True)):
        unknown |= {"worse", "cannot be told apart"}
    if any(head < curve.head.min() for (head, _), curve in zip(points, base, strict=True)):
        unknown |= {"better", "cannot be told apart"}
    return unknown


def _row(sweep: Sweep, arm: str, points: list[tuple[float, float]], seeds: list[int]) -> dict:
    head, tail = np.array(points).mean(axis=0)
    runs = sweep.finals[(sweep.finals.arm == arm) & sweep.finals.seed.isin(seeds)]
    macro = runs.test_macro_recall.mean()
    row = {"arm": sweep.labels[arm], "head": head, "tail": tail, "macro_recall": macro}
    absent = dict.fromkeys(("frontier", "difference", "low", "high"), np.nan)
    return row | absent | {"n": len(points), "verdict": ""}


def display(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table as text."""
    bounds = frame[["difference", "low", "high"]].itertuples(index=False)
    return pd.DataFrame(
        {
            "arm": frame.arm,
            "head": frame["head"].map(percent),
            "tail": frame["tail"].map(percent),
            "macro recall": frame.macro_recall.map(percent),
            "frontier's tail": frame.frontier.map(percent),
            "difference [95 %]": [interval(*row) for row in bounds],
            "n": frame.n,
            "verdict": frame.verdict,
        }
    )
