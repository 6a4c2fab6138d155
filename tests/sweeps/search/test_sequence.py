"""The order of runs, what Optuna is told, and the seeds."""

from dataclasses import replace

import pytest
from optuna.trial import TrialState

from sweeps.planning.experiment import Arm, Experiment
from sweeps.planning.plan import make_plan
from sweeps.planning.spaces import SPACES
from sweeps.record.states import Phase, Status
from sweeps.search.sequence import Sequence
from sweeps.search.study import ArmSearch
from sweeps.store.results import Results

EXPERIMENT = Experiment(
    base={"epochs": 4, "imbalance_ratio": 10.0},
    arms=[
        Arm(name="fixed", label="fixed", knobs={"loss": "ce"}),
        Arm(name="found", label="found", knobs={"loss": "focal"}, search={"lr": SPACES["lr"]}),
    ],
    trials=6,
    seeds=2,
)


@pytest.fixture
def plan(digits):
    options = {"trials": None, "epochs": None, "seeds": None, "seed": 0, "machine": {"threads": 1}}
    return make_plan("toy", EXPERIMENT, digits, settings={}, **options)


@pytest.fixture
def search(plan):
    return ArmSearch(plan.arms[1], 6, seed=0)


def test_the_hand_picked_values_are_proposed_first(search):
    assert search.propose().config.lr == pytest.approx(1e-3)
    assert search.propose().config.lr != pytest.approx(1e-3)


def test_proposals_depend_on_seed_and_number_and_on_what_ended(plan):
    def proposals(seed):
        search = ArmSearch(plan.arms[1], 6, seed)
        found = []
        for i in range(6):
            spec = search.propose()
            search.end(spec.trial, Status.FINISHED, [0.1 * i], {})
            found.append(spec.config.lr)
        return found

    assert proposals(0) == proposals(0)
    assert proposals(0)[1:] != proposals(1)[1:]


@pytest.mark.parametrize(
    ("status", "state", "values"),
    [
        ("finished", TrialState.COMPLETE, {}),
        ("stopped", TrialState.PRUNED, {1: 0.6, 3: 0.7}),
        ("diverged", TrialState.PRUNED, {}),
        ("failed", TrialState.FAIL, {}),
    ],
)
def test_what_optuna_is_told(search, status, state, values):
    spec = search.propose()
    search.end(spec.trial, Status(status), [0.2, 0.4, 0.3], {3: 0.7, 1: 0.6})
    (told,) = search.study.trials
    assert (told.state, told.intermediate_values) == (state, values)
    assert told.value == {"finished": 0.3, "stopped": 0.7}.get(status)


def run_to_the_end(plan, results, score, status=Status.FINISHED):
    """Run one after the other; return the specs in the order in which they were handed out."""
    sequence, specs = Sequence(plan, results), []
    while not sequence.over:
        spec = sequence.next()
        specs.append(spec)
        ended = status if spec.phase == Phase.SEARCH else Status.FINISHED
        write(results, spec, score(spec), ended)
        sequence.end(spec.trial, ended)
    assert sequence.next() is None
    return specs


def write(results, spec, score, status, epochs=4):
    """Write the rows of a run that has ended."""
    identity = {"trial": spec.trial, "arm": spec.arm, "phase": spec.phase}
    val = None if spec.phase == Phase.FINAL else score
    rows = [{**identity, "epoch": epoch, "val_macro_recall": val} for epoch in range(1, epochs + 1)]
    ended = {"config_of": spec.config_of, "proposal": spec.proposal, "status": status, "epochs_done": epochs}
    trial = {**spec.config.model_dump(), **identity, **ended}
    results.write(epochs=rows, classes=[{**identity, "class": 0}], trials=[trial])


def test_finals_of_fixed_arms_then_search_then_shortlist_then_finals_of_what_was_found(plan, tmp_path):
    specs = run_to_the_end(plan, Results(tmp_path / "r"), score=lambda spec: -abs(spec.config.lr - 2e-3))
    phases = [(spec.arm, spec.phase) for spec in specs]
    assert phases == (
        [("fixed", "final")] * 2
        + [("found", "search")] * 6
        + [("found", "confirm")] * 6
        + [("found", "final")] * 2
    )
    searched = sorted(specs[2:8], key=lambda spec: abs(spec.config.lr - 2e-3))
    assert {spec.config_of for spec in specs[8:14]} == {spec.trial for spec in searched[:3]}
    assert all(spec.config.lr == searched[0].config.lr for spec in specs[14:])


def test_seeds_are_shared_by_arms_and_by_no_two_phases(plan, tmp_path):
    specs = run_to_the_end(plan, Results(tmp_path / "r"), score=lambda spec: 0.5)
    seeds = {
        (arm, phase): {s.config.seed for s in specs if (s.arm, s.phase) == (arm, phase)}
        for arm, phase in {(s.arm, s.phase) for s in specs}
    }
    assert seeds["fixed", "final"] == seeds["found", "final"]
    assert [len(seeds["found", phase]) for phase in ("search", "confirm", "final")] == [1, 2, 2]
    assert len(set().union(*seeds.values())) == 5
    assert {s.config.evaluate_on for s in specs if s.phase == "final"} == {"test"}
    assert {s.config.evaluate_on for s in specs if s.phase != "final"} == {"val"}


def test_an_arm_whose_search_all_diverged_ends_without_finals(plan, tmp_path):
    specs = run_to_the_end(plan, Results(tmp_path / "r"), score=lambda spec: 0.5, status=Status.DIVERGED)
    assert [s.phase for s in specs if s.arm == "found"] == ["search"] * 6


def test_where_several_run_at_once_a_phase_waits_for_the_one_before(plan, tmp_path):
    results = Results(tmp_path / "r")
    sequence = Sequence(plan, results)
    out = [sequence.next() for _ in range(8)]  # both finals and the whole search
    assert [spec.phase for spec in out] == ["final"] * 2 + ["search"] * 6
    for spec in out:
        assert sequence.next() is None  # nothing now
        assert not sequence.over
        write(results, spec, 0.5, Status.FINISHED)
        sequence.end(spec.trial, Status.FINISHED)
    assert sequence.next().phase == "confirm"


def test_a_trial_whose_worker_died_is_the_next(plan, tmp_path):
    sequence = Sequence(plan, Results(tmp_path / "r"))
    first, second = sequence.next(), sequence.next()
    sequence.again(first.trial)
    assert list(sequence.running) == [second.trial]
    assert sequence.next() == first


def test_a_closed_sequence_begins_nothing_and_is_over_when_all_has_ended(plan, tmp_path):
    sequence = Sequence(plan, Results(tmp_path / "r"))
    spec = sequence.next()
    sequence.closed = True
    assert sequence.next() is None
    assert not sequence.over
    sequence.end(spec.trial, Status.INTERRUPTED)
    assert sequence.over


def test_only_search_trials_are_stopped(plan, tmp_path):
    """After epoch 1 of 4, the first rung; the second of two is below the first."""
    sequence = Sequence(plan, Results(tmp_path / "r"))
    finals, searched = [sequence.next() for _ in range(2)], [sequence.next() for _ in range(6)]
    assert [sequence.stops(spec.trial, 1, 1 - i) for i, spec in enumerate(finals)] == [False, False]
    assert [sequence.stops(spec.trial, 1, 1 - i) for i, spec in enumerate(searched)] == [False] + [True] * 5


def superseded(plan, folder, **columns):
    """Results whose second final of the fixed arm is superseded, with these columns; and their sequence."""
    results = Results(folder)
    for spec in (sequence := Sequence(plan, results)).queue:
        write(results, spec, None, Status.FINISHED)
    columns = {"status": Status.SUPERSEDED, "reason": "not read", **columns}
    results.write(trials=[{"trial": sequence.queue[1].trial, **columns}])
    return results, Sequence(plan, results)


@pytest.mark.parametrize(
    ("columns", "status"),
    [
        ({"status_before": "finished"}, "finished"),
        ({"status_before": "diverged", "epochs_done": 1}, "diverged"),
        ({"status_before": "interrupted", "epochs_done": 4}, "interrupted"),
        ({"status_before": None, "epochs_done": 4}, "finished"),
        ({"status_before": None, "epochs_done": 3}, "interrupted"),
        ({"epochs_done": 4, "reason": None}, "finished"),  # written before the column was there
    ],
)
def test_a_superseded_run_that_is_chosen_again_is_what_it_was(columns, status, plan, tmp_path):
    results, sequence = superseded(plan, tmp_path / "r", **columns)
    row = results.trials["fixed-final-01"]
    assert (row["status"], row["status_before"], row["reason"]) == (status, None, None)
    going_on = [spec.trial for spec in sequence.queue]
    assert going_on == (["fixed-final-01"] if status == "interrupted" else [])


def totals(plan, results, lr, trials=6):
    """Run to the end; return (ended, ended and ahead) before each run and after the last."""
    sequence, seen = Sequence(replace(plan, trials=trials), results), []
    while True:
        ended = sum(n for (_, status), n in results.past.statuses.items() if status == Status.FINISHED)
        seen.append((ended, ended + sum(runs.n for runs in sequence.ahead())))
        if sequence.over:
            return seen
        spec = sequence.next()
        assert seen[-1][1] == ended + sum(runs.n for runs in sequence.ahead())  # it runs, or it is to come
        write(results, spec, -abs(spec.config.lr - lr), Status.FINISHED)
        sequence.end(spec.trial, Status.FINISHED)


def test_what_has_ended_and_what_is_ahead_are_all_there_will_be(plan, tmp_path):
    results = Results(tmp_path / "r")
    assert totals(plan, results, 2e-3) == [(i, 2 + 6 + 6 + 2) for i in range(17)]
    assert totals(plan, results, 2e-3) == [(16, 16)]


def test_a_longer_search_has_its_confirmations_and_finals_ahead(plan, tmp_path):
    """Another configuration is best now: two finals of the one before are superseded, and no longer count."""
    results = Results(tmp_path / "r")
    totals(plan, results, 1e-3)
    seen = totals(plan, results, 1e-4, trials=9)
    assert seen[0] == (16, 16 + 3 + 6 + 2)
    confirmed = sum(row["phase"] == "confirm" for row in results.trials.values())
    assert seen[-1] == (2 + 9 + confirmed + 2, 2 + 9 + confirmed + 2)


def test_an_interrupted_run_is_still_ahead_and_its_epochs_are_behind_it(plan, tmp_path):
    results = Results(tmp_path / "r")
    sequence = Sequence(plan, results)
    spec = sequence.next()
    before = sum(runs.epochs for runs in sequence.ahead())
    assert before == (2 + 6 + 6 + 2) * 4
    write(results, spec, 0.5, Status.INTERRUPTED, epochs=3)
    sequence.closed = True
    sequence.end(spec.trial, Status.INTERRUPTED)
    assert sum(runs.epochs for runs in sequence.ahead()) == before - 3
    assert sum(runs.epochs for runs in Sequence(plan, results).ahead()) == before - 3


def test_an_arm_whose_search_found_nothing_has_nothing_ahead(plan, tmp_path):
    results = Results(tmp_path / "r")
    run_to_the_end(plan, results, score=lambda spec: 0.5, status=Status.DIVERGED)
    assert sum(runs.n for runs in Sequence(plan, results).ahead()) == 0


def test_while_lost_rows_are_measured_again_what_is_ahead_is_what_was_planned(plan, tmp_path):
    results = Results(tmp_path / "r")
    spec = Sequence(plan, results).next()
    write(results, spec, None, Status.FINISHED)
    del results.past.scores[spec.trial][2]
    assert sum(runs.n for runs in Sequence(plan, results).ahead()) == 1 + 6 + 6 + 2
