"""From an experiment and what the command line asks to a plan: arms, configurations, seeds, budget."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from typing import Any, Literal, NamedTuple

import numpy as np

from lt_core import seeds
from lt_core.config import TrainConfig
from lt_core.contradictions import balances_twice, check_classes
from lt_core.data import Dataset
from lt_core.data.split import split_indices
from lt_core.errors import InputError
from lt_core.losses.class_weights import class_weights
from lt_core.registry import nearest
from sweeps.planning.experiment import Arm, Experiment
from sweeps.planning.notes import few_images, long_tail, single_images
from sweeps.planning.presets import Preset, by_nature
from sweeps.planning.settings import check_settings
from sweeps.planning.spaces import Space, size
from sweeps.record.states import Phase

SHORTLIST, CONFIRM_SEEDS = 3, 2
CURVE = (0.2, 0.4, 0.6, 0.8)  # and the end: where final runs are evaluated unless somebody asks for more
OF_THE_COUNTS = ("profile", "imbalance_ratio", "n_max", "counts")  # the knobs that decide class counts


@dataclass(frozen=True, kw_only=True)
class PlannedArm:
    """An arm with its configuration complete but for what is searched and for the seed.

    Attributes:
        asked_ratio: the experiment's imbalance ratio before it was fitted to the data; None: it was not.
    """

    arm: Arm
    config: TrainConfig
    search: dict[str, Space]
    asked_ratio: float | None = None

    @property
    def name(self) -> str:
        return self.arm.name


class Runs(NamedTuple):
    """Runs of one kind; ``trained``: the epochs that they have behind them, all together."""

    arm: PlannedArm
    phase: Phase
    n: int
    trained: int = 0

    @property
    def epochs(self) -> int:
        """What they have before them, if none is stopped."""
        return self.n * self.arm.config.epochs - self.trained


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that a sweep will do, before it does any of it."""

    name: str
    experiment: Experiment
    arms: list[PlannedArm]
    trials: int
    seeds: int
    seed: int
    preset: str | None
    notes: list[str]

    @property
    def searched(self) -> list[PlannedArm]:
        return [arm for arm in self.arms if arm.search]

    def confirm_seeds(self) -> list[int]:
        return [seeds.derive(self.seed, "confirm", i) for i in range(CONFIRM_SEEDS)]

    def final_seeds(self) -> list[int]:
        return [seeds.derive(self.seed, "final", i) for i in range(self.seeds)]

    def search_trials(self, arm: PlannedArm) -> int:
        """Return the search trials of an arm: as many as were asked for, if its space has as many."""
        return int(min(self.trials, size(arm.search)))

    def runs(self) -> list[Runs]:
        """Return everything that is planned."""
        rows = []
        for arm in self.arms:
            if arm.search:
                trials = self.search_trials(arm)
                rows += [Runs(arm, Phase.SEARCH, trials), Runs(arm, Phase.CONFIRM, confirmations(trials))]
            rows.append(Runs(arm, Phase.FINAL, self.seeds))
        return rows


def confirmations(trials: int) -> int:
    """Return the most runs that confirm a search of so many trials."""
    return min(SHORTLIST, trials) * CONFIRM_SEEDS


def make_plan(
    name: str,
    experiment: Experiment,
    data: Dataset,
    *,
    settings: dict[str, Any],
    trials: int | None,
    epochs: int | None,
    seeds: int | None,
    seed: int,
    machine: dict[str, Any],
    preset: str | None = None,
) -> Plan:
    """Validate every arm's configuration against the data and return the plan.

    ``machine``: the knobs that a trial's share of the machine decides, threads and device. ``preset``: the
    name of one of the experiment's; None: digits, cpu or gpu, where it has them.

    Raises:
        InputError: an unknown knob, a value that is not allowed, a --set of an arm's defining knob,
            class counts that the data cannot give.
    """
    check_settings(settings, experiment)
    preset = _preset_name(preset, experiment, data, machine)
    without = Preset(knobs={}, trials=experiment.trials, seeds=experiment.seeds)
    budget = experiment.presets[preset] if preset else without
    overrides = dict(settings)
    if epochs is not None:
        overrides["epochs"] = epochs
    arms, notes = [], few_images(data)
    for arm in experiment.arms:
        usual = {"evaluate_at": CURVE, **by_nature(data), **experiment.base, **budget.knobs, **arm.start}
        knobs = {**usual, **overrides, **arm.recipe, **arm.knobs, **machine, "seed": seed}
        config = _parse(knobs, data, arm.label)
        if twice := balances_twice(config):
            notes.append(f"warning: {arm.label}: {twice}")
        search = {knob: space for knob, space in arm.search.items() if knob not in settings}
        for knob in arm.search.keys() & settings.keys():
            notes.append(f"{arm.label}: {knob} is fixed at {settings[knob]}, no longer searched")
        if search and config.pretrained not in (None, "imagenet"):
            seen = f"{config.pretrained} may have seen images that its search validates on"
            notes.append(f"warning: {arm.label}: {seen}: what it is selected by may be too high")
        for knob in settings if arm.recipe else ():
            kept = f"keeps its recipe's {knob}={arm.recipe.get(knob)}"
            beside = f"{knob}={settings[knob]} comes on top of its recipe"
            notes.append(f"{arm.label}: {kept if knob in arm.recipe else beside}")
        for knob in overrides.keys() & {"imbalance_ratio", "n_max"}:
            if config.profile in ("none", "counts"):
                raise InputError(f"--set {knob}: profile={config.profile} has none; add --set profile=...")
        _check_space(config, search, data, arm.label)
        asked_ratio = getattr(knobs.get("imbalance_ratio"), "asked", None)
        arms.append(PlannedArm(arm=arm, config=config, search=search, asked_ratio=asked_ratio))
    trials = trials if trials is not None else budget.trials
    for planned in arms:
        if planned.search and size(planned.search) < trials:
            few = f"its space has {size(planned.search)} configurations"
            notes.append(
                f"{planned.arm.label}: {few}: the search ends when all are known, not after {trials}"
            )
    # Both raise what the data cannot give; the search first: its images are fewer, its remedy serves both.
    searching = train_counts([arm for arm in arms if arm.search], data, "val").values()
    final = train_counts(arms, data, "test").values()
    notes += single_images(data, [*searching, *final])
    notes += long_tail(data, [arm.config for arm in arms], final, "profile" in settings)
    return Plan(
        name=name,
        experiment=experiment,
        arms=arms,
        trials=trials,
        seeds=seeds if seeds is not None else budget.seeds,
        seed=seed,
        preset=preset,
        notes=sorted(notes),
    )


def _preset_name(
    asked: str | None, experiment: Experiment, data: Dataset, machine: dict[str, Any]
) -> str | None:
    if not experiment.presets:
        if asked:
            raise InputError(f"--preset {asked}: this experiment has none")
        return None
    if asked is None:
        asked = data.preset or ("gpu" if machine.get("device") == "cuda" else "cpu")
    if asked not in experiment.presets:
        raise InputError(f"unknown preset {nearest(asked, experiment.presets)}")
    return asked


def _parse(knobs: dict[str, Any], data: Dataset, where: str) -> TrainConfig:
    try:
        config = TrainConfig.parse(knobs)
        check_classes(config, data.num_classes)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    return config


def _check_space(config: TrainConfig, search: dict[str, Space], data: Dataset, label: str) -> None:
    """Refuse a space that could propose what the config does not allow, alone or with another."""
    fixed = config.model_dump()
    ends = [[{knob: value} for value in space.extremes()] for knob, space in search.items()]
    pairs = [one | other for some, more in combinations(ends, 2) for one in some for other in more]
    for proposed in [*chain(*ends), *pairs]:
        shown = ", ".join(f"{knob}={value}" for knob, value in proposed.items())
        _parse(fixed | proposed, data, f"{label}, whose search may propose {shown}")


def train_counts(
    arms: Sequence[PlannedArm], data: Dataset, evaluate_on: Literal["val", "test"]
) -> dict[str, np.ndarray]:
    """Return the training images of each class, int64 [C], by arm.

    Raises:
        InputError: an arm asks for more images of a class than there are, or leaves a class none.
    """
    drawn: dict[tuple, np.ndarray] = {}  # a draw takes time, and most arms have the same
    by_arm = {}
    for arm in arms:
        kind = tuple(getattr(arm.config, knob) for knob in OF_THE_COUNTS)
        if kind not in drawn:
            drawn[kind] = split_indices(arm.config.model_copy(update={"evaluate_on": evaluate_on}), data)[2]
        by_arm[arm.name] = drawn[kind]
    return by_arm


def final_counts(plan: Plan, data: Dataset) -> dict[str, np.ndarray]:
    """Return the training images of each class in the final runs, int64 [C], by arm."""
    return train_counts(plan.arms, data, "test")


def weight_note(plan: Plan, data: Dataset) -> str | None:
    """Say how far each hand-picked weighting really weighs the tail above the head; None: no such arm.

    A small beta weighs all classes alike, so such an arm is its plain loss and a table must say so.
    """
    counts = final_counts(plan, data)
    ratios = []
    for arm in plan.arms:
        if arm.config.weighting != "none" and "beta" not in arm.search:
            weights = class_weights(arm.config.weighting, counts[arm.name], arm.config.beta)
            ratios.append(f"{arm.arm.label} {weights.max() / weights.min():.3f}")
    if not ratios:
        return None
    return f"Tail/head weight ratio (at 1 the arm is its unweighted loss): {'; '.join(ratios)}."


def start_note(plan: Plan) -> str | None:
    """Say which arms start from weights, and from which; None: all are drawn."""
    starts = [f"{arm.arm.label} {arm.config.pretrained}" for arm in plan.arms if arm.config.pretrained]
    return f"Not from scratch, but from weights: {'; '.join(starts)}." if starts else None
