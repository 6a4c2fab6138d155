"""Search spaces: how a knob is proposed. A knob's usual range stands here, its default in TrainConfig."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import optuna


@runtime_checkable
class Space(Protocol):
    """One knob's range. Optuna sees ``parameter(knob)``; the config gets the knob's own value."""

    def suggest(self, trial: optuna.Trial, knob: str) -> Any:
        """Propose a value of the knob."""
        ...

    def extremes(self) -> tuple[Any, ...]:
        """Return the values that must be allowed for all to be."""
        ...

    def contains(self, value: Any) -> bool:
        """Say whether the value could be proposed."""
        ...

    def as_params(self, knob: str, value: Any) -> dict[str, Any]:
        """Return Optuna's parameters for a value of the knob, clipped into the range; none for no value."""
        ...

    def points(self) -> tuple[Any, ...] | None:
        """Return every value that can be proposed; None: there is no end of them."""
        ...


@dataclass(frozen=True)
class Uniform:
    """Between low and high, evenly."""

    low: float
    high: float

    def suggest(self, trial: optuna.Trial, knob: str) -> float:
        return trial.suggest_float(knob, self.low, self.high)

    def extremes(self) -> tuple[float, ...]:
        return self.low, self.high

    def contains(self, value: float | None) -> bool:
        return value is not None and self.low <= value <= self.high

    def as_params(self, knob: str, value: float | None) -> dict[str, Any]:
        return {} if value is None else {knob: min(max(value, self.low), self.high)}

    def points(self) -> tuple[float, ...] | None:
        return (self.low,) if self.low == self.high else None

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class LogUniform(Uniform):
    """Between low and high, evenly on the log scale."""

    def suggest(self, trial: optuna.Trial, knob: str) -> float:
        return trial.suggest_float(knob, self.low, self.high, log=True)

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}, log scale"


@dataclass(frozen=True)
class LogOneMinus:
    """Between low and high, both below 1, evenly on the log scale of 1 - value (for beta)."""

    low: float
    high: float

    def suggest(self, trial: optuna.Trial, knob: str) -> float:
        return 1 - trial.suggest_float(f"1-{knob}", 1 - self.high, 1 - self.low, log=True)

    def extremes(self) -> tuple[float, ...]:
        return self.low, self.high

    def contains(self, value: float | None) -> bool:
        return value is not None and self.low <= value <= self.high

    def as_params(self, knob: str, value: float | None) -> dict[str, Any]:
        return {} if value is None else {f"1-{knob}": min(max(1 - value, 1 - self.high), 1 - self.low)}

    def points(self) -> tuple[float, ...] | None:
        return (self.low,) if self.low == self.high else None

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}, log scale of 1 - value"


@dataclass(frozen=True)
class Choice:
    """One of the options, without order."""

    options: tuple[Any, ...]

    def suggest(self, trial: optuna.Trial, knob: str) -> Any:
        return trial.suggest_categorical(knob, self.options)

    def extremes(self) -> tuple[Any, ...]:
        return self.options

    def contains(self, value: Any) -> bool:
        return value in self.options

    def as_params(self, knob: str, value: Any) -> dict[str, Any]:
        return {knob: value} if value in self.options else {}

    def points(self) -> tuple[Any, ...]:
        return tuple(dict.fromkeys(self.options))

    def __str__(self) -> str:
        return "one of " + ", ".join(str(option) for option in self.options)


@dataclass(frozen=True)
class Maybe:
    """Off, or a value of ``space``; Optuna's ``knob?`` says which, ``knob`` is asked only where it is on."""

    space: Space
    off: Any = None

    def suggest(self, trial: optuna.Trial, knob: str) -> Any:
        on = trial.suggest_categorical(f"{knob}?", (True, False))
        return self.space.suggest(trial, knob) if on else self.off

    def extremes(self) -> tuple[Any, ...]:
        return (*self.space.extremes(), self.off)

    def contains(self, value: Any) -> bool:
        return value == self.off or self.space.contains(value)

    def as_params(self, knob: str, value: Any) -> dict[str, Any]:
        if value == self.off:
            return {f"{knob}?": False}
        return {f"{knob}?": True, **self.space.as_params(knob, value)}

    def points(self) -> tuple[Any, ...] | None:
        on = self.space.points()
        return None if on is None else tuple(dict.fromkeys((self.off, *on)))

    def __str__(self) -> str:
        return f"off, or {self.space}"


def size(search: Mapping[str, Space]) -> float:
    """Return how many configurations there are to be proposed."""
    return math.prod(math.inf if (found := s.points()) is None else len(found) for s in search.values())


SPACES: dict[str, Space] = {
    "beta": LogOneMinus(0.9, 0.99999),
    "gamma": Uniform(0.0, 3.0),
    "lr": LogUniform(1e-4, 1e-2),
    "batch_size": Choice((32, 64, 128, 256)),
    "mixup_alpha": LogUniform(0.05, 2.0),
    "label_smoothing": Uniform(0.0, 0.4),
    "stage1_share": Uniform(0.4, 0.9),
    "stage2_lr_factor": LogUniform(0.01, 10.0),
    "posthoc_tau": Uniform(0.0, 2.0),
}
