"""LCBench's surrogate: what any configuration of a task scores after each epoch, without training it.

LCBench (Zimmer et al. 2021) as YAHPO Gym predicts it (Pfisterer et al. 2022): 34 tasks, networks of seven
knobs that train for 52 epochs, judged by validation balanced accuracy.
"""

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from optuna.distributions import FloatDistribution, IntDistribution

EPOCHS = 52
KNOBS = ("batch_size", "learning_rate", "momentum", "weight_decay", "num_layers", "max_units", "max_dropout")
SCORE = 3  # the output that is the validation balanced accuracy
RANDOM = 20_000  # configurations that a task's regret is scaled by


class Task:
    """One task: the knobs' space, and what any configuration scores."""

    def __init__(self, folder: Path, name: str) -> None:
        self.code = json.loads((folder / "encoding.json").read_text())["OpenML_task_id"][name]
        entries = json.loads((folder / "config_space.json").read_text())["hyperparameters"]
        named = {entry["name"]: entry for entry in entries}
        self.space = {knob: distribution(named[knob]) for knob in KNOBS}
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(folder / "model.onnx", options)

    def scores(self, config: Mapping[str, Any], epochs: Any) -> np.ndarray:
        """Return what is predicted for a configuration after each epoch, or for each one after an epoch."""
        columns = np.broadcast_arrays(epochs, *(config[knob] for knob in KNOBS))
        rows = np.column_stack(columns).astype(np.float32)
        codes = np.full((len(rows), 1), self.code, np.int32)
        return self._session.run(None, {"x_cat": codes, "x_cont": rows})[0][:, SCORE].astype(float)

    def curve(self, config: Mapping[str, Any]) -> np.ndarray:
        """Return a configuration's score after each epoch."""
        return self.scores(config, np.arange(1, EPOCHS + 1))

    def draw(self, rng: np.random.Generator, number: int) -> dict[str, np.ndarray]:
        """Return random configurations, by knob."""
        return {knob: uniform(space, rng, number) for knob, space in self.space.items()}

    @cached_property
    def scale(self) -> tuple[float, float]:
        """The best final score of many random configurations, and their median."""
        finals = self.scores(self.draw(np.random.default_rng(0), RANDOM), EPOCHS)
        return float(finals.max()), float(np.median(finals))

    def regret(self, score: float) -> float:
        """Return how far a final score is from the best: 1 is the median configuration's."""
        best, median = self.scale
        return (best - score) / (best - median)


def distribution(entry: dict[str, Any]) -> FloatDistribution | IntDistribution:
    """Return a knob's space from its entry in config_space.json."""
    kind = IntDistribution if entry["type"] == "uniform_int" else FloatDistribution
    return kind(entry["lower"], entry["upper"], log=entry["log"])


def uniform(space: FloatDistribution | IntDistribution, rng: np.random.Generator, number: int) -> np.ndarray:
    """Draw values of a knob, whole numbers all as likely."""
    whole = isinstance(space, IntDistribution)
    low, high = (space.low - 0.5, space.high + 0.5) if whole else (space.low, space.high)
    drawn = (
        np.exp(rng.uniform(np.log(low), np.log(high), number))
        if space.log
        else rng.uniform(low, high, number)
    )
    return np.clip(np.rint(drawn), space.low, space.high) if whole else drawn


def task_names(folder: Path) -> list[str]:
    """Return the names of all tasks."""
    entries = json.loads((folder / "config_space.json").read_text())["hyperparameters"]
    (names,) = (entry["choices"] for entry in entries if entry["name"] == "OpenML_task_id")
    return names
