"""A configuration that is known is not run again: another is proposed, until there is none."""

import pytest

from sweeps.planning import SPACES, Arm, Experiment
from sweeps.planning.plan import make_plan
from sweeps.planning.spaces import Choice, LogOneMinus, LogUniform, Maybe, Uniform, size
from sweeps.record.states import Phase, Status
from sweeps.search.study import ArmSearch
from sweeps.terminal.plan_text import plan_text
from tests.sweeps.plans import CPU

BATCHES = Choice((32, 64))
SMOOTHING = Maybe(Choice((0.1, 0.2)), off=0.0)


def plan(digits, trials=6, **search):
    arm = Arm(name="ce", label="CE", search=search)
    experiment = Experiment(base={"imbalance_ratio": 5.0, "epochs": 3, "batch_size": 64}, arms=[arm], seeds=2)
    asked = {"settings": {}, "trials": trials, "epochs": None, "seeds": None, "seed": 0, "machine": CPU}
    return make_plan("mine", experiment, digits, **asked)


def run(search, score=lambda config: config.batch_size / 1000):
    """Run a search to its end, one trial at once; return its configurations, in order."""
    found = []
    while search.open:
        spec = search.propose()
        search.end(spec.trial, Status.FINISHED, [score(spec.config)], {})
        found.append(spec)
    return found


@pytest.mark.parametrize(
    ("space", "count"),
    [
        (BATCHES, 2),
        (Choice((32, 32)), 1),
        (SMOOTHING, 3),
        (Maybe(Uniform(0, 1)), float("inf")),
        (LogUniform(0.1, 0.1), 1),
        (LogOneMinus(0.9, 0.99), float("inf")),
    ],
)
def test_the_size_of_a_space(space, count):
    assert size({"one": space}) == count
    assert size({"one": space, "other": BATCHES}) == 2 * count


def test_every_configuration_of_a_small_space_is_run_once(digits):
    planned = plan(digits, batch_size=BATCHES, label_smoothing=SMOOTHING)
    specs = run(ArmSearch(planned.arms[0], 20, 0))
    points = [(spec.config.batch_size, spec.config.label_smoothing) for spec in specs]
    assert points[0] == (64, 0.0)  # the hand-picked values
    assert sorted(points) == [(b, e) for b in (32, 64) for e in (0.0, 0.1, 0.2)]


def test_the_plan_counts_what_there_is_and_says_so(digits):
    planned = plan(digits, batch_size=BATCHES)
    counts = {phase: n for _, phase, n, _ in planned.runs()}
    assert counts == {Phase.SEARCH: 2, Phase.CONFIRM: 4, Phase.FINAL: 2}
    note = "CE: its space has 2 configurations: the search ends when all are known, not after 6"
    assert note in planned.notes
    assert note in plan_text(planned, digits, "results", [], 1.0)


def test_a_search_that_goes_on_is_the_one_of_a_sweep_without_a_break(digits):
    arm = plan(digits, batch_size=BATCHES, label_smoothing=SMOOTHING).arms[0]
    whole = run(ArmSearch(arm, 20, 0))
    again = ArmSearch(arm, 20, 0)
    for spec in whole[:3]:
        same = again.propose(spec.proposal)
        again.end(same.trial, Status.FINISHED, [same.config.batch_size / 1000], {})
    assert [spec.config for spec in run(again)] == [spec.config for spec in whole[3:]]


def test_trials_that_run_at_the_same_time_are_known_as_well(digits):
    search = ArmSearch(plan(digits, batch_size=BATCHES).arms[0], 6, 0)
    assert {search.propose().config.batch_size for _ in range(2)} == {32, 64}
    assert not search.open
    assert not search.over


def test_repeats_on_record_are_taken_up_as_they_are(digits):
    search = ArmSearch(plan(digits, batch_size=BATCHES).arms[0], 6, 0)
    for _ in range(3):
        spec = search.propose('{"batch_size": 32}')
        assert spec.config.batch_size == 32
        search.end(spec.trial, Status.STOPPED, [0.1], {1: 0.1})
    assert search.open
    assert search.propose().config.batch_size == 64
    assert not search.open


def test_proposals_without_a_repeat_are_what_they_were(digits):
    search = ArmSearch(plan(digits, lr=SPACES["lr"]).arms[0], 6, 0)
    specs = run(search, score=lambda config: -config.lr)
    assert len({spec.config.lr for spec in specs}) == 6
    assert len(search.study.trials) == 6  # nothing was asked twice
