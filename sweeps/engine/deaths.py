"""Workers that die, and trials that do not begin: how often is too often."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection

from lt_core.errors import InputError
from lt_core.words import count

RETRIES = 2  # of a trial whose worker died
STILLBORN = 10  # trials in a row that do not begin end the sweep: what fails is not theirs


class Deaths:
    """Counts them, by trial and by the machine that they happened on."""

    def __init__(self, alive: Callable[[], Collection[str]]):
        """``alive``: returns the addresses of the machines that there are."""
        self.alive = alive
        self.machines: dict[str, Counter[str]] = defaultdict(Counter)
        self.stillborn = 0  # trials that did not begin, since one did

    def too_many(self, trial: str, machine: str | None) -> bool:
        """Count a trial's worker that died on a machine (None: not known); say whether the trial is given up.

        A machine that is lost takes its workers along, often before it is missed: what died there was no
        fault of the trial's.
        """
        died, alive = self.machines[trial], self.alive()
        died[machine or ""] += 1
        return sum(n for address, n in died.items() if address in alive or not address) > RETRIES

    def begun(self) -> None:
        """Take note that a trial has begun."""
        self.stillborn = 0

    def not_begun(self, why: str) -> None:
        """Take note of a trial that did not; raise InputError where none does any more."""
        self.stillborn += 1
        if self.stillborn > STILLBORN:
            raise InputError(f"{count(self.stillborn, 'trial')} in a row did not begin: {why}")
