"""What runs next: finals of fixed arms, the searches, the shortlists again, finals of what was found.

All of it follows from the plan and the rows so far, so that a sweep that was interrupted goes on as if it
had not been.
"""

from collections import deque
from typing import Any

from ray.tune.search import Searcher

from lt_core.config import TrainConfig
from sweeps.planning.plan import SHORTLIST, Plan, PlannedArm
from sweeps.search import selection
from sweeps.search.asha import ArmASHA
from sweeps.search.study import ArmSearch, TrialSpec
from sweeps.store.recovery import GOING_ON as UNFINISHED
from sweeps.store.recovery import Row
from sweeps.store.results import Results
from sweeps.store.schemas import with_defaults


class SweepSearcher(Searcher):
    """Hands the plan's runs to Ray, as many at once as there is room for."""

    def __init__(
        self, plan: Plan, results: Results, scheduler: ArmASHA, concurrent: int, payload: dict[str, Any]
    ):
        """``payload``: what every trial's Ray config holds beside its own."""
        super().__init__()
        self.plan, self.results, self.scheduler = plan, results, scheduler
        self.concurrent, self.payload = concurrent, payload
        self.closed = False  # set: nothing new begins
        self.searches: dict[str, ArmSearch] = {}
        self.running: dict[str, TrialSpec] = {}  # by Ray's trial id
        self.queue = deque(self._lost())
        if not self.queue:
            self._restore()

    def _lost(self) -> list[TrialSpec]:
        """Return what must be measured again: terminal trials whose rows a damaged file took along."""
        past = self.results.past
        return [
            TrialSpec(
                trial=key,
                arm=row["arm"],
                phase=row["phase"],
                config=TrainConfig.parse(with_defaults(row)),
                config_of=row["config_of"],
                until_epoch=row["epochs_done"],
            )
            for key, row in self.results.trials.items()
            if not past.unfinished(key) and past.incomplete(key)
        ]

    def _restore(self) -> None:
        """Take up every arm where its rows end; without rows, at the beginning."""
        for arm in self.plan.arms:
            if arm.search:
                self._restore_search(arm)
            else:
                self._queue_finals(arm, arm.config, None)

    def _restore_search(self, arm: PlannedArm) -> None:
        """Bring back an arm's study and rungs, and queue the trials that are not terminal."""
        rows = {key: row for key, row in self.results.trials.items() if _is(row, arm.name, "search")}
        known = sum(row.get("known_from") is not None for row in rows.values())
        search = self.searches[arm.name] = ArmSearch(arm, self.plan.trials + known, self.plan.seed)
        while rows and f"{arm.name}-search-{search.asked:04d}" <= max(rows):
            row = rows.get(f"{arm.name}-search-{search.asked:04d}")
            spec = search.propose(row["proposal"] if row else None)
            status = row["status"] if row else "running"
            ended, past = status not in UNFINISHED, self.results.past
            scores, last = past.rung_scores[spec.trial], len(past.reported(spec.trial))
            self.scheduler.bring_back(spec.trial, arm.name, arm.config.epochs, scores, last, ended)
            if ended:
                self._tell(search, spec.trial, status)
            else:
                self.queue.append(spec)
        self._advance(search)

    def _queue_finals(self, arm: PlannedArm, config: TrainConfig, origin: str | None) -> None:
        number = f"-{_number(origin)}" if origin else ""
        for i, seed in enumerate(self.plan.final_seeds()):
            spec = TrialSpec(
                trial=f"{arm.name}-final{number}-{i:02d}",
                arm=arm.name,
                phase="final",
                config=config.model_copy(update={"seed": seed, "evaluate_on": "test"}),
                config_of=origin,
            )
            self._queue(spec)

    def _queue(self, spec: TrialSpec) -> bool:
        """Queue a run unless it is terminal; return whether it was queued."""
        row = self.results.trials.get(spec.trial, {"status": "running"})
        status = row["status"]
        if status == "superseded":
            status = row["reason"].removeprefix("was ").partition(";")[0]
            self.results.write(trials=[{"trial": spec.trial, "status": status, "reason": None}])
        if status in UNFINISHED:
            self.queue.append(spec)
        return status in UNFINISHED

    def suggest(self, trial_id: str) -> Any:
        if len(self.running) >= self.concurrent:
            return None
        spec = None if self.closed else self._next()
        if spec is None:
            return None if self.running else Searcher.FINISHED
        self.running[trial_id] = spec
        row = self.results.trials.get(spec.trial, {})
        return {
            **self.payload,
            "trial": spec.trial,
            "arm": spec.arm,
            "phase": spec.phase,
            "until_epoch": spec.until_epoch,
            "knobs": spec.config.model_dump(),
            "attempt": row.get("attempts", 0) + 1,
            "reported": len(self.results.past.reported(spec.trial)),
        }

    def _next(self) -> TrialSpec | None:
        if self.queue:
            return self.queue.popleft()
        open_searches = [s for s in self.searches.values() if s.asked < s.trials]
        return min(open_searches, key=lambda s: s.asked).propose() if open_searches else None

    def on_trial_result(self, trial_id: str, result: dict) -> None:
        """Scores reach Optuna when the trial ends, see ``end``."""

    def on_trial_complete(self, trial_id: str, result: dict | None = None, error: bool = False) -> None:
        """Ray's notice comes before the trial's row is written; the recorder calls ``end`` after it."""

    def again(self, trial_id: str) -> None:
        """A trial's worker died: the trial is next, from its last checkpoint."""
        self.queue.appendleft(self.running.pop(trial_id))

    def end(self, trial_id: str, status: str) -> None:
        """A trial's row has its final status: go on with its arm."""
        spec = self.running.pop(trial_id)
        search = self.searches.get(spec.arm)
        if self.closed:
            return
        if spec.until_epoch is not None:
            if not self.queue and not self.running:
                self._restore()
        elif search and spec.phase == "search":
            self._tell(search, spec.trial, status)
            self._advance(search)
        elif search and spec.phase == "confirm":
            search.confirming -= 1
            self._advance(search)

    def _tell(self, search: ArmSearch, key: str, status: str) -> None:
        past = self.results.past
        search.end(key, status, past.reported(key), past.rung_scores[key])

    def _advance(self, search: ArmSearch) -> None:
        """Go on to the shortlist when the search is over, and to the finals when that is."""
        if search.over and search.confirming < 0:
            self._confirm(search)
        if search.confirming == 0:
            self._finish(search)

    def _shortlist(self, search: ArmSearch) -> list[str]:
        self.results.flush()
        return selection.shortlist(self.results.place, search.planned.name, SHORTLIST)

    def _confirm(self, search: ArmSearch) -> None:
        """Queue the best search trials again on fresh seeds."""
        arm, search.confirming = search.planned.name, 0
        shortlist = self._shortlist(search)
        self._supersede(arm, "confirm", shortlist)
        for origin in shortlist:
            for i, seed in enumerate(self.plan.confirm_seeds()):
                spec = TrialSpec(
                    trial=f"{arm}-confirm-{_number(origin)}-{i}",
                    arm=arm,
                    phase="confirm",
                    config=search.configs[origin].model_copy(update={"seed": seed}),
                    config_of=origin,
                )
                search.confirming += self._queue(spec)

    def _finish(self, search: ArmSearch) -> None:
        """Queue the final runs of the configuration that was chosen, if one ran to its end."""
        chosen = selection.choose(self.results.place, search.planned.name, self._shortlist(search))
        if chosen is None:
            return
        self._supersede(search.planned.name, "final", [chosen])
        self._queue_finals(search.planned, search.configs[chosen], chosen)

    def _supersede(self, arm: str, phase: str, chosen: list[str]) -> None:
        """Mark runs of what a longer search no longer chooses; a confirmation that is done stays one."""
        for key, row in self.results.trials.items():
            unfinished = row["status"] in UNFINISHED
            left = row["config_of"] not in chosen and row["status"] != "superseded"
            if _is(row, arm, phase) and left and (unfinished or phase == "final"):
                change = {
                    "trial": key,
                    "status": "superseded",
                    "reason": f"was {row['status']}; the search was extended and chose {', '.join(chosen)}",
                    "epochs_done": len(self.results.past.scores[key]),
                }
                self.results.write(trials=[change])
                if unfinished:
                    self.results.drop_checkpoints(key)

    def save(self, checkpoint_path: str) -> None:
        """Ray's own state is not kept: the rows are the state."""


def _number(key: str) -> str:
    """Return the number in the key of a search trial."""
    return key.rpartition("-")[2]


def _is(row: Row, arm: str, phase: str) -> bool:
    return (row["arm"], row["phase"]) == (arm, phase)
