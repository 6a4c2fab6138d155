"""The order of runs, what Optuna is told, and the seeds: without Ray, which only calls these methods."""

import pytest
from optuna.trial import TrialState
from ray.tune.search import Searcher

from sweeps.planning.experiment import Arm, Experiment
from sweeps.planning.plan import make_plan
from sweeps.planning.spaces import SPACES
from sweeps.search.asha import ArmASHA
from sweeps.search.sequence import SweepSearcher
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
            search.end(spec.trial, "finished", [0.1 * i], {})
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
    search.end(spec.trial, status, [0.2, 0.4, 0.3], {3: 0.7, 1: 0.6})
    (told,) = search.study.trials
    assert (told.state, told.intermediate_values) == (state, values)
    assert told.value == {"finished": 0.3, "stopped": 0.7}.get(status)


def run_to_the_end(plan, results, score, status="finished"):
    """Play Ray at concurrency 1; return the specs in the order in which they were handed out."""
    searcher = SweepSearcher(plan, results, ArmASHA(), 1, {})
    specs = []
    while True:
        config = searcher.suggest(str(len(specs)))
        if config == Searcher.FINISHED:
            return specs
        spec = searcher.running[str(len(specs))]
        specs.append(spec)
        assert searcher.suggest("another") is None
        value = score(spec)
        identity = {"trial": spec.trial, "arm": spec.arm, "phase": spec.phase}
        if spec.phase != "final":
            for epoch in range(1, 5):
                results.write(epochs=[{**identity, "epoch": epoch, "val_macro_recall": value}])
        ended = status if spec.phase == "search" else "finished"
        results.write(
            trials=[{**spec.config.model_dump(), **identity, "config_of": spec.config_of, "status": ended}]
        )
        searcher.end(str(len(specs) - 1), ended)


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
    specs = run_to_the_end(plan, Results(tmp_path / "r"), score=lambda spec: 0.5, status="diverged")
    assert [s.phase for s in specs if s.arm == "found"] == ["search"] * 6
