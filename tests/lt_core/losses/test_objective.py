"""The objective against plain loops over images and classes, in float64."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from lt_core.config import TrainConfig
from lt_core.losses.irm import invariance
from lt_core.losses.losses import bind
from lt_core.losses.objective import Objective, epsilon_by_class, smoothed
from lt_core.targets import Targets

B, C = 7, 4
STREAM = np.random.default_rng(0)
LOGITS = torch.tensor(STREAM.normal(0, 2, (B, C)))
FIRST = torch.tensor([0, 1, 2, 3, 0, 0, 2])
SECOND = torch.tensor([1, 1, 0, 2, 3, 0, 1])
SHARE = torch.tensor([1.0, 0.7, 0.5, 0.0, 0.9, 0.25, 0.6], dtype=torch.float64)
WEIGHTS = [0.2, 0.5, 1.3, 2.0]
EPSILON = [0.3, 0.2, 0.1, 0.0]
COUNTS = torch.tensor([40.0, 20.0, 8.0, 2.0], dtype=torch.float64)
MIXED, PLAIN = Targets(FIRST, SECOND, SHARE), Targets(FIRST)


def ce(row, y):
    return math.log(sum(math.exp(z) for z in row)) - row[y]


def focal(row, y):
    return (1 - math.exp(-ce(row, y))) ** 2 * ce(row, y)


def smooth_reference(loss, row, y, epsilon, over):
    if over == "all":
        target = [epsilon / C + (1 - epsilon) * (j == y) for j in range(C)]
    else:
        target = [1 - epsilon if j == y else epsilon / (C - 1) for j in range(C)]
    return sum(share * loss(row, j) for j, share in enumerate(target))


def objective_reference(loss, targets, reduction, epsilon, over, rows=range(B), w=1.0):
    total = norm = 0.0
    for i in rows:
        row = [w * z for z in LOGITS[i].tolist()]
        share = 1.0 if targets.share is None else targets.share[i].item()
        second = targets.first if targets.second is None else targets.second
        for part, y in ((share, targets.first[i].item()), (1 - share, second[i].item())):
            total += part * WEIGHTS[y] * smooth_reference(loss, row, y, epsilon[y], over)
            norm += part * WEIGHTS[y]
    return total / (norm if reduction == "weights" else len(rows))


def make(name, reduction, epsilon=(0.0,) * C, over="all", penalty=0.0):
    loss = bind(name, TrainConfig(gamma=2.0), COUNTS)
    loss = smoothed(loss, torch.tensor(epsilon, dtype=torch.float64), over)
    return Objective(loss, torch.tensor(WEIGHTS, dtype=torch.float64), reduction, penalty)


@pytest.mark.parametrize("over", ["all", "wrong"])
@pytest.mark.parametrize("epsilon", [[0.0] * C, [0.1] * C, EPSILON])
@pytest.mark.parametrize("targets", [PLAIN, MIXED], ids=["plain", "mixed"])
@pytest.mark.parametrize("reduction", ["batch", "weights"])
@pytest.mark.parametrize(("name", "reference"), [("ce", ce), ("focal", focal)])
def test_weights_mixing_and_smoothing_combine_as_written(name, reference, reduction, targets, epsilon, over):
    found = make(name, reduction, epsilon, over)(LOGITS, targets)
    expected = objective_reference(reference, targets, reduction, epsilon, over)
    assert found.item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", ["ce", "focal", "focal_sigmoid", "logit_adjusted", "ldam"])
@pytest.mark.parametrize("reduction", ["batch", "weights"])
def test_its_gradient(name, reduction):
    objective = make(name, reduction, EPSILON, "wrong")
    assert torch.autograd.gradcheck(lambda z: objective(z, MIXED), LOGITS.clone().requires_grad_())


def test_one_hot_shares_are_no_mixing():
    ones, zeros = torch.ones(B, dtype=torch.float64), torch.zeros(B, dtype=torch.float64)
    objective = make("ce", "weights", EPSILON)
    assert objective(LOGITS, Targets(FIRST, SECOND, ones)) == objective(LOGITS, PLAIN)
    assert objective(LOGITS, Targets(SECOND, FIRST, zeros)) == objective(LOGITS, PLAIN)


@pytest.mark.parametrize("epsilon", [0.1, 0.5, 1.0])
def test_smoothing_over_all_classes_is_torchs(epsilon):
    loss = smoothed(bind("ce", None, COUNTS), torch.full((C,), epsilon, dtype=torch.float64), "all")
    expected = F.cross_entropy(LOGITS, FIRST, label_smoothing=epsilon, reduction="none")
    torch.testing.assert_close(loss(LOGITS, FIRST), expected)


@pytest.mark.parametrize("name", ["ce", "focal", "focal_sigmoid", "ldam"])
def test_smoothing_over_wrong_classes_is_the_same_with_a_larger_epsilon(name):
    loss = bind(name, TrainConfig(), COUNTS)
    wrong = smoothed(loss, torch.full((C,), 0.3, dtype=torch.float64), "wrong")
    every = smoothed(loss, torch.full((C,), 0.3 * C / (C - 1), dtype=torch.float64), "all")
    torch.testing.assert_close(wrong(LOGITS, FIRST), every(LOGITS, FIRST))


def test_the_most_that_wrong_classes_can_take_leaves_every_class_alike():
    most = torch.full((C,), (C - 1) / C, dtype=torch.float64)
    loss = smoothed(bind("ce", None, COUNTS), most, "wrong")
    torch.testing.assert_close(loss(LOGITS, FIRST), -LOGITS.log_softmax(dim=1).mean(dim=1))


def test_weights_act_by_true_class_and_not_on_the_smoothed_target():
    """What torch does with weight= and label_smoothing= is another thing, and meant to be."""
    ours = make("ce", "batch", [0.1] * C)(LOGITS, PLAIN)
    weight = torch.tensor(WEIGHTS, dtype=torch.float64)
    theirs = F.cross_entropy(LOGITS, FIRST, weight=weight, label_smoothing=0.1, reduction="sum") / B
    assert abs(ours - theirs) > 0.01


def test_epsilon_by_class():
    """Half way between the counts the sine of 45 degrees, a third of the way that of 30."""
    assert epsilon_by_class(np.array([9, 5, 1]), 0.2, None).tolist() == [0.2] * 3
    assert epsilon_by_class(np.array([5, 5, 5]), 0.2, 0.6).tolist() == [0.2] * 3
    by_class = epsilon_by_class(np.array([61, 31, 21, 1]), 0.4, 0.1)
    assert by_class.tolist() == pytest.approx([0.4, 0.1 + 0.3 * 0.5**0.5, 0.1 + 0.3 * 0.5, 0.1])
    rising = epsilon_by_class(np.array([61, 31, 21, 1]), 0.0, 0.3)
    assert rising.tolist() == pytest.approx([0.0, 0.3 - 0.3 * 0.5**0.5, 0.15, 0.3], abs=1e-15)


@pytest.mark.parametrize("targets", [PLAIN, MIXED], ids=["plain", "mixed"])
@pytest.mark.parametrize("reduction", ["batch", "weights"])
@pytest.mark.parametrize(("name", "reference"), [("ce", ce), ("focal", focal)])
def test_the_penalty_is_the_product_of_both_halves_slopes(name, reference, reduction, targets):
    def slope(rows, h=1e-5):
        at = [
            objective_reference(reference, targets, reduction, EPSILON, "all", rows, w)
            for w in (1 + h, 1 - h)
        ]
        return (at[0] - at[1]) / (2 * h)

    risk = make(name, reduction, EPSILON).risk
    expected = slope(range(0, B, 2)) * slope(range(1, B, 2))
    assert invariance(risk, LOGITS, targets).item() == pytest.approx(expected, rel=1e-7)


def test_the_penalty_of_cross_entropy_in_closed_form():
    """d/dw of -log softmax(w z)_y at 1 is E_p[z] - z_y."""
    slopes = (LOGITS.softmax(dim=1) * LOGITS).sum(dim=1) - LOGITS[range(B), FIRST]
    unweighted = Objective(bind("ce", None, COUNTS), torch.ones(C, dtype=torch.float64), "batch")
    expected = slopes[0::2].mean() * slopes[1::2].mean()
    torch.testing.assert_close(invariance(unweighted.risk, LOGITS, PLAIN), expected)


def test_the_penalty_has_a_gradient_of_its_own():
    risk = make("ce", "weights").risk
    assert torch.autograd.gradcheck(lambda z: invariance(risk, z, PLAIN), LOGITS.clone().requires_grad_())


def test_a_single_image_has_no_penalty():
    assert invariance(make("ce", "batch").risk, LOGITS[:1], PLAIN[slice(1)]) == 0


@pytest.mark.parametrize("penalty", [0.0, 3.0])
@pytest.mark.parametrize("reduction", ["batch", "weights"])
def test_environments_add_up(reduction, penalty):
    environment = torch.tensor([0, 2, 0, 2, 2, 5, 0])
    objective = make("ce", reduction, penalty=penalty)
    expected = 0.0
    for members in ([0, 2, 6], [1, 3, 4], [5]):
        logits, targets = LOGITS[members], PLAIN[torch.tensor(members)]
        expected += objective_reference(ce, PLAIN, reduction, [0.0] * C, "all", members)
        expected += penalty * invariance(objective.risk, logits, targets).item()
    assert objective(LOGITS, PLAIN, environment).item() == pytest.approx(expected, rel=1e-12)


def test_without_environments_the_penalty_is_silent():
    assert make("ce", "batch", penalty=9.0)(LOGITS, PLAIN) == make("ce", "batch")(LOGITS, PLAIN)
