import numpy as np
import pytest

from lt_core import seeds
from lt_core.data import class_counts, draw, hold_out, validation_sizes
from lt_core.errors import InputError

CIFAR10 = np.full(10, 5000)


@pytest.mark.parametrize(
    ("ratio", "total", "last"),
    [(10, 20_431, 500), (50, 13_996, 100), (100, 12_406, 50)],
)
def test_exponential_counts_are_the_fields(ratio, total, last):
    counts = class_counts("exponential", CIFAR10, ratio)
    assert (counts[0], counts[-1], counts.sum()) == (5000, last, total)


def test_exponential_counts_at_ratio_100():
    expected = [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]
    assert class_counts("exponential", CIFAR10, 100).tolist() == expected


def test_linear_counts_are_those_of_the_ladder_study():
    counts = class_counts("linear", CIFAR10, 10)
    assert counts.tolist() == [5000, 4500, 4000, 3500, 3000, 2500, 2000, 1500, 1000, 500]


def test_step_has_either_half_scarce():
    assert class_counts("step", CIFAR10, 10).tolist() == [5000] * 5 + [500] * 5
    counts = class_counts("step_head_last", CIFAR10, 10)
    assert counts.tolist() == [500] * 5 + [5000] * 5
    assert counts.sum() == 27_500


def test_counts_and_none():
    available = np.array([7, 5, 9])
    assert class_counts("counts", available, counts=(1, 5, 2)).tolist() == [1, 5, 2]
    assert class_counts("none", available).tolist() == [7, 5, 9]


def test_n_max_defaults_to_the_smallest_class():
    assert class_counts("exponential", np.array([20, 10, 30]), 1).tolist() == [10, 10, 10]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"profile": "exponential", "n_max": 6000}, "class 0 has 5,000 images to draw from.*asks for 6,000"),
        (
            {"profile": "exponential", "n_max": 50, "imbalance_ratio": 100},
            "class 8 is left with no image .*: imbalance_ratio can be 50 at most, or n_max 100 at least$",
        ),
        (
            {"profile": "exponential", "imbalance_ratio": 6000, "names": "abcdefghij"},
            "class 'j' is left with no image .*: imbalance_ratio can be 5000 at most$",
        ),
        ({"profile": "counts", "counts": (1, 2)}, "2 entries, the data has 10 classes"),
        ({"profile": "counts", "counts": (0,) * 10}, "class 0 is left .*: counts must be 1 or more"),
    ],
)
def test_impossible_counts_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        class_counts(available=CIFAR10, **arguments)


def test_hold_out_and_draw_give_the_counts_and_never_share_an_image():
    labels = np.repeat(np.arange(3), [50, 40, 30])
    held, rest = hold_out(labels, np.full(3, 10), seeds.generator(0, "validation"))
    assert np.bincount(labels[held]).tolist() == [10, 10, 10]
    drawn = draw(labels, rest, np.array([40, 9, 2]), seeds.generator(0, "subset"))
    assert np.bincount(labels[drawn]).tolist() == [40, 9, 2]
    assert not set(held) & set(drawn)
    assert len(set(drawn)) == 51


def test_validation_is_a_fifth_at_least_5_at_most_500_and_never_more_than_half():
    counts = np.array([1, 8, 11, 100, 4000])
    assert validation_sizes(counts, None).tolist() == [0, 4, 5, 20, 500]
    assert validation_sizes(counts, 20).tolist() == [20] * 5


def test_hold_out_must_leave_an_image():
    stream = seeds.generator(0, "validation")
    with pytest.raises(InputError, match="class 'b' has 5 images, holding out 5 leaves none"):
        hold_out(np.repeat([0, 1], [20, 5]), np.array([5, 5]), stream, names="ab")


def test_the_advice_on_a_class_without_an_image_is_right():
    """A larger n_max is named where the larger class has as many; what is named is the least that will do."""
    available = np.array([90, 20])
    with pytest.raises(InputError, match="imbalance_ratio can be 20 at most, or n_max 30 at least"):
        class_counts("exponential", available, 30)
    assert class_counts("exponential", available, 30, n_max=30).tolist() == [30, 1]
    assert class_counts("exponential", available, 20).tolist() == [20, 1]
    for ratio, n_max in ((30, 29), (20.1, None)):
        with pytest.raises(InputError, match="class 1 is left with no image"):
            class_counts("exponential", available, ratio, n_max)
    with pytest.raises(InputError, match=r"imbalance_ratio can be 20 at most$"):
        class_counts("exponential", available, 95)


def test_the_subset_moves_with_the_seed():
    labels = np.zeros(100, dtype=int)
    subsets = [draw(labels, np.arange(100), np.array([50]), seeds.generator(s, "subset")) for s in (0, 0, 1)]
    assert (subsets[0] == subsets[1]).all()
    assert not (subsets[0] == subsets[2]).all()
