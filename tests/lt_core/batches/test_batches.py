"""Noise refill and tail classes by value."""

import pytest
import torch

from lt_core.batches.augment import Draws
from lt_core.batches.batches import Batches, Drawn, tail_mask
from lt_core.batches.refill import refill
from lt_core.config import TrainConfig

LABELS = torch.tensor([0, 0, 0, 0, 0, 1, 1, 2])


def test_a_refill_copies_all_images_of_a_class_under_one_variance_and_then_under_the_next():
    origin, noise = refill(LABELS, 3, (0.5, 2.0))
    assert origin.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, *(5, 6, 5), *(7, 7, 7, 7)]
    assert noise.tolist() == [0.0] * 8 + [0.5, 0.5, 2.0] + [0.5, 2.0, 0.5, 2.0]


def test_without_variances_nothing_is_refilled():
    origin, noise = refill(LABELS, 3, None)
    assert origin.tolist() == list(range(8))
    assert noise.tolist() == [0.0] * 8


def test_copies_have_noise_of_their_variance_drawn_anew_and_originals_none():
    config = TrainConfig(noise_variances=(0.25,))
    images = torch.arange(8, dtype=torch.uint8)[:, None, None, None].expand(8, 64, 64, 1).contiguous()
    batches = Batches(images, LABELS, config, 3)
    clean = batches.normalise(images)
    first, second = (batches.load(Drawn(torch.arange(15), Draws()), mixes=False) for _ in range(2))
    assert first.targets.first.tolist() == [*LABELS.tolist(), 1, 1, 1, 2, 2, 2, 2]
    assert batches.counts.tolist() == [5, 5, 5]
    assert torch.equal(first.images[:8], clean)
    noise = first.images[8:] - clean[batches.origin[8:]]
    n = noise.numel()
    assert noise.mean().item() == pytest.approx(0, abs=4 * 0.5 / n**0.5)
    assert noise.var().item() == pytest.approx(0.25, abs=4 * 0.25 * (2 / n) ** 0.5)
    assert not torch.equal(first.images[8:], second.images[8:])


def test_the_tail_is_named_or_below_the_mean():
    counts = torch.tensor([100.0, 30.0, 20.0, 10.0])  # mean 40, median 20 or 25
    assert tail_mask(counts, None).tolist() == [False, True, True, True]
    assert tail_mask(counts, (0, 3)).tolist() == [True, False, False, True]
    assert tail_mask(counts, ()).tolist() == [False] * 4
