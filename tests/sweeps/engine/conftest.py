"""A small plan, and its sequence in an empty folder."""

import pytest

from sweeps.planning.experiment import Arm, Experiment
from sweeps.planning.plan import make_plan
from sweeps.planning.spaces import SPACES
from sweeps.search.sequence import Sequence
from sweeps.store.results import Results

EXPERIMENT = Experiment(
    base={"epochs": 4, "imbalance_ratio": 10.0},
    arms=[Arm(name="fixed", label="fixed"), Arm(name="found", label="found", search={"lr": SPACES["lr"]})],
    trials=3,
    seeds=1,
)


@pytest.fixture
def plan(digits):
    options = {"trials": None, "epochs": None, "seeds": None, "seed": 0, "machine": {"threads": 1}}
    return make_plan("toy", EXPERIMENT, digits, settings={}, **options)


@pytest.fixture
def sequence(plan, tmp_path):
    return Sequence(plan, Results(tmp_path / "results"))
