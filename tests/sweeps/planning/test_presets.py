"""Budgets: which one is taken, and that it suits the data."""

from dataclasses import replace

import numpy as np
import pytest

from lt_core.data import Dataset
from lt_core.data.split import split_indices
from lt_core.errors import InputError
from sweeps import experiments
from sweeps.planning import Arm, Experiment
from sweeps.planning.plan import final_counts, make_plan
from sweeps.planning.presets import for_data
from sweeps.search.study import ArmSearch
from tests.sweeps.plans import CPU, plan_of

NAMES = sorted(experiments.known())


def plan_for(experiment, data, settings=()):
    """The plan of an experiment of a user's own."""
    asked = {"trials": None, "epochs": None, "seeds": None, "seed": 0, "machine": CPU}
    return make_plan("mine", experiment, data, settings=dict(settings), **asked)


def own(smallest, long_tailed=False):
    """Data of a user's own: four classes, the last one the smallest."""
    labels = np.repeat(np.arange(4), [smallest + 9, smallest + 2, smallest + 1, smallest])
    images = np.zeros((len(labels), 8, 8, 3), np.uint8)
    return Dataset(
        name="mine",
        train_images=images,
        train_labels=labels,
        test_images=images[:4],
        test_labels=np.arange(4),
        class_names=("a", "b", "c", "d"),
        val_per_class=None,
        flips=True,
        max_imbalance_ratio=None,
        benchmark=None,
        preset=None,
        long_tailed=long_tailed,
        fingerprint="",
        copy="",
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("preset", ["digits", "cpu", "gpu"])
def test_every_preset_of_every_experiment_makes_a_plan(name, preset, digits):
    plan = plan_of(name, digits, preset=preset)
    budget = plan.experiment.presets[preset]
    assert (plan.preset, plan.trials, plan.seeds) == (preset, budget.trials, budget.seeds)
    for arm in plan.arms:
        own = {**arm.arm.start, **arm.arm.recipe, **arm.arm.knobs}
        for knob, value in budget.knobs.items():
            assert getattr(arm.config, knob) == own.get(knob, value)


@pytest.mark.parametrize("name", NAMES)
def test_digits_have_their_preset_and_other_data_that_of_what_trials_run_on(name, digits):
    for device, preset in (("cpu", "cpu"), ("cuda", "gpu")):
        machine = {"threads": 1, "device": device}
        assert plan_of(name, digits, machine=machine).preset == "digits"
        assert plan_of(name, replace(digits, preset=None), machine=machine).preset == preset


def test_what_is_asked_for_goes_before_the_preset(digits):
    plan = plan_of("mixup", digits, settings={"batch_size": 16}, trials=5, epochs=7, seeds=2)
    assert (plan.preset, plan.trials, plan.seeds) == ("digits", 5, 2)
    assert {(arm.config.batch_size, arm.config.epochs) for arm in plan.arms} == {(16, 7)}


def test_a_knob_that_is_set_has_its_value_everywhere_and_is_no_longer_searched(digits):
    plan = plan_of("joint", digits, settings={"beta": 0.99})
    assert {arm.config.beta for arm in plan.arms} == {0.99}
    assert not any("beta" in arm.search for arm in plan.arms)
    assert plan.notes == [
        "class weights, searched: beta is fixed at 0.99, no longer searched",
        "joint: beta is fixed at 0.99, no longer searched",
    ]


@pytest.mark.parametrize("knob", ["mixup_alpha", "label_smoothing", "stage1_share"])
def test_a_technique_that_an_arm_is_called_without_cannot_be_set(digits, knob):
    with pytest.raises(InputError, match=f"--set {knob}: {knob}=.* defines the arm 'CE', it cannot be set"):
        plan_of("joint", digits, settings={knob: 0.4})


def test_few_images_of_a_class_are_a_warning():
    few = "warning: class 'a' has 1 test images: its recall will be noisy"
    assert few in plan_of("frontier", own(300)).notes
    plenty = replace(own(300), test_images=np.zeros((20, 8, 8, 3), np.uint8), test_labels=np.arange(20) % 4)
    assert not any("warning" in note for note in plan_of("frontier", plenty).notes)
    notes = plan_of("frontier", replace(own(6), val_per_class=2)).notes
    assert any("2 validation images: selection will be noisy" in note for note in notes)


THINNED = "no class has more than twice the images of another: they are thinned to a long tail"
NATURAL = "the long tail that the data has by nature is used as it is"


def notes_on_the_tail(data, **settings):
    return [note for note in plan_of("tta", data, settings=settings).notes if "long tail" in note]


def test_own_data_is_told_that_it_is_thinned_or_is_not_and_how_to_have_it_otherwise(digits):
    assert notes_on_the_tail(own(40)) == [f"{THINNED}; --set profile=none uses all as they are"]
    assert notes_on_the_tail(own(40, long_tailed=True)) == [
        f"{NATURAL}; --set profile=exponential draws another from it"
    ]
    for profile in ("none", "exponential"):  # as the user has asked
        assert notes_on_the_tail(own(40), profile=profile) == []
    for benchmark in (digits, replace(own(40), benchmark="CIFAR-10")):
        assert notes_on_the_tail(benchmark) == []


def test_a_class_with_a_single_training_image_is_a_warning():
    few = "warning: one training image alone, too few to learn a class from: {}"
    scarce = replace(own(1, long_tailed=True), train_labels=np.repeat(np.arange(4), [30, 2, 9, 1]))
    plan = plan_of("cb_focal", scarce)  # of two, one is for validation
    assert few.format("b, d") in plan.notes
    assert not any("one training image" in note for note in plan_of("cb_focal", own(40)).notes)
    assert few.format("d") in plan_of("tta", own(40), settings={"n_max": 10}).notes


def test_the_first_proposal_of_a_joint_search_is_each_technique_as_it_is_started_alone(digits):
    plan = plan_of("joint", digits)
    joint = {arm.name: arm for arm in plan.arms}["joint"]
    proposed = ArmSearch(joint, 6, seed=0).propose().config
    for arm in plan.arms:
        for knob, value in arm.arm.start.items():
            assert getattr(proposed, knob) == pytest.approx(value)
    assert joint.arm.start.keys() == {"beta", "mixup_alpha", "label_smoothing", "stage1_share"}


@pytest.mark.parametrize("long_tailed", [False, True])
@pytest.mark.parametrize("smallest", [12, 40, 300])
@pytest.mark.parametrize("name", NAMES)
def test_no_preset_asks_own_data_for_more_images_than_there_are(name, smallest, long_tailed):
    data = own(smallest, long_tailed)
    for preset in ("cpu", "gpu"):
        for arm in plan_of(name, data, preset=preset).arms:
            for split in ("val", "test"):
                counts = split_indices(arm.config.model_copy(update={"evaluate_on": split}), data)[2]
                assert (counts >= 1).all()
                assert (counts <= data.train_counts).all()


def test_large_data_gets_the_presets_images():
    data = own(6000)
    assert plan_of("frontier", data, preset="cpu").arms[0].config.n_max == 2000
    assert plan_of("ladder", data, preset="gpu").arms[0].config.n_max == 5000


def test_the_long_tail_suits_the_data(digits):
    large = {"profile": "exponential", "imbalance_ratio": 100.0, "augment": "crop_flip"}
    assert for_data(own(6000)) == large
    assert for_data(own(6000), "linear", 10.0) == large | {"profile": "linear", "imbalance_ratio": 10.0}
    assert for_data(own(6000, long_tailed=True))["profile"] == "none"
    # 100 images, a fifth of them for validation: at ratio 20 the tail has four
    assert for_data(own(100)) == large | {"imbalance_ratio": 20.0}
    assert for_data(digits)["augment"] == "none"  # a 6 upside down is a 9
    assert for_data(digits)["imbalance_ratio"] <= 50


def test_an_own_experiment_uses_a_long_tail_by_nature_as_it_is(digits):
    experiment = Experiment(base={"imbalance_ratio": 5.0}, arms=[Arm(name="ce", label="CE")])
    natural = replace(digits, long_tailed=True, flips=True)
    plan, usual = (plan_for(experiment, data) for data in (natural, replace(digits, flips=True)))
    assert (plan.arms[0].config.profile, usual.arms[0].config.profile) == ("none", "exponential")
    assert final_counts(plan, natural)["ce"].tolist() == digits.train_counts.tolist()
    assert "the long tail that the data has by nature is used as it is" in plan.notes[0]
    asked = plan_for(experiment, natural, {"profile": "exponential"})
    assert final_counts(asked, natural)["ce"].tolist() == final_counts(usual, digits)["ce"].tolist()


def test_what_must_not_be_flipped_is_not_in_an_own_experiment(digits):
    experiment = Experiment(base={"imbalance_ratio": 5.0}, arms=[Arm(name="ce", label="CE")])
    assert plan_for(experiment, digits).arms[0].config.augment == "none"
    assert plan_for(experiment, replace(digits, flips=True)).arms[0].config.augment == "crop_flip"
