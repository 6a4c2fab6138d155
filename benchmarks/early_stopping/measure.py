"""Replay ASHA on recorded full curves.  python -m benchmarks.early_stopping.measure FILE.parquet ..."""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from sweeps.record.metrics import BEST_ADJUSTED_RECALL, SELECTION_METRIC
from sweeps.search.asha import ASHA, rungs

TOP, ORDERS, REDUCTION = 8, 200, 3
SCORES = {"macro recall": SELECTION_METRIC, "best adjusted recall": BEST_ADJUSTED_RECALL}
SLOW: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "all": lambda c: c.lr > 0,
    "decoupling on": lambda c: c.stage1_share.notna(),
    "stage1_share ≥ 0.65": lambda c: c.stage1_share >= 0.65,
    "DRW (weights act after 60 %)": lambda c: (
        (c.reweight_after > 0) & (c.beta > 0) & ~(c.stage1_share < 0.65)
    ),
    "class weights from the start": lambda c: (c.reweight_after == 0) & (c.beta > 0),
    "MixUp on": lambda c: c.mixup_alpha.notna(),
    "α ≥ 0.3": lambda c: c.mixup_alpha >= 0.3,
    "label smoothing on": lambda c: c.label_smoothing > 0,
    "lr < 5e-4": lambda c: c.lr < 5e-4,
    "batch size ≥ 128": lambda c: c.batch_size >= 128,
    "cosine or steps": lambda c: c.schedule != "constant",
}


def main(argv: list[str] | None = None) -> int:
    """Print the tables of every file."""
    for path in argv if argv is not None else sys.argv[1:]:
        print("\n".join(report(pd.read_parquet(Path(path)))), end="\n\n")
    return 0


def report(curves: pd.DataFrame) -> Iterator[str]:
    """Yield the lines of both tables."""
    configs = curves.drop_duplicates("config").set_index("config")
    scores = {name: curves.pivot(index="config", columns="epoch", values=c) for name, c in SCORES.items()}
    final = scores["macro recall"].iloc[:, -1]
    epochs = int(configs.epochs.iloc[0])
    at = rungs(epochs)[-1]
    of = f"{configs.data.iloc[0]}, {configs.model.iloc[0]}"
    yield f"{of}: {len(configs)} configurations, {epochs} epochs, compared at epoch {at}"
    yield ""
    yield (
        "| configurations | n | correlation, macro recall | best adjusted recall "
        "| shift, macro recall | best adjusted recall |"
    )
    yield "|:--|--:|--:|--:|--:|--:|"
    for name, chosen in SLOW.items():
        group = configs.index[chosen(configs)]
        if len(group) >= 5:
            cells = [f"{spearmanr(s.loc[group, at], final[group])[0]:.2f}" for s in scores.values()]
            cells += [f"{_shift(s[at], final, group):+.0f}" for s in scores.values()]
            yield f"| {name} | {len(group)} | {' | '.join(cells)} |"
    yield ""
    yield f"| rungs at epochs | who goes on | compared by | true top {TOP} stopped | epochs trained |"
    yield "|:--|:--|:--|--:|--:|"
    for at_epochs, who, rule in _rules(epochs):
        for name, score in scores.items():
            killed, trained = replay(score, final, rule)
            shown = ", ".join(map(str, at_epochs))
            yield f"| {shown} | {who} | {name} | {killed:.0%} | {trained:.0%} |"


def _shift(score: pd.Series, final: pd.Series, group: pd.Index) -> float:
    """Return how far the group's mean percentile at the rung is above that at the end, in points."""
    return 100 * float((score.rank(pct=True) - final.rank(pct=True))[group].mean())


class BestThird:
    """ASHA as it was published: at each rung the best 1 in REDUCTION of those before, and ties, go on."""

    def __init__(self, at: tuple[int, ...]):
        self.scores: dict[int, list[float]] = {epoch: [] for epoch in at}

    def decide(self, trial: str, arm: str, epochs: int, epoch: int, score: float | None) -> bool:
        """As ASHA's: say whether the trial is stopped."""
        if epoch not in self.scores or score is None:
            return False
        before = self.scores[epoch]
        stopped = bool(before) and bool(score < np.nanpercentile(before, 100 * (1 - 1 / REDUCTION)))
        before.append(score)
        return stopped


def _rules(epochs: int) -> Iterator[tuple[tuple[int, ...], str, Callable[[], ASHA | BestThird]]]:
    """Yield the rungs, the rule in words, and what makes one."""
    at = rungs(epochs)
    first = max(1, epochs // 5)
    for thirds in ((first, REDUCTION * first), at[-1:]):
        yield thirds, "best third", partial(BestThird, thirds)
    yield at, "ours", ASHA


def replay(
    score: pd.DataFrame, final: pd.Series, make: Callable[[], ASHA | BestThird]
) -> tuple[float, float]:
    """Return the share of the true top TOP that a rule stops and the share of epochs that it trains, each the
    mean over ORDERS orders of arrival, one trial at a time."""
    epochs = score.shape[1]
    top = set(final.nlargest(TOP).index)
    order, killed, trained = np.random.default_rng(0), 0, 0
    for _ in range(ORDERS):
        fresh = make()
        for config in order.permutation(score.index):
            stopped = _stopped_at(fresh, config, score)
            trained += stopped or epochs
            killed += stopped is not None and config in top
    return killed / (ORDERS * TOP), trained / (ORDERS * score.size)


def _stopped_at(rule: ASHA | BestThird, config: int, score: pd.DataFrame) -> int | None:
    epochs = score.shape[1]
    curve = enumerate(score.loc[[config]].to_numpy()[0].tolist(), 1)
    return next((epoch for epoch, s in curve if rule.decide(str(config), "", epochs, epoch, s)), None)


if __name__ == "__main__":
    sys.exit(main())
