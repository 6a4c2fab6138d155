"""The selection rule. It reads validation columns only: no other metric is ever loaded here."""

from pathlib import Path

import pyarrow.parquet as pq

from sweeps.record.columns import KNOBS

TRIAL_COLUMNS = ["trial", "arm", "phase", "config_of", "status", *KNOBS]
EPOCH_COLUMNS = ["trial", "epoch", "val_macro_recall"]


def shortlist(folder: Path, arm: str, size: int) -> list[str]:
    """Return the keys of the arm's best search trials: longest run first, then by validation macro
    recall at the last epoch, the earlier trial on a tie. Diverged and failed trials cannot enter, nor
    can a configuration twice."""
    last = _last_scores(folder)
    candidates: dict[str, str] = {}  # by configuration
    for row in _trials(folder, arm, "search"):
        if row["status"] in ("finished", "stopped") and row["trial"] in last:
            candidates.setdefault(str([row[knob] for knob in KNOBS]), row["trial"])
    return sorted(candidates.values(), key=lambda trial: last[trial], reverse=True)[:size]


def choose(folder: Path, arm: str, among: list[str]) -> str | None:
    """Return the search trial ``among`` the shortlisted whose configuration did best when it was run
    again on fresh seeds: the highest mean validation macro recall at the last epoch, where a run that
    did not end counts as 0. None: no run ended."""
    last = _last_scores(folder)
    scores: dict[str, list[float]] = {}
    for row in _trials(folder, arm, "confirm"):
        if row["config_of"] not in among:
            continue
        score = last[row["trial"]][1] if row["status"] == "finished" else 0.0
        scores.setdefault(row["config_of"], []).append(score)
    if not any(map(any, scores.values())):
        return None
    return max(scores, key=lambda origin: sum(scores[origin]) / len(scores[origin]))


def _trials(folder: Path, arm: str, phase: str) -> list[dict]:
    rows = pq.read_table(folder / "trials", columns=TRIAL_COLUMNS).to_pylist()
    return sorted(
        (row for row in rows if (row["arm"], row["phase"]) == (arm, phase)), key=lambda row: row["trial"]
    )


def _last_scores(folder: Path) -> dict[str, tuple[int, float]]:
    """Return (epoch, validation macro recall) of each trial's last epoch."""
    last: dict[str, tuple[int, float]] = {}
    for row in pq.read_table(folder / "epochs", columns=EPOCH_COLUMNS).to_pylist():
        if row["val_macro_recall"] is not None and row["epoch"] > last.get(row["trial"], (0, 0))[0]:
            last[row["trial"]] = (row["epoch"], row["val_macro_recall"])
    return last
