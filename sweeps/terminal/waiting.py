"""A word on what is being waited for, at once: a bar in a terminal, plain lines when piped."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LINE_SECONDS = 15.0  # between plain lines


@contextmanager
def waiting(what: str) -> Iterator[Callable[[int, int], None]]:
    """Say ``what`` is being waited for until the end of the block; yield who is told how much is done of how
    much. In a terminal nothing of it stays."""
    if sys.stdout and sys.stdout.isatty():
        with _bar(what) as tell:
            yield tell
    else:
        print(what, flush=True)
        yield _Lines(what)


@contextmanager
def _bar(what: str) -> Iterator[Callable[[int, int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
    with Progress(TextColumn("{task.description}", markup=False), BarColumn(24), console=console) as bar:
        bar.live.transient = True
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class _Lines:
    """A line now and then."""

    def __init__(self, what: str):
        self.what, self.said = what, time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        if time.monotonic() - self.said > LINE_SECONDS:
            self.said = time.monotonic()
            print(f"{self.what}: {done:,} of {total:,}", flush=True)
