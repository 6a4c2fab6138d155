"""One calm display: a bar in a terminal, a plain line now and then when piped."""

import sys
import time
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn
from rich.progress import Progress as Bar
from rich.table import Column

from sweeps.planning.plan import Plan
from sweeps.record.metrics import SELECTION_METRIC
from sweeps.record.states import Status
from sweeps.store.recovery import Recovered

PLAIN_LINE_SECONDS = 15.0
BAR, BESIDE = 24, 7  # columns of the bar; of the percentage and of what is between
NAMED = (Status.STOPPED, Status.DIVERGED, Status.FAILED)  # where there are any
TELLING_SHARE = 0.03  # of the work, before the time left is judged


class Progress:
    """Counts trials by status. The time left is judged from the work: epochs times seconds an epoch."""

    def __init__(self, plan: Plan, seconds_per_epoch: dict[str, float]):
        """``seconds_per_epoch`` by arm; only their ratios matter once the sweep runs."""
        self.cost = seconds_per_epoch
        self.trials = sum(n for _, _, n in plan.runs())
        self.total = sum(n * arm.config.epochs * self.cost[arm.name] for arm, _, n in plan.runs())
        self.labels = {arm.name: arm.arm.label for arm in plan.arms}
        self.counts: dict[str, int] = dict.fromkeys((Status.RUNNING, Status.FINISHED, *NAMED), 0)
        self.done = self.before = 0.0  # work; before: that of earlier sessions
        self.notes: set[str] = set()
        self.best: tuple[float, str] | None = None
        self.started_at = self.printed_at = time.monotonic()
        self.working_since: float | None = None
        # Labels and messages come from outside: nothing in them is markup.
        self.console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
        words = TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True))
        columns = BarColumn(bar_width=BAR), TaskProgressColumn(), words
        self.bar = Bar(*columns, console=self.console)
        self.task = self.bar.add_task("starting Ray workers", total=self.total)

    def __enter__(self) -> Self:
        self.started_at = self.printed_at = time.monotonic()
        if self.console.is_terminal:
            self.bar.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._show(last=True)
        self.bar.stop()

    def go_on(self, past: Recovered, notes: list[str]) -> None:
        """Count on from what earlier sessions have done, and say it, after ``notes``."""
        for trial, row in past.trials.items():
            if row.get("known_from"):  # on top of what was planned
                self.trials += 1
                self.total += self.cost.get(row["arm"], 0.0) * row["epochs"]
            for score in past.scores[trial].values():
                self._judge(score, row["arm"])
            if row["status"] in self.counts and row["status"] != Status.RUNNING:
                self.counts[row["status"]] += 1
                self.done += self.cost.get(row["arm"], 0.0) * row["epochs"]
            elif past.unfinished(trial):
                self.done += self.cost.get(row["arm"], 0.0) * sum(epoch >= 1 for epoch in past.scores[trial])
        self.before = self.done
        for note in [*past.notes, *notes]:
            self.note(note)
        if past.trials:
            self.note(f"goes on: {self.done_so_far()}")

    def note(self, text: str) -> None:
        """Say something once, above the display."""
        if text not in self.notes:
            self.notes.add(text)
            self.console.print(noted(text), soft_wrap=True)

    def started(self) -> None:
        if self.working_since is None:  # workers take seconds to start
            self.working_since = time.monotonic()
        self.counts[Status.RUNNING] += 1
        self._show()

    def epoch(self, arm: str, result: dict[str, Any]) -> None:
        """Count a report; epoch 0 is the untrained network, and costs nothing."""
        if result["epoch"] >= 1:
            self.done += self.cost[arm]
        self._judge(result.get(SELECTION_METRIC), arm)
        self._show()

    def _judge(self, score: float | None, arm: str) -> None:
        if score is not None and (self.best is None or score > self.best[0]):
            self.best = (score, self.labels.get(arm, arm))

    def ended(self, arm: str, status: str, epochs_left: int) -> None:
        """A trial no longer runs; one that is only interrupted counts for nothing yet."""
        self.counts[Status.RUNNING] -= 1
        if status == Status.INTERRUPTED:
            return
        self.counts[status] += 1
        self.done += self.cost[arm] * epochs_left
        self._show()

    def done_so_far(self) -> str:
        done = sum(self.counts.values()) - self.counts[Status.RUNNING]
        return f"{done} of {max(self.trials, done + self.counts[Status.RUNNING])} done"

    def line(self, room: int | None = None) -> str:
        """Return the state in one line of at most ``room`` characters: what matters most stays."""
        counts = self.counts
        parts = [f"{counts[Status.RUNNING]} running, {self.done_so_far()}"]
        done, left = self.done - self.before, self.total - self.done
        if self.working_since and left > 0 and done > TELLING_SHARE * (done + left):
            elapsed = time.monotonic() - self.working_since
            parts.append(f"about {duration(elapsed * left / done)} left")
        counted = [f"{counts[s]} {s}" for s in NAMED if counts[s]]
        best = f"best val macro recall {self.best[0]:.3f}" if self.best else ""
        whose = [f"{best} ({self.best[1]})"] if self.best else []
        for ending in ([*counted, *whose], [*counted, best], counted, []):
            line = ", ".join(filter(None, [*parts, *ending]))
            if room is None or len(line) <= room:
                break
        return line

    def _show(self, last: bool = False) -> None:
        if self.console.is_terminal:
            self.bar.update(
                self.task, completed=self.done, description=self.line(self.console.width - BAR - BESIDE)
            )
        elif last or time.monotonic() - self.printed_at > PLAIN_LINE_SECONDS:
            self.printed_at = time.monotonic()
            print(f"[{duration(self.printed_at - self.started_at)}] {self.line()}", flush=True)


def noted(text: str) -> str:
    """Return what is said of something: a warning says so itself."""
    return text if text.startswith("warning:") else f"note: {text}"


def duration(seconds: float) -> str:
    """Write seconds as a person would: 45 s, 12 min, 3 h 05 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
