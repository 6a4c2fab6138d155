"""A results folder as data frames, and the one cut that every table is made from: the final runs."""

import json
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.statistics import Difference


class ReportError(ValueError):
    """A results folder cannot be reported; one line says why."""


@dataclass(frozen=True)
class Sweep:
    """One sweep: sweep.json as ``about``, and its tables (columns: see the README)."""

    folder: Path
    about: dict[str, Any]
    trials: pd.DataFrame
    epochs: pd.DataFrame
    classes: pd.DataFrame
    damaged: list[str] = field(default_factory=list)

    @cached_property
    def labels(self) -> dict[str, str]:
        """Arm names to what tables call them, in the experiment's order."""
        return {arm["name"]: arm["label"] for arm in self.about["arms"]}

    @cached_property
    def finals(self) -> pd.DataFrame:
        """The last epoch of every final run that finished: what the arms are judged by."""
        return self._last_epochs("final")

    @cached_property
    def lost(self) -> dict[str, int]:
        """Final runs that diverged or failed, by arm; arms without such a run are not in it."""
        lost = self.trials[(self.trials.phase == "final") & self.trials.status.isin(("diverged", "failed"))]
        return dict(Counter(lost.arm))

    def verdict(self, difference: Difference, *arms: str) -> str:
        """Return what a difference between arms comes to: nothing where one lost final runs, since those that
        are left are a selection."""
        return "final runs lost" if self.lost.keys() & set(arms) else difference.verdict

    @cached_property
    def confirmations(self) -> pd.DataFrame:
        """The last epoch of every run that confirmed a shortlisted configuration."""
        return self._last_epochs("confirm")

    def _last_epochs(self, phase: str) -> pd.DataFrame:
        done = self.trials[(self.trials.phase == phase) & (self.trials.status == "finished")]
        last = done[["trial", "config_of", "epochs_done"]].rename(columns={"epochs_done": "epoch"})
        return self.epochs.merge(last, on=["trial", "epoch"])

    def final_curves(self) -> pd.DataFrame:
        """Every epoch of the final runs that finished."""
        return self.epochs[self.epochs.trial.isin(self.finals.trial)]

    def final_classes(self) -> pd.DataFrame:
        """The class rows of the final runs that finished."""
        return self.classes[self.classes.trial.isin(self.finals.trial)]


def load(folder: str | Path, skip_damaged: bool = False) -> Sweep:
    """Read a results folder; ``skip_damaged``: without the files that are damaged, which ``damaged`` names.

    Raises:
        ReportError: it is not one, or a file in it is damaged; the file is named.
    """
    folder = Path(folder)
    try:
        about = json.loads((folder / "sweep.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ReportError(f"{folder} holds no sweep.json: give a folder that sweeps.run wrote") from None
    except ValueError as error:
        raise ReportError(f"{folder / 'sweep.json'} is damaged: {error}") from None
    damaged: list[str] = []
    trials, epochs, classes = (_read(folder / table, damaged) for table in ("trials", "epochs", "classes"))
    if damaged and not skip_damaged:
        raise ReportError(f"{damaged[0]}; --skip-damaged goes on without it, sweeps.run --resume mends it")
    return Sweep(folder, about, trials, epochs, classes, damaged)


def _read(table: Path, damaged: list[str]) -> pd.DataFrame:
    """Read the parts of a table that are whole, and name the others."""
    parts = sorted(table.glob("part-*.parquet"))
    frames = []
    for part in parts:
        try:
            frames.append(pq.read_table(part, page_checksum_verification=True))
        except (OSError, pa.ArrowException) as error:
            damaged.append(f"{part} is damaged ({str(error).partition(chr(10))[0]})")
    if not frames and not parts:
        raise ReportError(f"{table} holds no Parquet file")
    if not frames:
        raise ReportError(f"{damaged[-1]}, and {table} has no other part: sweeps.run --resume mends it")
    return pa.concat_tables(frames).to_pandas()
