"""The plan in words: what arms train on is each arm's own."""

from dataclasses import replace

import numpy as np
import pytest

from lt_core.errors import InputError
from sweeps.planning import SPACES, Arm, Experiment
from sweeps.planning import costs as timing
from sweeps.planning.description import describe
from sweeps.planning.plan import final_counts, make_plan, weight_note
from sweeps.terminal.data_text import data_lines
from sweeps.terminal.plan_text import plan_text
from tests.sweeps.plans import CPU, plan_of

TAIL = [int(60 * 10 ** (-k / 9) + 1e-9) for k in range(10)]  # Cui et al.'s profile, by hand
BALANCED = {"imbalance_ratio": 1.0}
WEIGHTED = {"weighting": "effective_number", "beta": 0.9}


def plan(arms, data):
    experiment = Experiment(base={"n_max": 60, "imbalance_ratio": 10.0, "epochs": 2}, arms=arms, seeds=1)
    asked = {"settings": {}, "trials": 2, "epochs": None, "seeds": None, "seed": 0, "machine": CPU}
    return make_plan("mine", experiment, data, **asked)


@pytest.fixture
def mixed(digits):
    arms = [
        Arm(name="ce", label="CE", search={"lr": SPACES["lr"]}),
        Arm(name="cb", label="CB-CE", knobs=WEIGHTED),
        Arm(name="all", label="CE, balanced", knobs=BALANCED | WEIGHTED),
    ]
    return plan(arms, digits)


def lines(plan, data):
    text = plan_text(plan, data, "results/mine", ["  at once: 2 trials"], 60.0)
    return text.splitlines()


def test_arms_of_the_same_counts_have_one_line(digits):
    shown = lines(plan_of("cb_focal", digits), digits)
    assert shown[:4] == [
        "cb_focal, preset digits: 13 arms on digits, 10 classes",
        "  training images in final runs:  124 80 51 33 21 14 9 5 3 2 (342 in all), exponential profile, "
        "imbalance ratio 50 (lowered from 100, for so few images)",
        "  training images in the search:  104 67 43 28 18 11 7 4 3 2 (287 in all)",
        "  CE trains with:  model=convnet, optimizer=adam, lr=0.001, batch_size=64, weight_decay=0.0005, "
        "schedule=constant, augment=none",
    ]


def test_arms_of_different_counts_have_a_line_each(mixed, digits):
    tail = " ".join(map(str, TAIL))
    assert lines(mixed, digits)[1:5] == [
        "  training images in final runs:",
        f"    {tail} ({sum(TAIL)} in all), exponential profile, imbalance ratio 10: CE; CB-CE",
        f"   {' 60' * 10} (600 in all), exponential profile, imbalance ratio 1: CE, balanced",
        f"  training images in the search:  {tail} ({sum(TAIL)} in all)",
    ]


@pytest.mark.parametrize(
    ("name", "settings", "tail"),
    [
        ("tta", {}, "linear profile, imbalance ratio 10"),
        ("cb_focal", {"imbalance_ratio": 50.0}, "exponential profile, imbalance ratio 50"),
        ("cb_focal", {"profile": "none"}, "as they are, imbalance ratio 1.07"),
    ],
)
def test_a_ratio_that_nobody_lowered_is_said_as_it_is(digits, name, settings, tail):
    assert lines(plan_of(name, digits, settings=settings), digits)[1].endswith(f" in all), {tail}")


def test_sweep_json_and_the_note_on_weights_take_each_arms_own(mixed, digits):
    assert {name: counts.tolist() for name, counts in final_counts(mixed, digits).items()} == {
        "ce": TAIL,
        "cb": TAIL,
        "all": [60] * 10,
    }
    described = describe(mixed, digits, {"dataset": "digits", "experiment": "mine"}, "")
    assert [arm.train_counts for arm in described.arms] == [TAIL, TAIL, [60] * 10]
    ratio = (1 - 0.9 ** TAIL[0]) / (1 - 0.9 ** TAIL[-1])
    assert f": CB-CE {ratio:.3f}; CE, balanced 1.000." in weight_note(mixed, digits)


def test_an_arm_whose_counts_the_data_cannot_give_is_refused(digits):
    with pytest.raises(InputError, match="class '0' has 128 images to draw from"):
        plan([Arm(name="ce", label="CE"), Arm(name="more", label="more", knobs={"n_max": 500})], digits)


def test_the_time_of_an_arm_is_that_of_its_own_images(mixed):
    """With a clock that counts images."""
    counts = {1.0: np.full(10, 60), 10.0: np.array(TAIL)}

    def timed(config):
        return float(counts[config.imbalance_ratio].sum())

    expected = {"ce": sum(TAIL), "cb": sum(TAIL), "all": 600}
    assert timing.seconds_per_epoch_by_arm(mixed, timed) == expected


def test_the_time_is_said_from_where_it_counts(digits):
    told = lines(plan_of("tta", digits), digits)[-1]
    assert told.startswith("  time:    about 60 s from this plan to the table, by timed steps and ")


def test_the_data_is_said_in_at_most_twelve_lines(digits):
    assert data_lines(digits)[:2] == [
        "  images of each class (training + validation, test):",
        "    0 108 + 20, 50; 1 112 + 20, 50; 2 107 + 20, 50; 3 113 + 20, 50; 4 111 + 20, 50; 5 112 + 20, 50;",
    ]
    counts = np.repeat(np.arange(100), 10)
    many = replace(
        digits,
        class_names=tuple(f"a class with a long name, {k}" for k in range(100)),
        train_labels=counts,
        test_labels=counts,
        val_per_class=None,
        notes=tuple(f"note {i}" for i in range(20)),
    )
    shown = data_lines(many)
    assert len(shown) == 12
    assert "a class with a long… 5 + 5, 10" in shown[1]
    assert "... 91 more ..." in "".join(shown)
    assert shown[-1].endswith("; note 18; note 19")
