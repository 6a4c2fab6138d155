"""A results folder as data frames, and the one cut that every table is made from: the final runs."""

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from math import isnan
from pathlib import Path

import pandas as pd
import pyarrow as pa

from analysis.statistics import Difference
from sweeps.record.description import ArmRecord, Description, read_description
from sweeps.record.errors import RecordError
from sweeps.record.remote import reading, results_folder
from sweeps.record.states import Phase, Status
from sweeps.record.tables import joined, parts

LOST = (Status.DIVERGED, Status.FAILED)  # final runs whose absence makes those that are left a selection


class ReportError(ValueError):
    """A results folder cannot be reported; one line says why."""


@dataclass(frozen=True)
class Sweep:
    """One sweep: sweep.json as ``about``, and its tables (columns: see the README)."""

    folder: Path
    about: Description
    trials: pd.DataFrame
    epochs: pd.DataFrame
    classes: pd.DataFrame
    damaged: list[str] = field(default_factory=list)

    @cached_property
    def labels(self) -> dict[str, str]:
        """Arm names to what tables call them, in the experiment's order."""
        return {arm.name: arm.label for arm in self.about.arms}

    @cached_property
    def finals(self) -> pd.DataFrame:
        """The last epoch of every final run that finished: what the arms are judged by."""
        return self._last_epochs(Phase.FINAL)

    @cached_property
    def lost(self) -> dict[str, int]:
        """Final runs that diverged or failed, by arm; arms without such a run are not in it."""
        lost = self.trials[(self.trials.phase == Phase.FINAL) & self.trials.status.isin(LOST)]
        return dict(Counter(lost.arm))

    def verdict(self, difference: Difference, *arms: str) -> str:
        """Return what a difference between arms comes to: nothing where one lost final runs, since those that
        are left are a selection."""
        return "final runs lost" if self.lost.keys() & set(arms) else difference.verdict

    @cached_property
    def pending(self) -> list[str]:
        """The labels of arms that have not all of their planned final runs, and may still get them."""
        return [self.labels[arm.name] for arm in self.about.arms if self._is_pending(arm)]

    def _is_pending(self, arm: ArmRecord) -> bool:
        own = self.trials[self.trials.arm == arm.name]
        if ((own.phase == Phase.FINAL) & own.status.isin((Status.FINISHED, *LOST))).sum() >= self.about.seeds:
            return False
        searched = (own.phase == Phase.SEARCH).sum() >= self.about.trials > 0 and bool(arm.searched)
        confirmed = ((own.phase == Phase.CONFIRM) & (own.status == Status.FINISHED)).any()
        goes_on = own.status.isin((Status.RUNNING, Status.INTERRUPTED)).any()
        return bool(goes_on or confirmed or not searched)  # else its search has found nothing to run

    def marked(self, verdict: str, difference: Difference) -> str:
        """Return a verdict as it is to be read: provisional, as long as final runs are to come."""
        return f"{verdict}, provisional" if self.pending and not isnan(difference.low) else verdict

    @cached_property
    def confirmations(self) -> pd.DataFrame:
        """The last epoch of every run that confirmed a shortlisted configuration."""
        return self._last_epochs(Phase.CONFIRM)

    def _last_epochs(self, phase: Phase) -> pd.DataFrame:
        done = self.trials[(self.trials.phase == phase) & (self.trials.status == Status.FINISHED)]
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
        RecordError: its store does not let itself be read.
    """
    folder = results_folder(folder) if isinstance(folder, str) else folder
    try:
        about = read_description(folder)
    except RecordError as error:
        with reading(folder):
            inside = sorted(found.parent.name for found in folder.glob("*/sweep.json"))
        hint = f"; there are sweeps in {folder}: {', '.join(inside)}" if inside else ""
        raise ReportError(f"{error}{hint}") from None
    damaged: list[str] = []
    trials, epochs, classes = (_read(folder, table, damaged) for table in ("trials", "epochs", "classes"))
    if damaged and not skip_damaged:
        raise ReportError(f"{damaged[0]}; --skip-damaged goes on without it, sweeps.run --resume mends it")
    return Sweep(folder, about, trials, epochs, classes, damaged)


def _read(folder: Path, table: str, damaged: list[str]) -> pd.DataFrame:
    """Read the parts of a table that are whole, and name the others."""
    whole: list[pa.Table] = []
    found = list(parts(folder, table))
    for path, part in found:
        if isinstance(part, ValueError):
            damaged.append(f"{path} is damaged ({part})")
        else:
            whole.append(part)
    if not found:
        raise ReportError(f"{folder / table} holds no Parquet file")
    if not whole:
        raise ReportError(
            f"{damaged[-1]}, and {folder / table} has no other part: sweeps.run --resume mends it"
        )
    return joined(whole).to_pandas()
