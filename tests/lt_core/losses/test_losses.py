"""Every loss against plain loops over examples and classes, in float64, and its gradient."""

import math

import numpy as np
import pytest
import torch

from lt_core.config import TrainConfig
from lt_core.data import class_counts
from lt_core.losses.class_weights import WEIGHTINGS, class_weights
from lt_core.losses.losses import LOSSES, bind, start_bias
from lt_core.losses.objective import Objective
from lt_core.models import MODELS
from lt_core.targets import Targets

LOGITS = torch.tensor(
    [[2.0, -1.0, 0.5], [0.1, 0.2, -3.0], [5.0, 4.0, -4.0], [0.0, 0.0, 0.0]], dtype=torch.float64
)
LABELS = torch.tensor([0, 2, 1, 1])
COUNTS = [100, 10, 2]
TAU, MAX_MARGIN, SCALE = 1.5, 0.4, 8.0


def softmax(row):
    exps = [math.exp(z) for z in row]
    return [e / sum(exps) for e in exps]


def ce_reference(row, y, gamma):
    return -math.log(softmax(row)[y])


def focal_reference(row, y, gamma):
    p = softmax(row)[y]
    return -((1 - p) ** gamma) * math.log(p)


def focal_sigmoid_reference(row, y, gamma):
    total = 0.0
    for j, z in enumerate(row):
        p = 1 / (1 + math.exp(-z if j == y else z))
        total += -((1 - p) ** gamma) * math.log(p)
    return total


def logit_adjusted_reference(row, y, gamma):
    adjusted = [z + TAU * math.log(n / sum(COUNTS)) for z, n in zip(row, COUNTS, strict=True)]
    return -math.log(softmax(adjusted)[y])


def ldam_reference(row, y, gamma):
    cosines = [z / SCALE for z in row]
    cosines[y] -= MAX_MARGIN * (min(COUNTS) / COUNTS[y]) ** 0.25
    return -math.log(softmax([SCALE * cosine for cosine in cosines])[y])


REFERENCES = {
    "ce": ce_reference,
    "focal": focal_reference,
    "focal_sigmoid": focal_sigmoid_reference,
    "logit_adjusted": logit_adjusted_reference,
    "ldam": ldam_reference,
}


def test_every_loss_has_a_reference():
    assert set(REFERENCES) == set(LOSSES)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("name", sorted(REFERENCES))
def test_values_and_gradient(name, gamma):
    knobs = TrainConfig(gamma=gamma, tau=TAU, max_margin=MAX_MARGIN, cosine_scale=SCALE)
    loss = bind(name, knobs, torch.tensor(COUNTS, dtype=torch.float64))
    expected = [REFERENCES[name](row, y, gamma) for row, y in zip(LOGITS.tolist(), LABELS, strict=True)]
    torch.testing.assert_close(loss(LOGITS, LABELS), torch.tensor(expected, dtype=torch.float64))
    logits = LOGITS.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda z: loss(z, LABELS), logits)


def test_focal_at_gamma_0_is_cross_entropy():
    torch.testing.assert_close(LOSSES["focal"](LOGITS, LABELS, gamma=0.0), LOSSES["ce"](LOGITS, LABELS))


@pytest.mark.parametrize("name", ["focal", "focal_sigmoid"])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_is_finite_where_the_answer_is_certain(name, gamma):
    logits = torch.tensor([[100.0, -100.0], [-100.0, 100.0]], requires_grad=True)
    loss = LOSSES[name](logits, torch.tensor([0, 0]), gamma=gamma)
    loss.sum().backward()
    assert torch.isfinite(loss).all()
    assert torch.isfinite(logits.grad).all()


def test_balanced_softmax_is_logit_adjustment_at_tau_1():
    """Ren et al. 2020, eq. 4: n_y exp(z_y) over the sum of n_k exp(z_k)."""
    counts = torch.tensor(COUNTS, dtype=torch.float64)
    balanced = counts * LOGITS.exp()
    expected = -torch.log(balanced[range(4), LABELS] / balanced.sum(dim=1))
    torch.testing.assert_close(LOSSES["logit_adjusted"](LOGITS, LABELS, tau=1.0, counts=counts), expected)
    plain = LOSSES["logit_adjusted"](LOGITS, LABELS, tau=0.0, counts=counts)
    torch.testing.assert_close(plain, LOSSES["ce"](LOGITS, LABELS))


def test_the_rarest_class_has_the_whole_margin_and_16_times_as_many_images_half_of_it():
    logits, counts = torch.zeros(2, 2, dtype=torch.float64), torch.tensor([48.0, 3.0])
    losses = LOSSES["ldam"](logits, torch.tensor([0, 1]), max_margin=0.5, cosine_scale=30.0, counts=counts)
    assert losses.tolist() == pytest.approx([math.log(1 + math.exp(30 * m)) for m in (0.25, 0.5)])


def test_reductions():
    weights = torch.tensor([0.5, 1.5, 1.0], dtype=torch.float64)
    losses = LOSSES["ce"](LOGITS, LABELS)
    by_weights = Objective(LOSSES["ce"], weights, "weights")(LOGITS, Targets(LABELS))
    torch.testing.assert_close(by_weights, torch.nn.functional.cross_entropy(LOGITS, LABELS, weight=weights))
    by_batch = Objective(LOSSES["ce"], weights, "batch")(LOGITS, Targets(LABELS))
    expected = sum(weights[y] * loss for y, loss in zip(LABELS, losses, strict=True)) / 4
    torch.testing.assert_close(by_batch, expected)


def test_cb_focal_sigmoid_is_cuis_with_the_true_classs_weight_on_every_output():
    counts = np.array([100, 10, 1])
    weights = torch.tensor(class_weights("effective_number", counts, 0.99))
    loss = bind("focal_sigmoid", TrainConfig(gamma=1.0), torch.tensor(counts))
    ours = Objective(loss, weights, "batch")(LOGITS, Targets(LABELS))
    raw = [(1 - 0.99) / (1 - 0.99**n) for n in counts]
    expected = 0.0
    for row, y in zip(LOGITS.tolist(), LABELS.tolist(), strict=True):
        expected += raw[y] / sum(raw) * 3 * focal_sigmoid_reference(row, y, 1.0)
    assert ours.item() == pytest.approx(expected / 4, rel=1e-12)


def test_prior_bias_starts_every_sigmoid_at_one_in_c():
    model = MODELS["convnet"](10, 1, 8)
    start_bias("focal_sigmoid", model.classifier)
    torch.testing.assert_close(torch.sigmoid(model.classifier.bias), torch.full((10,), 0.1))


def test_effective_number_weights_at_ratio_100():
    counts = class_counts("exponential", np.full(10, 5000), 100)
    weights = class_weights("effective_number", counts, 0.9999)
    assert weights[0] == pytest.approx(0.0506, abs=5e-5)
    assert weights[-1] == pytest.approx(3.9927, abs=5e-5)


@pytest.mark.parametrize(("beta", "ratio"), [(0.1, 1.000), (0.5, 1.000), (0.9, 1.005)])
def test_small_beta_weighs_head_and_tail_alike(beta, ratio):
    weights = class_weights("effective_number", np.array([5000, 50]), beta)
    assert weights[1] / weights[0] == pytest.approx(ratio, abs=5e-4)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("none", [1, 1]), ("inverse", [0.4, 1.6]), ("inverse_sqrt", [2 / 3, 4 / 3])],
)
def test_weightings_by_value(name, expected):
    assert class_weights(name, np.array([4, 1]), 0.9) == pytest.approx(expected)


@pytest.mark.parametrize("name", sorted(WEIGHTINGS))
def test_every_weighting_sums_to_the_number_of_classes(name):
    assert class_weights(name, np.array([500, 50, 5, 1]), 0.999).sum() == pytest.approx(4)


def test_beta_0_weighs_all_alike():
    assert class_weights("effective_number", np.array([4, 1]), 0.0).tolist() == [1, 1]
