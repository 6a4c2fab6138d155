"""One calm display: a bar in a terminal, a plain line now and then when piped."""

import sys
import time
from collections import Counter
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn
from rich.progress import Progress as Bar
from rich.table import Column

from sweeps.record.metrics import SELECTION_METRIC
from sweeps.record.states import Status
from sweeps.search.sequence import Sequence

PLAIN_LINE_SECONDS, BAR_SECONDS = 15.0, 0.1
BAR, BESIDE = 24, 7  # columns of the bar; of the percentage and of what is between
NAMED = (Status.STOPPED, Status.DIVERGED, Status.FAILED)  # where there are any
ENDED = (Status.FINISHED, *NAMED)
TELLING_SHARE = 0.03  # of the work, before the time left is judged


class Progress:
    """What has ended of what there will be. The time left is judged from the work, which is epochs times
    seconds an epoch; at first it is what was expected."""

    def __init__(self, sequence: Sequence, seconds_per_epoch: dict[str, float], expected: float):
        """``seconds_per_epoch`` by arm; ``expected``: seconds from now to the end."""
        self.sequence, self.past = sequence, sequence.results.past
        self.cost, self.expected = seconds_per_epoch, expected
        self.arms = {arm.name: arm for arm in sequence.plan.arms}
        self.worked = 0.0  # since the start; what early stopping spared is work that is done
        self.notes: set[str] = set()
        self.best: tuple[float, str] | None = None
        self.started_at = self.shown_at = time.monotonic()
        self.working_since: float | None = None
        # Labels and messages come from outside: nothing in them is markup.
        self.console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
        words = TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True))
        columns = BarColumn(bar_width=BAR), TaskProgressColumn(), words
        self.bar = Bar(*columns, console=self.console)
        self.task = self.bar.add_task("starting Ray workers", total=None)

    def __enter__(self) -> Self:
        self.started_at = self.shown_at = time.monotonic()
        if self.console.is_terminal:
            self.bar.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._show(last=True)
        self.bar.stop()

    def go_on(self, notes: list[str]) -> None:
        """Say ``notes``, and what is on record already."""
        for trial, row in self.past.trials.items():
            for score in self.past.scores[trial].values():
                self._judge(score, row["arm"])
        for note in [*self.past.notes, *notes]:
            self.note(note)
        if self.past.trials:
            self.note(f"goes on: {self.done_so_far()}")

    def note(self, text: str) -> None:
        """Say something once, above the display."""
        if text not in self.notes:
            self.notes.add(text)
            self.console.print(noted(text), soft_wrap=True)

    def started(self) -> None:
        if self.working_since is None:  # workers take seconds to start
            self.working_since = time.monotonic()
        self._show()

    def epoch(self, arm: str, result: dict[str, Any]) -> None:
        """Count a report; epoch 0 is the untrained network, and costs nothing."""
        if result["epoch"] >= 1:
            self.worked += self.cost[arm]
        self._judge(result.get(SELECTION_METRIC), arm)
        self._show()

    def _judge(self, score: float | None, arm: str) -> None:
        if score is not None and (self.best is None or score > self.best[0]):
            self.best = (score, self.arms[arm].arm.label)

    def ended(self, arm: str, spared: int) -> None:
        """Count the epochs that a trial which has ended did not need."""
        self.worked += self.cost[arm] * spared
        self._show()

    def counts(self) -> Counter[str]:
        """Return the number of trials by status."""
        counts = Counter[str]()
        for (_, status), n in self.past.statuses.items():
            counts[status] += n
        return counts

    def done_so_far(self) -> str:
        done = sum(self.counts()[status] for status in ENDED)
        return f"{done} of {done + sum(runs.n for runs in self.sequence.ahead())} done"

    def work(self) -> tuple[float, float]:
        """Return the seconds of work that are done, earlier sessions too, and those that are left."""
        ahead = self.sequence.ahead()
        done = sum(runs.trained * self.cost[runs.arm.name] for runs in ahead)
        for (arm, status), n in self.past.statuses.items():
            done += n * self.cost[arm] * self.arms[arm].config.epochs if status in ENDED else 0
        return done, sum(runs.epochs * self.cost[runs.arm.name] for runs in ahead)

    def line(self, room: int | None = None) -> str:
        """Return the state in one line of at most ``room`` characters: what matters most stays."""
        counts = self.counts()
        parts = [f"{counts[Status.RUNNING]} running, {self.done_so_far()}", *self._left()]
        counted = [f"{counts[s]} {s}" for s in NAMED if counts[s]]
        best = f"best val macro recall {100 * self.best[0]:.1f}" if self.best else ""
        whose = [f"{best} ({self.best[1]})"] if self.best else []
        for ending in ([*counted, *whose], [*counted, best], counted, []):
            line = ", ".join(filter(None, [*parts, *ending]))
            if room is None or len(line) <= room:
                break
        return line

    def _left(self) -> list[str]:
        """Say how much time is left: by what was expected until enough of the work is done."""
        now, (_, left) = time.monotonic(), self.work()
        if not left:
            return []
        seconds = self.expected - (now - self.started_at)
        if self.working_since and self.worked > TELLING_SHARE * (self.worked + left):
            seconds = (now - self.working_since) * left / self.worked
        return [f"about {duration(seconds)} left"] if seconds > 0 else []

    def _show(self, last: bool = False) -> None:
        now = time.monotonic()
        if self.console.is_terminal and (last or now - self.shown_at > BAR_SECONDS):
            done, left = self.work()
            room = self.console.width - BAR - BESIDE
            self.bar.update(self.task, completed=done, total=done + left, description=self.line(room))
            self.shown_at = now
        elif not self.console.is_terminal and (last or now - self.shown_at > PLAIN_LINE_SECONDS):
            print(f"[{duration(now - self.started_at)}] {self.line()}", flush=True)
            self.shown_at = now


def noted(text: str) -> str:
    """Return what is said of something: a warning says so itself."""
    return text if text.startswith("warning:") else f"note: {text}"


def duration(seconds: float) -> str:
    """Write seconds as a person would: 45 s, 12 min, 3 h 05 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
