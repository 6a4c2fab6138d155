"""One arm's search: an Optuna study that is asked and told."""

import itertools
import json
import math
import warnings
from dataclasses import dataclass, field
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.trial import TrialState

from lt_core import seeds
from lt_core.config import TrainConfig
from lt_core.errors import InputError
from sweeps.planning.plan import PlannedArm
from sweeps.planning.spaces import size
from sweeps.record.states import Phase, Status
from sweeps.search.asha import rungs
from sweeps.search.history import History

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.filterwarnings("ignore", ".*group.*", ExperimentalWarning)

REPEATS = 20  # of a proposal that is known; in the second half, what is left of a finite space is proposed


@dataclass(frozen=True, kw_only=True)
class TrialSpec:
    """One run to be placed."""

    trial: str
    arm: str
    phase: Phase
    config: TrainConfig
    config_of: str | None = None  # the search trial whose configuration is run again
    proposal: str | None = None  # what Optuna proposed, as JSON and in its own terms
    until_epoch: int | None = None  # measure again what was lost, up to this epoch; its row stays as it is


def parameters(trial: str, proposal: str) -> dict[str, Any]:
    """Return what Optuna proposed from a row's ``proposal``; raise InputError where it is none."""
    try:
        found = json.loads(proposal)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise InputError(f"the proposal of {trial} is {proposal!r}, no parameters")
    return found


def sampler(seed: int, trials: int) -> optuna.samplers.TPESampler:
    """Return the sampler of a search of so many trials: TPE (Bergstra et al. 2011) over the joint space."""
    return optuna.samplers.TPESampler(
        seed=seed,
        n_startup_trials=max(5, trials // 4),
        multivariate=True,
        group=True,
        constant_liar=True,
    )


@dataclass
class ArmSearch:
    """One arm's Optuna study. A proposal depends on the seed, its number and what has ended before it."""

    planned: PlannedArm
    trials: int
    seed: int
    study: optuna.Study = field(init=False)
    live: dict[str, optuna.Trial] = field(default_factory=dict)
    configs: dict[str, TrainConfig] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)  # what was proposed
    begun: bool = False  # whether the hand-picked values were proposed: here or in a sweep before
    confirming: int = -1  # confirmation runs still out; -1: not begun

    def __post_init__(self) -> None:
        self.study = optuna.create_study(direction="maximize", storage=History())

    @property
    def asked(self) -> int:
        return len(self.configs)

    @property
    def next_key(self) -> str:
        """The key of the trial that is proposed next."""
        return f"{self.planned.name}-search-{self.asked:04d}"

    @property
    def open(self) -> bool:
        """Whether there is more to propose."""
        return self.left > 0

    @property
    def left(self) -> int:
        """Trials that are left; none where every configuration is known."""
        return int(min(self.trials - self.asked, size(self.planned.search) - len(self.known)))

    @property
    def over(self) -> bool:
        return not (self.open or self.live)

    def propose(self, proposal: str | None = None) -> TrialSpec:
        """Ask Optuna for the next configuration; ``proposal``: what it proposed in an earlier session."""
        arm, key = self.planned, self.next_key
        if proposal is not None:
            self.study.enqueue_trial(parameters(key, proposal))
        elif not self.begun:
            self.study.enqueue_trial(self._hand_picked())
        asked, config = self._ask(0)
        for again in range(1, REPEATS if proposal is None else 1):
            if self._point(config) not in self.known:
                break
            self.study.tell(asked, state=TrialState.FAIL)  # the sampler takes no notice of it
            if again > REPEATS // 2:
                self._enqueue_what_is_left()
            asked, config = self._ask(again)
        self.begun = self.begun or self._hand_picked().items() <= asked.params.items()
        self.live[key], self.configs[key] = asked, config
        self.known.add(self._point(config))
        return TrialSpec(
            trial=key, arm=arm.name, phase=Phase.SEARCH, config=config, proposal=json.dumps(asked.params)
        )

    def _ask(self, again: int) -> tuple[optuna.Trial, TrainConfig]:
        """Ask Optuna; ``again``: how often what it proposed was known already."""
        arm, number = self.planned, (self.asked, again) if again else (self.asked,)
        self.study.sampler = sampler(seeds.derive(self.seed, "optuna", arm.name, *number), self.trials)
        asked = self.study.ask()
        knobs = {knob: space.suggest(asked, knob) for knob, space in arm.search.items()}
        return asked, TrainConfig.parse(self.fixed_knobs() | knobs)

    def _point(self, config: TrainConfig) -> str:
        """Return what tells configurations of this search apart; a run of the same one comes out the same."""
        return repr([getattr(config, knob) for knob in self.planned.search])

    def _enqueue_what_is_left(self) -> None:
        """Let Optuna propose one of the configurations that are not known, where their number is finite."""
        search = self.planned.search
        if math.isinf(size(search)):
            return
        for values in itertools.product(*(space.points() or () for space in search.values())):
            knobs = dict(zip(search, values, strict=True))
            if self._point(self.planned.config.model_copy(update=knobs)) not in self.known:
                params = [space.as_params(knob, knobs[knob]) for knob, space in search.items()]
                self.study.enqueue_trial(dict(itertools.chain.from_iterable(map(dict.items, params))))
                return

    def fixed_knobs(self) -> dict[str, Any]:
        """Return every knob of the search's runs; those that are searched have their hand-picked values.

        They are evaluated where they are compared, unless every run is after each epoch.
        """
        config, seed = self.planned.config, seeds.derive(self.seed, "search")
        compared = tuple(epoch / config.epochs for epoch in rungs(config.epochs))
        at = None if config.evaluate_at is None else compared
        return config.model_dump() | {"seed": seed, "evaluate_on": "val", "evaluate_at": at}

    def _hand_picked(self) -> dict[str, Any]:
        start: dict[str, Any] = {}
        for knob, space in self.planned.search.items():
            start |= space.as_params(knob, getattr(self.planned.config, knob))
        return start

    def end(self, key: str, status: Status, scores: list[float], rung_scores: dict[int, float]) -> None:
        """Tell Optuna: complete, pruned (stopped, diverged) or failed.

        ``scores`` from epoch 1 on; ``rung_scores`` by epoch, what a stopped trial was judged by. A diverged
        trial is pruned without values: FAIL would hide the cliff from the sampler.
        """
        asked = self.live.pop(key)
        if status == Status.FINISHED:
            self.study.tell(asked, scores[-1])
        elif status in (Status.STOPPED, Status.DIVERGED):
            for epoch, score in sorted(rung_scores.items()) if status == Status.STOPPED else ():
                asked.report(score, epoch)
            self.study.tell(asked, state=TrialState.PRUNED)
        else:
            self.study.tell(asked, state=TrialState.FAIL)
