"""Ctrl-C, SIGTERM and SIGHUP end a sweep calmly."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP


SHOW_CURSOR = "\x1b[?25h"


class Interrupted(BaseException):
    """A signal came before the sweep began, or after it ended."""

    def __init__(self, number: int):
        super().__init__(number)
        self.number = number


class Signals:
    """Handles the three signals as long as it is entered.

    Attributes:
        received: the first that came, or None.
    """

    HANDLED = tuple(signal.Signals[name] for name in NAMES if name in signal.Signals.__members__)

    def __init__(self) -> None:
        self.received: int | None = None
        self._end_early: Callable[[str], None] | None = None
        self._at_once = False

    def __enter__(self) -> Self:
        self.install()
        return self

    def __exit__(self, *error: object) -> None:
        for number in self.HANDLED:
            if signal.getsignal(number) == self._handle:
                signal.signal(number, signal.SIG_DFL)

    def install(self) -> None:
        """Take the signals over, again after a library has taken them; what nohup ignores stays ignored."""
        for number in self.HANDLED:
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._handle)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Let a signal end the process on the spot: libraries that are half imported bear no exception."""
        self._at_once = True
        try:
            yield
        finally:
            self._at_once = False

    @contextmanager
    def handled_by(self, end_early: Callable[[str], None]) -> Iterator[None]:
        """Call ``end_early`` with the signal's name instead of raising Interrupted."""
        self.install()
        self._end_early = end_early
        try:
            yield
        finally:
            self._end_early = None

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.received = self.received or number
        if (
            signal.Signals(number).name == "SIGHUP" and sys.stdout and sys.stdout.isatty()
        ):  # the terminal is gone: nothing to write to
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
        if self._at_once:
            if sys.stdout and sys.stdout.isatty():
                print(SHOW_CURSOR, end="", flush=True)  # a bar hides it
            os._exit(128 + number)
        if self._end_early is None:
            raise Interrupted(number)
        self._end_early(signal.Signals(number).name)
