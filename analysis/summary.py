"""The lines around the tables: what was run on which data and budget, what early stopping saved."""

from collections.abc import Callable

from analysis.groups import GROUP, settings
from analysis.load import Sweep
from analysis.tables.published import source
from analysis.words import count, ratio
from sweeps.record.states import Phase, Status


def header(sweep: Sweep) -> list[str]:
    """Return what every table of the sweep must be read with; where arms differ, all of their values."""
    about, own = sweep.about, settings(sweep)
    run = sweep.trials[sweep.trials.trial == sweep.finals.trial.iloc[0]].iloc[0]

    def values(column: str, form: Callable = str) -> str:
        return " or ".join(form(value) for value in dict.fromkeys(own[column]))

    preset = f", preset {about.preset}" if about.preset else ""
    models = ", ".join(sorted(set(sweep.trials.model)))
    searched = any(arm.searched for arm in about.arms)
    trials = f"{count(about.trials, 'search trial')} an arm, " if searched else ""
    return [
        f"{about.experiment}{preset} on {about.data.name}: {models}, {values('profile', _profile)}, "
        f"imbalance ratio {values('imbalance ratio', ratio)}, "
        f"{values('training images', '{:,}'.format)} training images",
        f"budget: {', '.join(map(str, sorted(set(own.epochs))))} epochs, {trials}"
        f"{count(about.seeds, 'seed')}, {values('precision')} on {run.device}",
        savings(sweep),
        *troubles(sweep),
    ]


def _profile(name: str) -> str:
    return "a long tail by nature" if name == "none" else f"{name} profile"


def footer(sweep: Sweep) -> list[str]:
    """Return how the figures are to be read."""
    beside = source(sweep)
    subset = "" if (sweep.trials.profile == "none").all() else "the subset drawn, "
    return [
        "± is the standard error over n seeds (ddof = 1); test is read at the last epoch, never the best.",
        "Differences are paired over seeds. Intervals are paired t, widened (Bonferroni) so that those of a "
        "table all hold in 95 % of cases; verdicts are Holm's at 5 % over all comparisons that the table was "
        "planned with, so that one may be given where an interval just includes 0.",
        f"The seeds move {subset}the initialisation and the order; not the test images themselves.",
        *([_frontier(sweep)] if sweep.about.frontier_of else []),
        *([beside.note] if beside else []),
        *sweep.about.notes,
    ]


def _frontier(sweep: Sweep) -> str:
    several = len({tuple(arm.train_counts) for arm in sweep.about.arms}) > 1
    where = " in the arm whose tail is the longest" if several else ""
    return (
        f"Head and tail are the {100 * GROUP:.0f} % of the classes with the most and with the fewest "
        f"training images{where}. The frontier is read between its τ on straight lines; where one head "
        "recall goes with several tails, the best counts. Beyond its ends an arm gets no verdict that the "
        "end does not bear out."
    )


def savings(sweep: Sweep) -> str:
    """Say what ASHA stopped and the epochs that it saved."""
    search = sweep.trials[(sweep.trials.phase == Phase.SEARCH) & sweep.trials.known_from.isna()]
    if search.empty:
        return "search: none"
    stopped = search[search.status == Status.STOPPED]
    planned, saved = int(search.epochs.sum()), int((stopped.epochs - stopped.epochs_done).sum())
    return (
        f"search: ASHA stopped {len(stopped)} of {len(search)} trials and saved {saved} of "
        f"{planned} epochs ({saved / planned:.0%})"
    )


def troubles(sweep: Sweep) -> list[str]:
    """Name every kind of trial that did not end well, and every arm without a final run."""
    lines = [f"{damage}: left out" for damage in sweep.damaged]
    for status in (Status.RUNNING, Status.INTERRUPTED, Status.DIVERGED, Status.FAILED):
        rows = sweep.trials[sweep.trials.status == status]
        if len(rows):
            first = rows.iloc[0]
            reason = f", {first.reason}" if isinstance(first.reason, str) else ""
            lines.append(f"{count(len(rows), 'trial')} {status}, the first {first.trial}{reason}")
    for arm, n in sweep.lost.items():
        planned = n + (sweep.finals.arm == arm).sum()
        lines.append(
            f"{sweep.labels[arm]}: {n} of {planned} final runs diverged or failed, so it gets no verdict"
        )
    bare = [label for name, label in sweep.labels.items() if name not in set(sweep.finals.arm)]
    if bare:
        lines.append(f"no finished final run: {', '.join(bare)}")
    if sweep.pending:
        lines.append(f"verdicts are provisional: final runs are to come of {'; '.join(sweep.pending)}")
    unsupported = sweep.finals.test_classes_without_support
    if (unsupported > 0).any():
        lines.append(f"{unsupported.max():.0f} classes have no test image: left out of macro averages")
    unseen = sweep.finals.test_classes_without_predictions
    if (unseen > 0).any():
        lines.append(f"{(unseen > 0).sum()} final runs never predict some class (its precision counts as 0)")
    return lines
