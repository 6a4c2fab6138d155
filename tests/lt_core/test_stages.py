"""Decoupling on digits: what stage 2 moves, what it leaves, and what is its own."""

import pytest
import torch

from lt_core.config import TrainConfig
from lt_core.stages import stages
from tests.lt_core.runs import counts, run, training

TWO = {"epochs": 2, "stage1_share": 0.5}
UNMOVED = {"stage2_lr_factor": 1e-27, "weight_decay": 0.0, "optimizer": "sgd"}  # x - lr * g is x
RESET = UNMOVED | {"stage2_classifier": "reset"}


def both(data, **knobs):
    """The state of the model at the end of either stage."""
    first, second = (state["model"] for _, state in run(data, **TWO | knobs))
    return first, second


def moved(first, second, part):
    """The names under ``part`` whose values are others in ``second``."""
    names = {name for name in first if name.startswith(part)} & set(second)
    return {name for name in names if not torch.equal(first[name], second[name])}


def is_statistic(name):
    return "running" in name or "num_batches" in name


@pytest.mark.parametrize("batch_norm", ["frozen", "moving"])
@pytest.mark.parametrize("kind", ["reset", "keep", "scale"])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_the_backbone_does_not_move_and_its_statistics_as_the_knob_says(digits, kind, batch_norm, optimizer):
    knobs = {"stage2_classifier": kind, "stage2_batch_norm": batch_norm, "optimizer": optimizer}
    first, second = both(digits, weight_decay=0.1, **knobs)
    statistics = {name for name in first if is_statistic(name)}
    assert len(statistics) == 6
    assert moved(first, second, "features") == (statistics if batch_norm == "moving" else set())
    if kind == "scale":
        assert not torch.equal(second["classifier.scale"], torch.ones(10))
    else:
        assert moved(first, second, "classifier") == {"classifier.weight", "classifier.bias"}


@pytest.mark.parametrize("classifier", ["linear", "cosine"])
def test_keep_trains_on_from_stage_1s_classifier(digits, classifier):
    first, second = both(digits, classifier=classifier, stage2_classifier="keep", **UNMOVED)
    assert moved(first, second, "classifier") == set()


@pytest.mark.parametrize("classifier", ["linear", "cosine"])
def test_reset_draws_the_classifier_anew_from_the_seed(digits, classifier):
    def second(**knobs):
        return both(digits, classifier=classifier, **RESET | knobs)[1]["classifier.weight"]

    first = both(digits, classifier=classifier, **RESET)[0]["classifier.weight"]
    bound = 1 / 16 if classifier == "linear" else (6 / 266) ** 0.5  # uniform: 1 / sqrt(256), Xavier's
    assert second().abs().max() <= bound
    assert second().std().item() == pytest.approx(bound / 3**0.5, rel=0.05)
    assert not torch.equal(second(), first)
    assert torch.equal(second(lr=0.1), second())  # whatever stage 1 learned
    assert not torch.equal(second(seed=1), second())


def test_reset_starts_a_sigmoid_loss_at_its_prior_again(digits):
    _, second = both(digits, loss="focal_sigmoid", **RESET)
    torch.testing.assert_close(second["classifier.bias"].sigmoid(), torch.full((10,), 0.1))


def test_scale_keeps_the_classifier_and_learns_a_factor_a_class_from_1(digits):
    first, second = both(digits, stage2_classifier="scale", **UNMOVED)
    assert torch.equal(second["classifier.scale"], torch.ones(10))
    first, second = both(digits, stage2_classifier="scale", stage2_lr_factor=10.0)
    assert torch.equal(second["classifier.fixed.weight"], first["classifier.weight"])
    assert torch.equal(second["classifier.fixed.bias"], first["classifier.bias"])
    assert (second["classifier.scale"] != 1).all()


def test_scale_from_1_evaluates_as_stage_1_did(digits):
    first, second = (epoch for epoch, _ in run(digits, **TWO | UNMOVED | {"stage2_classifier": "scale"}))
    assert second.eval_loss == first.eval_loss
    assert (second.eval_confusion == first.eval_confusion).all()


@pytest.mark.parametrize(
    "knobs",
    [
        {"stage2_lr_factor": 10.0},
        {"stage2_sampler": "instance"},
        {"stage2_weighting": "inverse", "stage2_sampler": "instance"},
        {"stage2_augment": "flip"},
        {"stage2_mix": True},
        {"stage2_label_smoothing": 0.3},
        {"stage2_label_smoothing": 0.0},
        {"stage2_label_smoothing": 0.1, "stage2_label_smoothing_tail": 0.3},
        {"stage2_classifier": "reset"},
        {"stage2_classifier": "scale"},
        {"stage2_batch_norm": "moving"},
    ],
    ids=str,
)
def test_a_stage2_knob_acts_in_stage_2_alone(digits, knobs):
    base = TWO | {"mixup_alpha": 1.0, "label_smoothing": 0.1}
    if "stage2_weighting" in knobs:
        base = base | {"stage2_sampler": "instance"}
    without, given = training(digits, **base), training(digits, **base | knobs)
    assert given[0] == without[0]
    assert given[1][2] != without[1][2]


@pytest.mark.parametrize(
    ("stage1", "default"),
    [
        ({}, {"stage2_lr_factor": 1.0}),
        ({}, {"stage2_sampler": "class_balanced"}),
        ({"weighting": "inverse"}, {"stage2_weighting": "none"}),
        ({"augment": "flip"}, {"stage2_augment": "flip"}),
        ({"mixup_alpha": 1.0}, {"stage2_mix": False}),
        ({"label_smoothing": 0.1}, {"stage2_label_smoothing": 0.1}),
        ({}, {"stage2_classifier": "keep"}),
        ({}, {"stage2_batch_norm": "frozen"}),
    ],
    ids=str,
)
def test_a_stage2_knob_that_is_not_given_is_as_described(digits, stage1, default):
    assert training(digits, **TWO | stage1) == training(digits, **TWO | stage1 | default)


def test_stage_2_begins_after_its_share_and_has_its_own_rate_and_budget(digits):
    config = {
        "epochs": 5,
        "stage1_share": 0.4,
        "lr": 0.01,
        "stage2_lr_factor": 10.0,
        "stage2_sampler": "instance",
    }
    rates = [epoch.lr for epoch, _ in run(digits, schedule="steps", milestones=(0.5,), **config)]
    assert rates == pytest.approx([0.01, 0.001, 0.1, 0.01, 0.01])


def test_stage_2_draws_by_its_own_sampler(digits):
    n = counts(digits)
    first, second = run(digits, **TWO | {"stage2_sampler": "under"})
    assert first[0].train_confusion.sum(axis=1).tolist() == n.tolist()
    assert second[0].train_confusion.sum(axis=1).tolist() == [n.min()] * 10


def test_stage_2_draws_balanced_where_nothing_is_said(digits):
    N = counts(digits).sum()
    drawn = run(digits, **TWO)[1][0].train_confusion.sum(axis=1)
    assert drawn.tolist() == pytest.approx([N / 10] * 10, abs=4 * (N * 0.09) ** 0.5)


@pytest.mark.parametrize(("share", "epochs", "last"), [(0.5, 2, 1), (0.4, 5, 2), (0.1, 10, 1), (0.9, 10, 9)])
def test_stages_share_the_epochs(share, epochs, last):
    one, two = stages(TrainConfig(stage1_share=share, epochs=epochs))
    assert (one.number, one.first, one.last) == (1, 1, last)
    assert (two.number, two.first, two.last) == (2, last + 1, epochs)
    assert (two.progress(last + 1), two.progress(epochs, 1.0)) == (0, 1)


def test_without_a_split_there_is_one_stage():
    (only,) = stages(TrainConfig(epochs=7))
    assert (only.first, only.last, only.progress(4, 0.5)) == (1, 7, 0.5)


def test_the_average_begins_anew_in_stage_2(digits):
    """Stage 2 takes no step worth the name, so the average is what it began with: nothing of stage 1."""
    (_, first), (_, second) = run(digits, **TWO | RESET | {"ema_decay": 0.9})
    assert not torch.equal(first["average"]["module.classifier.weight"], first["model"]["classifier.weight"])
    for name, value in second["model"].items():
        torch.testing.assert_close(second["average"][f"module.{name}"], value)
