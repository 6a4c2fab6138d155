"""What runs next: finals of fixed arms, the searches, the shortlists again, finals of what was found."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import optuna
from optuna.trial import TrialState
from ray.tune.search import Searcher

from lt_core import seeds
from lt_core.config import TrainConfig
from sweeps import selection
from sweeps.plan import SHORTLIST, Plan, PlannedArm
from sweeps.results import Results
from sweeps.scheduler import METRIC

optuna.logging.set_verbosity(optuna.logging.ERROR)


@dataclass(frozen=True, kw_only=True)
class TrialSpec:
    """One run to be placed."""

    trial: str
    arm: str
    phase: str
    config: TrainConfig
    config_of: str | None = None  # the search trial whose configuration is run again


@dataclass
class ArmSearch:
    """One arm's Optuna study. A proposal depends on the seed, its number and what has ended before it."""

    planned: PlannedArm
    trials: int
    seed: int
    study: optuna.Study = field(init=False)
    live: dict[str, optuna.Trial] = field(default_factory=dict)
    scores: dict[str, list[float]] = field(default_factory=dict)
    configs: dict[str, TrainConfig] = field(default_factory=dict)
    confirming: int = -1  # confirmation runs still out; -1: not begun

    def __post_init__(self) -> None:
        self.study = optuna.create_study(direction="maximize")
        start: dict[str, Any] = {}
        for knob, space in self.planned.search.items():
            start |= space.as_params(knob, getattr(self.planned.config, knob))
        self.study.enqueue_trial(start)  # the hand-picked values are the first proposal

    @property
    def asked(self) -> int:
        return len(self.configs)

    @property
    def over(self) -> bool:
        return self.asked >= self.trials and not self.live

    def propose(self) -> TrialSpec:
        """Ask Optuna for the next configuration."""
        number, arm = self.asked, self.planned
        self.study.sampler = optuna.samplers.TPESampler(
            seed=seeds.derive(self.seed, "optuna", arm.name, number),
            n_startup_trials=max(5, self.trials // 4),
            multivariate=True,
            constant_liar=True,
        )
        asked = self.study.ask()
        knobs = {knob: space.suggest(asked, knob) for knob, space in arm.search.items()}
        config = TrainConfig.parse(
            {
                **arm.config.model_dump(),
                **knobs,
                "seed": seeds.derive(self.seed, "search"),
                "evaluate_on": "val",
            }
        )
        key = f"{arm.name}-search-{number:04d}"
        self.live[key], self.scores[key], self.configs[key] = asked, [], config
        return TrialSpec(trial=key, arm=arm.name, phase="search", config=config)

    def end(self, key: str, status: str) -> None:
        """Tell Optuna: complete, pruned (stopped, diverged) or failed.

        A diverged trial is pruned without values: FAIL would hide the cliff from the sampler.
        """
        asked, scores = self.live.pop(key), self.scores.pop(key)
        if status == "finished":
            self.study.tell(asked, scores[-1])
        elif status in ("stopped", "diverged"):
            for epoch, score in enumerate(scores if status == "stopped" else [], start=1):
                asked.report(score, epoch)
            self.study.tell(asked, state=TrialState.PRUNED)
        else:
            self.study.tell(asked, state=TrialState.FAIL)


class SweepSearcher(Searcher):
    """Hands the plan's runs to Ray, as many at once as there is room for."""

    def __init__(self, plan: Plan, results: Results, concurrent: int, payload: dict[str, Any]):
        """``payload``: what every trial's Ray config holds beside its own knobs."""
        super().__init__()
        self.plan, self.results, self.concurrent, self.payload = plan, results, concurrent, payload
        self.closed = False  # set: nothing new begins
        self.searches = {arm.name: ArmSearch(arm, plan.trials, plan.seed) for arm in plan.searched}
        self.queue: deque[TrialSpec] = deque()
        self.running: dict[str, TrialSpec] = {}  # by Ray's trial id
        for arm in plan.arms:
            if not arm.search:
                self._queue_finals(arm, arm.config, None)

    def _queue_finals(self, arm: PlannedArm, config: TrainConfig, config_of: str | None) -> None:
        for i, seed in enumerate(self.plan.final_seeds()):
            final = config.model_copy(update={"seed": seed, "evaluate_on": "test"})
            spec = TrialSpec(
                trial=f"{arm.name}-final-{i:02d}",
                arm=arm.name,
                phase="final",
                config=final,
                config_of=config_of,
            )
            self.queue.append(spec)

    def suggest(self, trial_id: str) -> Any:
        if len(self.running) >= self.concurrent:
            return None
        spec = None if self.closed else self._next()
        if spec is None:
            return None if self.running else Searcher.FINISHED
        self.running[trial_id] = spec
        knobs = spec.config.model_dump()
        identity = {"trial": spec.trial, "arm": spec.arm, "phase": spec.phase, "config_of": spec.config_of}
        return {**self.payload, **identity, "knobs": knobs}

    def _next(self) -> TrialSpec | None:
        if self.queue:
            return self.queue.popleft()
        open_searches = [s for s in self.searches.values() if s.asked < s.trials]
        return min(open_searches, key=lambda s: s.asked).propose() if open_searches else None

    def on_trial_result(self, trial_id: str, result: dict) -> None:
        """Scores reach Optuna when the trial ends, see ``end``."""

    def score(self, spec: TrialSpec, result: dict) -> None:
        """Keep a search trial's validation score of one epoch, the one that stops it included."""
        if spec.phase == "search" and METRIC in result:
            self.searches[spec.arm].scores[spec.trial].append(result[METRIC])

    def on_trial_complete(self, trial_id: str, result: dict | None = None, error: bool = False) -> None:
        """Ray's notice comes before the trial's row is written; the recorder calls ``end`` after it."""

    def end(self, trial_id: str, status: str) -> None:
        """A trial's row has its final status: go on with its arm."""
        spec = self.running.pop(trial_id)
        search = self.searches.get(spec.arm)
        if search is None or spec.phase == "final" or self.closed:
            return
        if spec.phase == "search":
            search.end(spec.trial, status)
        else:
            search.confirming -= 1
        if search.over and search.confirming < 0:
            self._confirm(search)
        if search.confirming == 0:
            self._finish(search)

    def _confirm(self, search: ArmSearch) -> None:
        """Queue the best search trials again on fresh seeds."""
        self.results.fold()
        best = selection.shortlist(self.results.folder, search.planned.name, SHORTLIST)
        search.confirming = 0
        for origin in best:
            for i, seed in enumerate(self.plan.confirm_seeds()):
                self.queue.append(
                    TrialSpec(
                        trial=f"{origin.replace('-search-', '-confirm-')}-{i}",
                        arm=search.planned.name,
                        phase="confirm",
                        config=search.configs[origin].model_copy(update={"seed": seed}),
                        config_of=origin,
                    )
                )
                search.confirming += 1

    def _finish(self, search: ArmSearch) -> None:
        """Queue the final runs of the configuration that was chosen, if one ran to its end."""
        self.results.fold()
        chosen = selection.choose(self.results.folder, search.planned.name)
        if chosen is not None:
            self._queue_finals(search.planned, search.configs[chosen], chosen)

    def save(self, checkpoint_path: str) -> None:
        """Ray's own state is not kept: the rows are the state."""
