"""Searches side by side on LCBench: the regret of what each has found for so many full trainings.

    python -m benchmarks.search.lcbench --lcbench ../shared/lcbench --out lcbench.md

``--lcbench`` is a folder with the surrogate's model.onnx, config_space.json and encoding.json. A search
runs one trial at a time and pays for every epoch; its budget is counted in full trainings. Its regret is
that of the best trial that has finished, by its last epoch: a task's 0 is the best of 20,000 random
configurations, 1 their median. ± is the standard error over seeds of the tasks' mean. Syne Tune's rows need
Syne Tune.
"""

import argparse
import itertools
import logging
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from multiprocessing import Pool
from pathlib import Path
from typing import NamedTuple

import numpy as np
import optuna
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import TrialState

from benchmarks.search.surrogate import EPOCHS, Task, task_names
from lt_core import seeds
from sweeps.search.asha import ASHA, rungs
from sweeps.search.history import History
from sweeps.search.study import sampler

THIRD = -(-EPOCHS // 3)
TRIALS = 20  # what our searches are told: a budget of 20 full trainings; the first 5 trials are random
GRACE, REDUCTION = 3, 3  # of the peers that stop: they compare trials at epochs 3, 9 and 27
SYNE_TUNE = (
    "pip install --no-deps --target DIR syne-tune dill patsy psutil statsmodels, and DIR in PYTHONPATH"
)


class Trial(NamedTuple):
    """A configuration's scores to the last epoch, and the epochs that the search has paid for."""

    curve: np.ndarray
    epochs: int


def random_search(task: Task, seed: int) -> Iterator[Trial]:
    """Train random configurations to the end."""
    rng = np.random.default_rng(seed)
    while True:
        yield Trial(task.curve(task.draw(rng, 1)), EPOCHS)


def train(task: Task, study: optuna.Study, stops: Callable[[optuna.Trial, int, float], bool]) -> Trial:
    """Ask Optuna for a trial, train it until it is stopped, and tell what came of it."""
    asked = study.ask(dict(task.space))
    curve = task.curve(asked.params)
    epochs = next(
        (e for e, score in enumerate(curve, 1) if stops(asked, e, float(score)) and e < EPOCHS), EPOCHS
    )
    if epochs == EPOCHS:
        study.tell(asked, curve[-1])
    else:
        study.tell(asked, state=TrialState.PRUNED)
    return Trial(curve, epochs)


def tpe(task: Task, seed: int) -> Iterator[Trial]:
    """Train to the end what Optuna's TPE proposes as it comes."""
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    while True:
        yield train(task, study, lambda asked, epoch, score: False)


def tpe_hyperband(task: Task, seed: int) -> Iterator[Trial]:
    """Train what Optuna's TPE as it comes proposes, and ask its Hyperband after every epoch."""
    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=optuna.pruners.HyperbandPruner(GRACE, EPOCHS, REDUCTION),
        study_name=str(seed),  # a trial's bracket depends on it
    )

    def stops(asked: optuna.Trial, epoch: int, score: float) -> bool:
        asked.report(score, epoch)
        return asked.should_prune()

    while True:
        yield train(task, study, stops)


def syne_tune(task: Task, seed: int, name: str) -> Iterator[Trial]:
    """Drive a scheduler of Syne Tune's by hand, as its tuner does."""
    from syne_tune import config_space
    from syne_tune.backend.trial_status import Trial as SyneTrial
    from syne_tune.optimizer import baselines

    logging.getLogger("syne_tune").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", "After 0.17", FutureWarning)  # statsmodels, of its own generator
    kinds = {
        (FloatDistribution, False): config_space.uniform,
        (FloatDistribution, True): config_space.loguniform,
        (IntDistribution, False): config_space.randint,
        (IntDistribution, True): config_space.lograndint,
    }
    space = {knob: kinds[type(of), of.log](of.low, of.high) for knob, of in task.space.items()}
    scheduler = getattr(baselines, name)(
        space, "score", "epoch", EPOCHS, False, seed, grace_period=GRACE, reduction_factor=REDUCTION
    )
    for number in itertools.count():
        trial = SyneTrial(number, scheduler.suggest().config, None)
        scheduler.on_trial_add(trial)
        curve = task.curve(trial.config)
        for epoch, score in enumerate(curve, 1):
            if scheduler.on_trial_result(trial, {"score": score, "epoch": epoch}) == "STOP":
                break  # also after the last
        scheduler.on_trial_remove(trial)
        yield Trial(curve, epoch)


class OneRung:
    """The rule before ASHA's of now: after a third of the epochs, go on in the best third of those before."""

    def __init__(self) -> None:
        self.before: list[float] = []

    def decide(self, trial: str, arm: str, epochs: int, epoch: int, score: float) -> bool:
        """Say whether a trial stops, as ASHA does."""
        if epoch != THIRD:
            return False
        stops = bool(self.before) and score < np.nanpercentile(self.before, 100 * 2 / 3)
        self.before.append(score)
        return bool(stops)


def ours(
    task: Task, seed: int, rule: Callable[[], ASHA | OneRung], compared: tuple[int, ...]
) -> Iterator[Trial]:
    """Search as ArmSearch does, without hand-picked values; ``compared``: the epochs that the rule reads."""
    study, asha = optuna.create_study(direction="maximize", storage=History()), rule()

    def stops(asked: optuna.Trial, epoch: int, score: float) -> bool:
        if epoch in compared:
            asked.report(score, epoch)
        return asha.decide(str(asked.number), "arm", EPOCHS, epoch, score)

    for number in itertools.count():
        study.sampler = sampler(seeds.derive(seed, "optuna", number), TRIALS)
        yield train(task, study, stops)


METHODS: dict[str, Callable[[Task, int], Iterator[Trial]]] = {
    "random search, full trainings": random_search,
    "Optuna TPE, full trainings": tpe,
    "Optuna TPE + Hyperband": tpe_hyperband,
    "Syne Tune ASHA": partial(syne_tune, name="ASHA"),
    "Syne Tune BOHB": partial(syne_tune, name="BOHB"),
    "ours, one rung at a third": partial(ours, rule=OneRung, compared=(THIRD,)),
    "ours": partial(ours, rule=ASHA, compared=rungs(EPOCHS)),
}


def found(trials: Sequence[Trial], budget: int) -> float:
    """Return the final score of what has been found for a budget in epochs.

    That is the best trial that has finished; before there is one, the one with the best score of any epoch.
    """
    finished, observed, spent = [], [], 0
    for curve, epochs in trials:
        seen = min(epochs, budget - spent)
        if seen <= 0:
            break
        observed.append((curve[:seen].max(), curve[-1]))
        if seen == EPOCHS:
            finished.append(curve[-1])
        spent += epochs
    return float(max(finished) if finished else max(observed)[1])


def regrets(method: str, task: Task, seed: int, rounds: Sequence[int]) -> list[float]:
    """Run a search and return its regret after each number of full trainings' worth of epochs."""
    trials: list[Trial] = []
    search = METHODS[method](task, seed)
    while sum(trial.epochs for trial in trials) < max(rounds) * EPOCHS:
        trials.append(next(search))
    return [task.regret(found(trials, number * EPOCHS)) for number in rounds]


load = cache(Task)


def judge(folder: Path, methods: list[str], rounds: list[int], name: str, seed: int) -> list[list[float]]:
    """Return the regrets of each search on a task."""
    task = load(folder, name)
    return [regrets(method, task, seeds.derive(seed, name), rounds) for method in methods]


def table(methods: list[str], rounds: list[int], measured: np.ndarray) -> Iterator[str]:
    """Yield the lines of the table; ``measured``: regrets by task, seed, method and round."""
    yield f"| regret after full trainings' worth of epochs | {' | '.join(map(str, rounds))} |"
    yield "|:--|" + "--:|" * len(rounds)
    of_seed = measured.mean(axis=0)
    errors = of_seed.std(axis=0, ddof=1) / np.sqrt(len(of_seed))
    for method, means, spreads in zip(methods, of_seed.mean(axis=0), errors, strict=True):
        cells = (f"{mean:.3f} ± {spread:.3f}" for mean, spread in zip(means, spreads, strict=True))
        yield f"| {method} | {' | '.join(cells)} |"


def main(argv: list[str] | None = None) -> int:
    """Run every search on every task and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search.lcbench", description=__doc__)
    parser.add_argument("--lcbench", type=Path, required=True, help="folder of the surrogate")
    parser.add_argument("--seeds", type=int, default=5, help="searches of each kind on a task, 2 or more")
    parser.add_argument("--tasks", type=int, default=34, help="tasks, from the first on")
    parser.add_argument(
        "--rounds", type=int, nargs="+", default=[5, 10, 20], help="budgets in full trainings"
    )
    parser.add_argument("--out", type=Path, help="file that gets the table")
    options = parser.parse_args(argv)
    methods = list(METHODS)
    try:
        import syne_tune.optimizer.schedulers.searchers.kde  # noqa: F401
    except ImportError as error:
        print(f"Syne Tune's rows are left out: {error}. To have them: {SYNE_TUNE}.\n")
        methods = [method for method in methods if not method.startswith("Syne Tune")]
    jobs = list(itertools.product(task_names(options.lcbench)[: options.tasks], range(options.seeds)))
    with Pool(2) as pool:
        one = partial(judge, options.lcbench, methods, options.rounds)
        measured = np.array(pool.starmap(one, jobs, chunksize=options.seeds))
    by_task = measured.reshape(-1, options.seeds, len(methods), len(options.rounds))
    lines = list(table(methods, options.rounds, by_task))
    print("\n".join(lines))
    if options.out:
        options.out.write_text("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
