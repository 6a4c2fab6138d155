"""What an experiment is: arms, budgets and the questions that they answer."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lt_core.errors import InputError
from lt_core.registry import nearest
from sweeps.planning.presets import Preset
from sweeps.planning.spaces import Space
from sweeps.record.names import RULE, is_plain, plain_name


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One row of the comparison: a configuration, or a search for one.

    Attributes:
        name: identifier, in results and file names.
        label: what tables say.
        knobs: what defines the arm; --set may not change these.
        recipe: knobs that the arm keeps when --set changes them for the others.
        start: hand-picked values of the knobs that are searched, the first proposal; --set goes before them.
        search: spaces of the knobs that are searched; empty: a fixed arm.
        baseline: the arm that this one's difference is taken to.
        published: this arm's row in the experiment's published table.
    """

    name: str
    label: str
    knobs: dict[str, Any] = field(default_factory=dict)
    recipe: dict[str, Any] = field(default_factory=dict)
    start: dict[str, Any] = field(default_factory=dict)
    search: dict[str, Space] = field(default_factory=dict)
    baseline: str | None = None
    published: str | None = None

    def __post_init__(self) -> None:
        of = f"arm {self.name!r}"
        _check_types(of, self, str, "name", "label")
        _check_types(of, self, dict, "knobs", "recipe", "start", "search")
        for knob, space in self.search.items():
            if not isinstance(space, Space):
                wanted = f"a space is wanted, such as SPACES[{knob!r}]"
                raise InputError(f"{of}: search of {knob}: {space!r}: {wanted}")


@dataclass(frozen=True)
class Question:
    """What a pair of arms answers: yes where ``arm`` is better than ``against``, no where it is worse."""

    ask: str
    arm: str
    against: str


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """What is compared, on which budget.

    Attributes:
        base: knobs that every arm starts from, on top of TrainConfig's defaults.
        arms: rows of the comparison, in the order of the table.
        trials: search trials of each searched arm, where there are no presets.
        seeds: final runs of each arm, likewise.
        presets: budgets by name; their knobs come on top of ``base``.
        questions: what the experiment is to answer.
        frontier_of: the arm whose head-tail frontier the others are set against.
        published: name of a table in analysis/published to set beside ours.
        published_baseline: the accuracy, as a share, that the baseline reaches elsewhere on CIFAR-10; where
            an arm that others are compared to stays below half of it, questions are not answered.
        notes: sentences that the tables must carry.
    """

    base: dict[str, Any]
    arms: Sequence[Arm]
    trials: int = 12
    seeds: int = 5
    presets: Mapping[str, Preset] = field(default_factory=dict)
    questions: Sequence[Question] = ()
    frontier_of: str | None = None
    published: str | None = None
    published_baseline: float | None = None
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        _check_types("the experiment", self, dict, "base")
        _check_types("the experiment", self, int, "trials", "seeds")
        if strange := [arm for arm in self.arms if not isinstance(arm, Arm)]:
            raise InputError(f"the experiment: arms: {strange[0]!r} is no Arm")
        if not self.arms or self.trials < 1 or self.seeds < 1:
            raise InputError("an experiment needs an arm, and at least 1 trial and 1 seed")
        names = [arm.name for arm in self.arms]
        for name in names:
            if not is_plain(name):  # results and checkpoints are called after it
                raise InputError(f"arm {name!r}: {RULE}")
        for what, called in (("name", names), ("label", [arm.label for arm in self.arms])):
            if double := [name for name, n in Counter(called).items() if n > 1]:
                raise InputError(f"two arms have one {what}, {double[0]!r}: tables could not tell them apart")
        for arm in self.arms:
            if not arm.label.strip() or not arm.label.isprintable():
                raise InputError(
                    f"arm {arm.name!r}: its label {arm.label!r} is not a line that can be printed"
                )
        mentioned = [arm.baseline for arm in self.arms if arm.baseline]
        mentioned += [self.frontier_of] if self.frontier_of else []
        mentioned += [name for question in self.questions for name in (question.arm, question.against)]
        for name in mentioned:
            if name not in names:
                raise InputError(f"no arm is called {nearest(name, names)}")


def _check_types(of: str, made: Any, kind: type, *names: str) -> None:
    for name in names:
        if not isinstance(getattr(made, name), kind):
            raise InputError(f"{of}: {name}={getattr(made, name)!r}: {kind.__name__} is wanted")


def with_added(experiment: Experiment, added: Sequence[tuple[str, dict[str, Any]]]) -> Experiment:
    """Return the experiment with more arms, (label, knobs), compared with what most of its arms are compared
    with, or with the first of them."""
    baselines = Counter(arm.baseline for arm in experiment.arms if arm.baseline)
    baseline = baselines.most_common(1)[0][0] if baselines else experiment.arms[0].name
    arms = [
        Arm(name=plain_name(label), label=label, knobs=knobs, baseline=baseline) for label, knobs in added
    ]
    return replace(experiment, arms=[*experiment.arms, *arms])
