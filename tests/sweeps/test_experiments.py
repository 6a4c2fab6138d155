"""Every experiment, at a tiny budget on digits, within one Ray."""

import numpy as np
import pytest

from analysis.load import load
from analysis.report import tables
from sweeps import experiments
from sweeps.engine import run as engine
from sweeps.engine.connection import connected
from sweeps.engine.ground import Ground
from sweeps.engine.nodes import machines
from sweeps.engine.share import Share
from sweeps.planning.description import describe
from sweeps.search.sequence import Sequence
from sweeps.store.results import Results
from sweeps.terminal.progress import Progress
from sweeps.terminal.signals import Signals
from tests.sweeps.plans import plan_of

pytestmark = pytest.mark.slow
NAMES = sorted(experiments.known())
EPOCHS = dict.fromkeys(NAMES, 3) | dict.fromkeys(
    ("decoupling", "field", "frontier", "joint"), 5
)  # a split at 0.9


@pytest.fixture(scope="module")
def there_are():
    with connected(None):
        yield machines()


@pytest.mark.parametrize("name", NAMES)
def test_every_experiment_runs_to_its_end_and_is_reported(name, there_are, digits, tmp_path, capsys):
    tiny = {"settings": {"n_max": 60, "imbalance_ratio": 20.0}, "trials": 1, "seeds": 1}
    plan = plan_of(name, digits, epochs=EPOCHS[name], **tiny)
    results = Results(tmp_path / name)
    results.describe(describe(plan, digits, {"dataset": "digits", "experiment": name}, name))
    sequence = Sequence(plan, results)
    with Signals() as signals:
        ended_early = engine.run(
            sequence,
            digits,
            Progress(sequence, {arm.name: 1.0 for arm in plan.arms}, expected=60.0),
            signals,
            ground=Ground(there_are, False, Share(1, 0), None),
            plugin=None,
            deadline=None,
            checkpoint_every=60.0,
            epoch_limits={arm.name: 60.0 for arm in plan.arms},
        )
    assert ended_early is None, capsys.readouterr().out
    sweep = load(tmp_path / name)
    check_runs(plan, sweep)
    check_classes(sweep)
    check_report(plan, tables(sweep))


def check_runs(plan, sweep):
    """Every run that was planned is there and terminal, and what a final run reports is complete."""
    trials, last = sweep.trials, plan.arms[0].config.epochs
    planned = {(arm.name, phase): n for arm, phase, n, _ in plan.runs()}
    assert trials.groupby(["arm", "phase"]).size().to_dict() == planned
    assert set(trials[trials.phase == "search"].status) <= {"finished", "stopped"}
    assert set(trials[trials.phase != "search"].status) == {"finished"}
    epochs = sweep.epochs[sweep.epochs.phase == "final"]
    assert epochs.groupby("trial").epoch.agg(sorted).map(list).tolist() == [
        list(range(1, last + 1)) for _ in range(len(plan.arms))
    ]
    shares = epochs[["test_accuracy", "test_macro_recall", "test_macro_f1"]]
    assert ((shares >= 0) & (shares <= 1)).all(axis=None)
    assert np.isfinite(epochs[["test_loss", "train_loss", "lr"]]).all(axis=None)


def check_classes(sweep):
    classes, done = sweep.classes, sweep.trials.set_index("trial").epochs_done
    assert classes.groupby("trial")["class"].agg(sorted).map(list).tolist() == [list(range(10))] * len(done)
    assert (classes.epoch == classes.trial.map(done)).all()
    by_tau = np.stack(classes.recall_by_tau.to_list())
    assert by_tau.shape == (len(classes), 21)
    # Without an adjustment the curve begins at the recall that was measured.
    plain = classes.trial.map(sweep.trials.set_index("trial").posthoc_tau) == 0
    assert by_tau[plain, 0].tolist() == classes.recall[plain].tolist()


def check_report(plan, text):
    for arm in plan.arms:
        assert arm.arm.label in text
    for question in plan.experiment.questions:
        assert question.ask in text
    assert ("The head-tail frontier" in text) == (plan.experiment.frontier_of is not None)
    assert ("What the searches chose" in text) == bool(plan.searched)
