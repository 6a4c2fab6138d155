"""MixUp and CutMix: shares by counting pixels, draws by their moments."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lt_core import seeds
from lt_core.batches.mixing import cutmix, mix, mixup, random_box
from lt_core.config import TrainConfig
from lt_core.targets import Targets

SIDES, SEEDS, SHARES = st.integers(1, 40), st.integers(0, 2**31 - 1), st.floats(0, 1)
NO_TAIL = torch.zeros(2, dtype=torch.bool)


def zeros_and_ones(side):
    """An image of zeros of class 0 and one of ones of class 1, each the other's partner."""
    values = torch.tensor([0.0, 1.0])[:, None, None, None]
    return values.expand(2, 3, side, side).clone(), torch.tensor([0, 1]), torch.tensor([1, 0])


@given(SIDES, SHARES, SEEDS)
def test_a_box_lies_in_the_image_and_is_no_larger_than_it_should_be(side, share, seed):
    top, bottom, left, right = random_box(side, share, np.random.default_rng(seed))
    assert 0 <= top <= bottom <= side
    assert 0 <= left <= right <= side
    longest = side * (1 - share) ** 0.5 + 1  # rounding moves each edge by half a pixel
    assert max(bottom - top, right - left) <= longest


@given(st.integers(8, 40), st.floats(0.5, 0.9), SEEDS)
def test_a_box_that_touches_no_border_has_sides_of_the_root_of_its_share(side, share, seed):
    top, bottom, left, right = random_box(side, share, np.random.default_rng(seed))
    if top > 0 and bottom < side:
        assert abs((bottom - top) - side * (1 - share) ** 0.5) <= 1
    if left > 0 and right < side:
        assert abs((right - left) - side * (1 - share) ** 0.5) <= 1


@given(SIDES, SHARES, SEEDS)
def test_the_share_is_exactly_the_share_of_pixels_kept(side, share, seed):
    images, labels, partner = zeros_and_ones(side)
    box = random_box(side, share, np.random.default_rng(seed))
    mixed, targets = cutmix(images, labels, partner, torch.ones(2, dtype=torch.bool), box)
    for i, target in enumerate(targets.share):
        kept = [(channel == i).sum().item() for channel in mixed[i]]
        assert kept == [kept[0]] * 3
        assert target == torch.tensor(kept[0] / side**2)
    assert targets.first.tolist() == [0, 1]
    assert targets.second.tolist() == [1, 0]


@given(st.lists(st.booleans(), min_size=1, max_size=8), SIDES, SHARES, SEEDS)
def test_pairs_that_are_not_cut_stay_untouched_with_share_1(chosen, side, share, seed):
    rng = np.random.default_rng(seed)
    n = len(chosen)
    images, labels = torch.from_numpy(rng.random((n, 1, side, side))), torch.arange(n)
    partner, pairs = torch.from_numpy(rng.permutation(n)), torch.tensor(chosen)
    before, (top, bottom, left, right) = images.clone(), random_box(side, share, rng)
    mixed, targets = cutmix(images, labels, partner, pairs, (top, bottom, left, right))
    assert torch.equal(images, before)
    assert torch.equal(mixed[~pairs], images[~pairs])
    assert (targets.share[~pairs] == 1).all()
    inside = (slice(None), slice(top, bottom), slice(left, right))
    for i in torch.nonzero(pairs).flatten():
        expected = images[i].clone()
        expected[inside] = images[partner[i]][inside]
        assert torch.equal(mixed[i], expected)


@pytest.mark.parametrize("seed", range(20))
def test_tail_only_cuts_a_pair_where_either_image_is_of_the_tail(seed):
    rng = np.random.default_rng(seed)
    images, labels = torch.from_numpy(rng.random((16, 1, 8, 8))), torch.from_numpy(rng.integers(0, 4, 16))
    tail = torch.tensor([False, False, False, True])
    config = TrainConfig(cutmix_lambda=0.3, cutmix_tail_only=True)
    mixed, targets = mix(images, labels, config, tail, seeds.generator(seed, "mix"))
    either = (targets.first == 3) | (targets.second == 3)
    assert (targets.share[~either] == 1).all()
    assert torch.equal(mixed[~either], images[~either])
    assert (targets.share[either] < 1).all()
    assert 0 < either.sum() < 16


def test_mixup_by_value():
    images = torch.tensor([1.0, 10.0, 100.0])[:, None, None, None].expand(3, 1, 2, 2)
    mixed, targets = mixup(images, torch.tensor([5, 6, 7]), torch.tensor([2, 1, 0]), 0.75)
    assert mixed[:, 0, 0, 0].tolist() == [25.75, 10.0, 75.25]
    assert targets.first.tolist() == [5, 6, 7]
    assert targets.second.tolist() == [7, 6, 5]
    assert targets.share.tolist() == [0.75] * 3


def test_a_fixed_lambda_is_every_batchs():
    images, labels, _ = zeros_and_ones(8)
    stream = seeds.generator(0, "mix")
    for _ in range(20):
        mixed, targets = mix(images, labels, TrainConfig(mixup_lambda=0.8), NO_TAIL, stream)
        assert targets.share.tolist() == pytest.approx([0.8, 0.8])
        swapped = targets.second[0] == 1
        assert mixed[0, 0, 0, 0].item() == pytest.approx(0.2 if swapped else 0.0)


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_drawn_lambdas_have_the_mean_and_variance_of_a_beta(alpha):
    """Mean 1/2 and variance 1 / (4 (2 alpha + 1)), within four standard errors."""
    images, labels, stream = torch.zeros(2, 1, 1, 1), torch.tensor([0, 1]), seeds.generator(1, "mix")
    config, n = TrainConfig(mixup_alpha=alpha), 4000
    shares = [mix(images, labels, config, NO_TAIL, stream)[1].share[0].item() for _ in range(n)]
    variance = 1 / (4 * (2 * alpha + 1))
    assert np.mean(shares) == pytest.approx(0.5, abs=4 * (variance / n) ** 0.5)
    spread = (np.array(shares) - 0.5) ** 2
    assert spread.mean() == pytest.approx(variance, abs=4 * spread.std() / n**0.5)


@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_the_share_of_batches_that_are_cut(probability):
    images, labels, _ = zeros_and_ones(4)
    stream, n = seeds.generator(2, "mix"), 1000
    config = TrainConfig(cutmix_lambda=0.5, cutmix_probability=probability)
    targets = [mix(images, labels, config, NO_TAIL, stream)[1] for _ in range(n)]
    cut = sum(t.second is not None for t in targets)
    error = (n * probability * (1 - probability)) ** 0.5
    assert cut == pytest.approx(n * probability, abs=4 * error)


def test_every_partner_is_as_likely():
    images, labels, stream = torch.zeros(4, 1, 1, 1), torch.arange(4), seeds.generator(3, "mix")
    config, n = TrainConfig(mixup_alpha=1.0), 2000
    seconds = [mix(images, labels, config, NO_TAIL, stream)[1].second.tolist() for _ in range(n)]
    assert all(sorted(second) == [0, 1, 2, 3] for second in seconds)
    for i in range(4):
        found = np.bincount([second[i] for second in seconds], minlength=4)
        assert found == pytest.approx([n / 4] * 4, abs=4 * (n * 3 / 16) ** 0.5)


def test_without_a_knob_nothing_is_mixed_and_nothing_drawn():
    images, labels, _ = zeros_and_ones(4)
    stream = seeds.generator(0, "mix")
    before = stream.get_state()
    mixed, targets = mix(images, labels, TrainConfig(), NO_TAIL, stream)
    assert mixed is images
    assert (targets.second, targets.share) == (None, None)
    assert torch.equal(stream.get_state(), before)


def test_targets_are_chosen_together():
    targets = Targets(torch.tensor([1, 2, 3]), torch.tensor([4, 5, 6]), torch.tensor([0.1, 0.2, 0.3]))
    chosen = targets[torch.tensor([True, False, True])]
    assert (chosen.first.tolist(), chosen.second.tolist()) == ([1, 3], [4, 6])
    assert chosen.share.tolist() == pytest.approx([0.1, 0.3])
    assert Targets(torch.tensor([1, 2]))[slice(1, 2)].first.tolist() == [2]
