"""A run in small refuses what cannot be trained with."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lt_core.batches.samplers import SAMPLERS
from lt_core.config import TrainConfig
from lt_core.errors import InputError
from lt_core.losses.class_weights import WEIGHTINGS
from lt_core.losses.losses import LOSSES
from lt_core.models import MODELS
from lt_core.rehearsal import rehearse

WANTED = r"a float tensor of shape \[16\] is wanted"


@pytest.fixture
def own():
    """Registers what a test gives as "own", and takes it back."""
    used = []

    def register(registry, thing, **about):
        used.append(registry)
        registry.register("own", **about)(thing)

    yield register
    for registry in used:
        del registry["own"]


def tried(digits, **knobs):
    usual = {"imbalance_ratio": 10.0, "epochs": 2, "device": "cpu", "augment": "crop"}
    return rehearse(TrainConfig.parse(usual | knobs), digits)


def ce(logits, labels):
    return F.cross_entropy(logits, labels, reduction="none")


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda z, y: ce(z, y).mean(), rf"loss=own returns float32 of shape \[\]: {WANTED}"),
        (lambda z, y: z, rf"loss=own returns float32 of shape \[16, 10\]: {WANTED}"),
        (lambda z, y: ce(z, y).long(), rf"loss=own returns int64 of shape \[16\]: {WANTED}"),
        (lambda z, y: ce(z, y).detach().numpy(), rf"loss=own returns ndarray: {WANTED}"),
        (lambda z, y: None, rf"loss=own returns NoneType: {WANTED}"),
        (lambda z, y: (ce(z, y), 1), rf"loss=own returns tuple: {WANTED}"),
        (lambda z, y: ce(z, y).detach(), "loss=own returns what has no gradient: it must follow the logits"),
    ],
)
def test_losses(digits, own, loss, message):
    own(LOSSES, loss)
    with pytest.raises(InputError, match=message):
        tried(digits, loss="own")


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (torch.arange(9) - 1, "sampler=own returns the indices -1 to 7: 0 to 420"),
        (torch.arange(9) * 1000, "sampler=own returns the indices 0 to 8000: 0 to 420"),
        (torch.zeros(9), r"sampler=own returns torch\.float32: int64 indices are wanted"),
        ([0, 1], "sampler=own returns list: int64 indices are wanted"),
        (torch.zeros(0, dtype=torch.int64), "sampler=own returns the indices none: 0 to 420"),
    ],
)
def test_samplers(digits, own, draw, message):
    own(SAMPLERS, lambda labels, counts, stream: draw)
    with pytest.raises(InputError, match=message):
        tried(digits, sampler="own")


@pytest.mark.parametrize("stage2", [False, True])
def test_what_is_wrong_in_stage_2_alone(digits, own, stage2):
    own(SAMPLERS, lambda labels, counts, stream: torch.zeros(3))
    knobs = {"stage1_share": 0.5, "stage2_sampler": "own" if stage2 else "class_balanced"}
    if not stage2:
        assert tried(digits, **knobs) == []
        return
    with pytest.raises(InputError, match="sampler=own returns"):
        tried(digits, **knobs)


def test_models(digits, own):
    class Own(nn.Module):
        def __init__(self, classes, channels, size):
            super().__init__()
            self.fc = nn.Linear(channels * size * size, classes + 1)

        def forward(self, images):
            return self.fc(images.flatten(1))

    own(MODELS, Own, classifier="fc")
    with pytest.raises(
        InputError, match=r"model=own returns float32 of shape \[16, 11\]: .* \[16, 10\] is wanted"
    ):
        tried(digits, model="own")


@pytest.mark.parametrize("first", [-1.0, float("nan")])
def test_class_weights(digits, own, first):
    own(WEIGHTINGS, lambda counts, beta: np.where(np.arange(len(counts)) == 0, first, counts))
    with pytest.raises(InputError, match="weighting=own returns"):
        tried(digits, weighting="own")


def test_a_sampler_that_balances_and_did_not_say_so_is_a_warning(digits, own):
    def balanced(labels, counts, stream):
        return torch.multinomial((1 / counts)[labels], 300, replacement=True, generator=stream)

    own(SAMPLERS, balanced)
    assert tried(digits, sampler="own") == []
    assert tried(digits, sampler="own", weighting="effective_number") == [
        "warning: sampler=own and weighting=effective_number both favour rare classes "
        "(register the sampler with balances=True)"
    ]


@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_every_loss_of_ours_passes(digits, loss):
    classifier = LOSSES[loss].classifier or "linear"
    assert tried(digits, loss=loss, classifier=classifier, mixup_alpha=0.2, tta="horizontal") == []
