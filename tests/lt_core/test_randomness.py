"""What draws outside the named streams: the same bits alone, beside others, and resumed."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lt_core.config import TrainConfig
from lt_core.losses import LOSSES
from lt_core.models import MODELS
from lt_core.train import train
from tests.lt_core.runs import FAST, copied, numbers, rows

FEW = {"profile": "counts", "counts": (6,) * 10, "batch_size": 20, "epochs": 3, "precision": "fp32"}


@pytest.fixture(autouse=True)
def own_things(monkeypatch):
    """A loss and a model of a user's own that draw from torch's global generator."""

    def noisy(logits, labels):
        return F.cross_entropy(logits + torch.randn_like(logits), labels, reduction="none")

    def dropout(num_classes, in_channels, image_size):
        body = nn.Sequential(
            nn.Flatten(), nn.Linear(in_channels * image_size**2, 64), nn.ReLU(), nn.Dropout(0.5)
        )
        return nn.Sequential(body, nn.Linear(64, num_classes))

    for registry, name, thing, about in (
        (LOSSES, "noisy", noisy, {}),
        (MODELS, "dropout", dropout, {"classifier": "1"}),
    ):
        monkeypatch.setitem(registry, name, registry.entry(thing, **about))


STAGES = {"stage1_share": 0.5, "stage2_classifier": "reset"}
RUNS = {
    **{model: FEW | {"model": model} for model in sorted(MODELS)},
    "own loss": FEW | {"loss": "noisy"},
    "own model": FEW | {"model": "dropout"},
    "own model, averaged, in two stages": FEW
    | {
        "model": "dropout",
        "loss": "noisy",
        "ema_decay": 0.9,
        "stage1_share": 0.5,
        "stage2_classifier": "reset",
    },
}


LARGE = ("resnet18", "efficientnet_b0")


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n in LARGE else n for n in RUNS])
def test_a_run_beside_others_or_resumed_has_the_bits_of_one_alone(digits, name):
    config = TrainConfig.parse(RUNS[name])
    alone, states = [], []
    for epoch in train(config, digits):
        alone.append(numbers(epoch))
        states.append(copied(epoch.snapshot()))
    torch.manual_seed(99)
    other = train(config.model_copy(update={"seed": 1}), digits)
    beside = []
    for epoch in train(config, digits):
        beside.append(numbers(epoch))
        next(other)
        torch.rand(3)
    assert beside == alone
    for done, state in enumerate(states, start=1):
        assert [numbers(epoch) for epoch in train(config, digits, state)] == alone[done:]


@pytest.mark.parametrize("knobs", [{"loss": "noisy"}, {"model": "dropout"}])
def test_the_seed_moves_what_is_drawn_and_the_global_generator_is_left_as_it_was(digits, knobs):
    config = TrainConfig.parse(FEW | knobs)
    torch.manual_seed(5)
    expected = torch.rand(4)
    torch.manual_seed(5)
    first = rows(config, digits)
    assert torch.equal(torch.rand(4), expected)
    plain = {"loss": "ce", "model": "convnet"}
    others = [rows(TrainConfig.parse(FEW | knobs | change), digits) for change in ({"seed": 1}, plain)]
    assert first not in others
    losses = [epoch[2] for epoch in first]
    assert len(set(losses)) == 3  # drawn anew every epoch


def test_the_untrained_network_is_epoch_0_and_moves_nothing(digits):
    plain = TrainConfig.parse(FAST | {"ema_decay": 0.9})
    with_0 = list(train(plain.model_copy(update={"evaluate_untrained": True}), digits))
    assert [numbers(epoch)[1:] for epoch in with_0[1:]] == [row[1:] for row in rows(plain, digits)]
    first = with_0[0]
    assert (first.epoch, first.lr, first.train_loss, first.train_confusion) == (0, None, None, None)
    assert first.eval_confusion.sum() == 200
    assert 0 <= first.macro_recall < 0.3
    assert first.eval_loss == pytest.approx(np.log(10), abs=0.3)


def test_a_run_that_goes_on_does_not_evaluate_the_untrained_network_again(digits):
    config = TrainConfig.parse(FAST | {"evaluate_untrained": True})
    found = [(numbers(epoch), copied(epoch.snapshot())) for epoch in train(config, digits)]
    assert [row[0] for row, _ in found] == [0, 1, 2, 3]
    for row, state in found:
        rest = [numbers(epoch) for epoch in train(config, digits, state)]
        assert rest == [later for later, _ in found if later[0] > row[0]]
