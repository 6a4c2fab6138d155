"""Output that may fail without harm: what is printed is for people, what counts is in the results folder."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Unfailing:
    """A stream that goes quiet where it cannot be written to: a closed pipe or terminal, a full disk."""

    def __init__(self, stream: Any):
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError:
            self._give_up()
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError:
            self._give_up()

    def _give_up(self) -> None:
        """Send what comes, and what is buffered, nowhere."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)


@contextmanager
def unfailing_output() -> Iterator[None]:
    """Let nothing that is printed raise: characters that the terminal's encoding lacks become escapes."""
    for number in (0, 1, 2):
        _occupy(number)
    before = sys.stdout, sys.stderr
    for stream in before:
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    sys.stdout, sys.stderr = (stream and Unfailing(stream) for stream in before)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, Unfailing):
                stream.flush()  # while it cannot raise
        sys.stdout, sys.stderr = before


def _occupy(number: int) -> None:
    """Open a standard stream that is closed: else the next file that is opened would be taken for it."""
    try:
        os.fstat(number)
    except OSError:
        os.open(os.devnull, os.O_RDWR)
