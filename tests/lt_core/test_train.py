"""The trial itself, on digits."""

import dataclasses

import numpy as np
import pytest
import torch

from lt_core import train as core
from lt_core.batches.batches import Batches
from lt_core.config import TrainConfig
from lt_core.data.split import split_indices
from lt_core.errors import Diverged
from lt_core.evaluation.inference import is_evaluated
from lt_core.losses.losses import LOSSES
from lt_core.losses.objective import Objective
from lt_core.models import MODELS
from lt_core.schedules import lr_at
from tests.lt_core.runs import FAST, rows


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_same_config_gives_the_same_bits(digits, precision):
    config = TrainConfig(**FAST | {"precision": precision, "augment": "crop_flip", "seed": 3})
    first = rows(config, digits)
    torch.manual_seed(99)  # nothing may hang on the global stream
    assert rows(config, digits) == first
    assert rows(config.model_copy(update={"seed": 4}), digits) != first


def test_golden_loss_trace(digits):
    """Recorded once in fp32; a change here changes every result and must be meant."""
    config = TrainConfig(**FAST | {"loss": "focal", "weighting": "effective_number", "augment": "crop"})
    trace = [(e.train_loss, e.eval_loss) for e in core.train(config, digits)]
    np.testing.assert_allclose(trace, GOLDEN, rtol=1e-3)


GOLDEN = [[2.170360, 2.085906], [1.524731, 1.728417], [1.199073, 1.396438]]


@pytest.mark.parametrize("loss", sorted(LOSSES))
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_every_loss_learns(digits, loss, optimizer):
    lr = 0.05 if optimizer == "sgd" else 1e-3
    classifier = "cosine" if loss == "ldam" else "linear"
    knobs = {"loss": loss, "classifier": classifier, "optimizer": optimizer, "lr": lr, "epochs": 8}
    config = TrainConfig(**FAST | knobs)
    last = list(core.train(config, digits))[-1]
    assert last.macro_recall > 0.5


@pytest.mark.parametrize("model", sorted(MODELS))
def test_every_model_trains(digits, model):
    config = TrainConfig(**FAST | {"model": model, "epochs": 1})
    (epoch,) = core.train(config, digits)
    assert epoch.eval_confusion.sum() == 200
    assert np.isfinite(epoch.train_loss)


def test_a_run_is_evaluated_where_it_is_asked_to_be_and_at_its_end(digits):
    config = TrainConfig(**FAST | {"epochs": 5})
    whole = list(core.train(config, digits))
    some = list(core.train(config.model_copy(update={"evaluate_at": (0.2, 0.5)}), digits))
    assert [epoch.eval_confusion is not None for epoch in some] == [True, False, True, False, True]
    for a, b in zip(whole, some, strict=True):
        assert (a.train_loss, a.lr) == (b.train_loss, b.lr)
        assert b.macro_recall in (a.macro_recall, None)
        assert (b.eval_loss is None) == (b.recall_by_tau is None) == (b.best_adjusted_recall is None)
    last = core.train(config.model_copy(update={"evaluate_at": ()}), digits)
    assert [epoch.macro_recall for epoch in last] == [None] * 4 + [whole[-1].macro_recall]


def test_shares_are_epochs_without_an_error_of_rounding():
    config = TrainConfig(evaluate_at=(0.1, 0.7))
    for epochs in range(1, 300):
        at = [epoch for epoch in range(1, epochs + 1) if is_evaluated(config, epoch, epochs)]
        assert set(at) == {-(-epochs // 10), -(-7 * epochs // 10), epochs}


def test_class_weights_act(digits):
    """With all weight on the tail, the tail is what gets predicted."""
    plain, weighted = (
        list(core.train(TrainConfig(**FAST | {"weighting": weighting, "imbalance_ratio": 100.0}), digits))[-1]
        for weighting in ("none", "inverse")
    )
    tail = slice(7, 10)
    assert weighted.eval_confusion[:, tail].sum() > 1.5 * plain.eval_confusion[:, tail].sum()


def test_a_run_on_val_never_reads_test(digits):
    config = TrainConfig(**FAST)
    noise = np.zeros_like(digits.test_images)
    blind = dataclasses.replace(digits, test_images=noise, test_labels=digits.test_labels[::-1])
    assert rows(config, blind) == rows(config, digits)


def test_evaluating_on_test_trains_on_everything(digits):
    val = split_indices(TrainConfig(**FAST), digits)
    test = split_indices(TrainConfig(**FAST | {"evaluate_on": "test"}), digits)
    assert val[2][0] == 104
    assert test[2][0] == 124
    assert np.bincount(digits.train_labels[val[1]]).tolist() == [20] * 10
    assert test[1] is None


@pytest.mark.parametrize("lr", [1e30, 1e18])
def test_a_run_that_diverges_says_so(digits, lr):
    config = TrainConfig(**FAST | {"optimizer": "sgd", "lr": lr})
    with pytest.raises(Diverged, match=r"loss is (nan|inf) in epoch"):
        list(core.train(config, digits))


def test_schedules_go_over_the_full_budget():
    def lrs(schedule, **knobs):
        config = TrainConfig(schedule=schedule, **knobs)
        return [lr_at(config, 1.0, progress) for progress in (0, 0.5, 0.6, 0.8, 1.0)]

    assert lrs("constant") == [1, 1, 1, 1, 1]
    assert lrs("steps") == pytest.approx([1, 1, 0.1, 0.01, 0.01])
    assert lrs("cosine") == pytest.approx([1, 0.5, 0.3454915, 0.0954915, 0], abs=1e-6)
    assert lrs("steps", milestones=(0.5, 0.55), decay=0.5) == [1, 0.5, 0.25, 0.25, 0.25]
    assert lrs("constant", warmup=0.75) == pytest.approx([0, 2 / 3, 0.8, 1, 1])
    assert lrs("cosine", warmup=0.6) == pytest.approx([0, 5 / 6, 1, 0.5, 0])
    assert lrs("steps", warmup=0.7) == pytest.approx([0, 5 / 7, 6 / 7, 0.01, 0.01])


def test_a_single_left_over_image_sits_the_epoch_out():
    def lengths(n):
        config = TrainConfig(batch_size=32)
        batches = Batches(torch.zeros(n, 8, 8, 1, dtype=torch.uint8), torch.arange(n) % 2, config, 2)
        return [len(batch) for batch in batches.epoch(config.sampler, "crop_flip", 1)]

    assert lengths(65) == [32, 32]
    assert lengths(66) == [32, 32, 2]


def test_a_loss_that_is_no_number_ends_the_run_within_the_epoch(digits, monkeypatch):
    steps = []
    monkeypatch.setattr(Objective, "risk", lambda self, z, _: steps.append(1) or z.sum() * torch.nan)
    config = TrainConfig(**FAST | {"batch_size": 2})
    with pytest.raises(Diverged, match="the training loss is nan in epoch 1"):
        next(core.train(config, digits))
    assert len(steps) == core.LOSS_CHECK_STEPS
