"""What an epoch holds, by sampler: frequencies within four binomial standard errors."""

import numpy as np
import pytest
import torch

from lt_core import seeds
from lt_core.batches.samplers import SAMPLERS

COUNTS = [100, 36, 16, 4]
LABELS = torch.tensor(np.repeat(range(4), COUNTS))[torch.randperm(156, generator=seeds.generator(0, "mixed"))]


def draw(name, *stream):
    return SAMPLERS[name](LABELS, torch.tensor(COUNTS).float(), seeds.generator(1, *stream))


def by_class(indices):
    return torch.bincount(LABELS[indices], minlength=4).tolist()


SHARES = {  # of the classes in an epoch
    "instance": [100 / 156, 36 / 156, 16 / 156, 4 / 156],
    "class_balanced": [1 / 4] * 4,
    "square_root": [10 / 22, 6 / 22, 4 / 22, 2 / 22],
    "under": [1 / 4] * 4,
    "over": [1 / 4] * 4,
}


@pytest.mark.parametrize("name", sorted(SAMPLERS))
def test_a_sampler_draws_its_number_and_balances_if_it_says_so(name):
    epochs = [draw(name, epoch) for epoch in range(60)]
    number = {"under": len(COUNTS) * min(COUNTS), "over": len(COUNTS) * max(COUNTS)}.get(name, sum(COUNTS))
    assert {len(epoch) for epoch in epochs} == {number}
    n, shares = sum(map(len, epochs)), SHARES[name]
    for found, share in zip(by_class(torch.cat(epochs)), shares, strict=True):
        assert found == pytest.approx(n * share, abs=4 * (n * share * (1 - share)) ** 0.5)
    assert SAMPLERS[name].balances == (shares[-1] >= shares[0])


@pytest.mark.parametrize("name", ["class_balanced", "square_root"])
def test_within_a_class_every_image_is_as_likely(name):
    drawn = torch.cat([draw(name, epoch) for epoch in range(60)])
    for k, size in enumerate(COUNTS):
        members = torch.nonzero(k == LABELS).flatten()
        times = torch.bincount(drawn, minlength=156)[members].double()
        mean = times.mean().item()
        assert times.tolist() == pytest.approx([mean] * size, abs=5 * mean**0.5)


def test_instance_is_every_image_once():
    assert sorted(draw("instance").tolist()) == list(range(156))


def test_under_is_the_smallest_class_of_each_without_replacement():
    indices = draw("under")
    assert by_class(indices) == [4] * 4
    assert len(set(indices.tolist())) == 16
    assert set(draw("under", "next").tolist()) != set(indices.tolist())


def test_over_is_the_largest_class_of_each_and_every_image_as_often_as_it_goes():
    indices = draw("over")
    assert by_class(indices) == [100] * 4
    times = torch.bincount(indices, minlength=156)
    for k, size in enumerate(COUNTS):
        own = times[k == LABELS]
        assert own.min() >= 100 // size >= 1
        assert own.max() <= -(-100 // size)


@pytest.mark.parametrize("name", sorted(SAMPLERS))
def test_the_order_is_the_streams_alone_and_mixes_the_classes(name):
    first = draw(name)
    torch.manual_seed(99)
    assert torch.equal(draw(name), first)
    assert not torch.equal(draw(name, "another"), first)
    changes = (LABELS[first].diff() != 0).sum().item()
    assert changes >= len(first) // 4
