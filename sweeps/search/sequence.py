"""What runs next: finals of fixed arms, the searches, the shortlists again, finals of what was found.

All of it follows from the plan and the rows so far, so that a sweep that was interrupted goes on as if it
had not been.
"""

from collections import Counter, deque

from lt_core.config import TrainConfig
from lt_core.errors import InputError
from sweeps.planning.plan import SHORTLIST, Plan, PlannedArm, Runs, confirmations
from sweeps.record.states import Phase, Status
from sweeps.search import selection
from sweeps.search.asha import ASHA
from sweeps.search.study import ArmSearch, TrialSpec
from sweeps.store.recovery import Row
from sweeps.store.results import Results
from sweeps.store.schemas import with_defaults


class Sequence:
    """Hands out the plan's runs; whoever runs them asks what is next, and tells how each ended.

    Attributes:
        running: what was handed out and has not ended, by trial.
        queue: what comes before anything new is proposed.
        searches: the searches, by arm.
        closed: set: nothing new begins.
        restored: whether searches are where their rows end; not while lost rows are measured again.
    """

    def __init__(self, plan: Plan, results: Results):
        self.plan, self.results, self.asha = plan, results, ASHA()
        arms = {arm.name for arm in plan.arms}
        for key, row in results.trials.items():
            if row["arm"] not in arms:
                raise InputError(f"{results.place}: {key} is of an arm {row['arm']!r} that there is not")
        self.closed = self.restored = False
        self.running: dict[str, TrialSpec] = {}
        self.searches: dict[str, ArmSearch] = {}
        self.queue = deque(self._lost())
        if not self.queue:
            self._restore()

    @property
    def over(self) -> bool:
        """Whether nothing is running and nothing will be."""
        return not self.running and (self.closed or not (self.queue or self._open_searches()))

    def ahead(self) -> list[Runs]:
        """Return what runs and what is to come, as far as it is known."""
        past = self.results.past
        if not self.restored:
            rows, planned = past.trials.items(), self.plan.runs()
            ended = Counter((row["arm"], row["phase"]) for key, row in rows if not past.unfinished(key))
            return [Runs(arm, phase, max(0, n - ended[arm.name, phase])) for arm, phase, n, _ in planned]
        arms = {arm.name: arm for arm in self.plan.arms}
        begun = [(spec, len(past.reported(spec.trial))) for spec in (*self.running.values(), *self.queue)]
        ahead = [Runs(arms[spec.arm], spec.phase, 1, trained) for spec, trained in begun]
        for search in self.searches.values():
            arm, left = search.planned, search.left
            if search.confirming < 0:
                confirm = confirmations(search.asked + left)
                ahead += [Runs(arm, Phase.SEARCH, left), Runs(arm, Phase.CONFIRM, confirm)]
            if search.confirming:
                ahead.append(Runs(arm, Phase.FINAL, self.plan.seeds))
        return ahead

    def next(self) -> TrialSpec | None:
        """Hand out the next run; None: there is none now, which the end of one that is running may change."""
        if self.closed:
            return None
        if self.queue:
            spec = self.queue.popleft()
        elif open_searches := self._open_searches():
            spec = min(open_searches, key=lambda search: search.asked).propose()
        else:
            return None
        self.running[spec.trial] = spec
        return spec

    def stops(self, trial: str, epoch: int, score: float | None) -> bool:
        """Say whether a running trial is stopped after this report; only search trials ever are."""
        spec = self.running[trial]
        if spec.phase != Phase.SEARCH or spec.until_epoch is not None:
            return False
        return self.asha.decide(trial, spec.arm, spec.config.epochs, epoch, score)

    def again(self, trial: str) -> None:
        """Hand a trial out again, next, from its last checkpoint: its worker died."""
        self.queue.appendleft(self.running.pop(trial))

    def end(self, trial: str, status: Status) -> None:
        """Go on with the arm of a trial whose row has its final status."""
        spec = self.running.pop(trial)
        search = self.searches.get(spec.arm)
        if self.closed:
            if not status.terminal:
                self.queue.append(spec)
        elif spec.until_epoch is not None:
            if not self.queue and not self.running:
                self._restore()
        elif search and spec.phase == Phase.SEARCH:
            self._tell(search, trial, status)
            self._advance(search)
        elif search and spec.phase == Phase.CONFIRM:
            search.confirming -= 1
            self._advance(search)

    def _open_searches(self) -> list[ArmSearch]:
        return [search for search in self.searches.values() if search.open]

    def _lost(self) -> list[TrialSpec]:
        """Return what must be measured again: terminal trials whose rows a damaged file took along."""
        past = self.results.past
        return [
            TrialSpec(
                trial=key,
                arm=row["arm"],
                phase=Phase(row["phase"]),
                config=TrainConfig.parse(with_defaults(row)),
                config_of=row["config_of"],
                until_epoch=row["epochs_done"],
            )
            for key, row in self.results.trials.items()
            if not past.unfinished(key) and past.incomplete(key)
        ]

    def _restore(self) -> None:
        """Take up every arm where its rows end; without rows, at the beginning."""
        self.restored = True
        for arm in self.plan.arms:
            if arm.search:
                self._restore_search(arm)
            else:
                self._queue_finals(arm, arm.config, None)

    def _restore_search(self, arm: PlannedArm) -> None:
        """Bring back an arm's study and rungs, and queue the trials that are not terminal."""
        rows = {key: row for key, row in self.results.trials.items() if _is(row, arm.name, Phase.SEARCH)}
        known = sum(row.get("known_from") is not None for row in rows.values())
        search = self.searches[arm.name] = ArmSearch(arm, self.plan.trials + known, self.plan.seed)
        past = self.results.past
        while rows and search.next_key <= max(rows):
            row = rows.get(search.next_key)
            spec = search.propose(row["proposal"] if row else None)
            status = Status(row["status"]) if row else Status.RUNNING
            scores, last = past.rung_scores[spec.trial], len(past.reported(spec.trial))
            self.asha.bring_back(spec.trial, arm.name, arm.config.epochs, scores, last, status.terminal)
            if status.terminal:
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
                phase=Phase.FINAL,
                config=config.model_copy(
                    update={"seed": seed, "evaluate_on": "test", "evaluate_at": arm.config.evaluate_at}
                ),
                config_of=origin,
            )
            self._queue(spec)

    def _queue(self, spec: TrialSpec) -> bool:
        """Queue a run unless it is terminal; return whether it was queued."""
        row = self.results.trials.get(spec.trial)
        status = Status(row["status"]) if row else Status.RUNNING
        if row and status == Status.SUPERSEDED:
            status = _before(row)
            change = {"trial": spec.trial, "status": status, "status_before": None, "reason": None}
            self.results.write(trials=[change])
        if not status.terminal:
            self.queue.append(spec)
        return not status.terminal

    def _tell(self, search: ArmSearch, key: str, status: Status) -> None:
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
        self._supersede(arm, Phase.CONFIRM, shortlist)
        for origin in shortlist:
            for i, seed in enumerate(self.plan.confirm_seeds()):
                spec = TrialSpec(
                    trial=f"{arm}-confirm-{_number(origin)}-{i}",
                    arm=arm,
                    phase=Phase.CONFIRM,
                    config=_at_the_end(search.configs[origin], seed),
                    config_of=origin,
                )
                search.confirming += self._queue(spec)

    def _finish(self, search: ArmSearch) -> None:
        """Queue the final runs of the configuration that was chosen, if one ran to its end."""
        chosen = selection.choose(self.results.place, search.planned.name, self._shortlist(search))
        if chosen is None:
            return
        self._supersede(search.planned.name, Phase.FINAL, [chosen])
        self._queue_finals(search.planned, search.configs[chosen], chosen)

    def _supersede(self, arm: str, phase: Phase, chosen: list[str]) -> None:
        """Mark runs of what a longer search no longer chooses; a confirmation that is done stays one."""
        for key, row in self.results.trials.items():
            status = Status(row["status"])
            left = row["config_of"] not in chosen and status != Status.SUPERSEDED
            if _is(row, arm, phase) and left and (phase == Phase.FINAL or not status.terminal):
                change = {
                    "trial": key,
                    "status": Status.SUPERSEDED,
                    "status_before": status,
                    "reason": f"was {status}; the search was extended and chose {', '.join(chosen)}",
                    "epochs_done": max(self.results.past.scores[key], default=0),
                }
                self.results.write(trials=[change])
                if not status.terminal:
                    self.results.drop_checkpoints(key)


def _at_the_end(config: TrainConfig, seed: int) -> TrainConfig:
    """Return a configuration on another seed, whose last epoch alone is read."""
    return config.model_copy(update={"seed": seed, "evaluate_at": config.evaluate_at and ()})


def _number(key: str) -> str:
    """Return the number in the key of a search trial."""
    return key.rpartition("-")[2]


def _is(row: Row, arm: str, phase: Phase) -> bool:
    return (row["arm"], row["phase"]) == (arm, phase)


def _before(row: Row) -> Status:
    """Return the status that a superseded run had; results that are older than its column do not say."""
    done = row["epochs_done"] == row["epochs"]
    return Status(row.get("status_before") or (Status.FINISHED if done else Status.INTERRUPTED))
