"""Steps by hand: SAM, Nesterov's momentum, and the learning rate of biases."""

import numpy as np
import pytest
import torch
from torch import nn

from lt_core.config import TrainConfig
from lt_core.errors import InputError
from lt_core.optimizers import descend, make_optimizer, set_lr


def one_layer(weight, bias=None):
    layer = nn.Linear(len(weight), 1, bias=bias is not None)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([weight]))
        if bias is not None:
            layer.bias.fill_(bias)
    return layer


def bowl(layer, curvature):
    """Return the objective sum_i c_i w_i^2 / 2, whose gradient is c * w."""

    def objective():
        value = (torch.tensor(curvature) * layer.weight.flatten() ** 2).sum() / 2
        return value, layer.weight

    return objective


def test_sam_takes_the_gradient_uphill_and_steps_from_where_it_was():
    layer, w, c, rho, lr = one_layer([3.0, -1.0]), np.array([3.0, -1.0]), np.array([2.0, 0.5]), 0.3, 0.1
    config = TrainConfig(optimizer="sgd", weight_decay=0, lr=lr)
    optimizer = make_optimizer(config, lr, layer.named_parameters())
    value, _ = descend(optimizer, bowl(layer, c.tolist()), layer, rho)
    uphill = w + rho * (c * w) / np.linalg.norm(c * w)
    assert value.item() == pytest.approx((c * w**2).sum() / 2)
    np.testing.assert_allclose(layer.weight.detach().numpy()[0], w - lr * c * uphill, rtol=1e-6)


def test_sam_leaves_the_statistics_of_batch_norm_to_the_first_pass():
    images = torch.randn(16, 3, generator=torch.Generator().manual_seed(0))

    def statistics(rho):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
        config = TrainConfig(optimizer="sgd")
        optimizer = make_optimizer(config, 0.1, model.named_parameters())
        descend(optimizer, lambda: (model(images).pow(3).sum(), images), model, rho)
        return model[1].running_mean, model[1].momentum

    assert torch.equal(statistics(None)[0], statistics(0.5)[0])
    assert statistics(0.5)[1] == 0.1


def test_nesterov_looks_ahead():
    layer, lr = one_layer([1.0]), 0.1
    config = TrainConfig(optimizer="sgd", nesterov=True, weight_decay=0)
    optimizer = make_optimizer(config, lr, layer.named_parameters())
    w, momentum = 1.0, 0.0
    for _ in range(3):
        descend(optimizer, bowl(layer, [2.0]), layer, None)
        momentum = 0.9 * momentum + 2 * w
        w -= lr * (2 * w + 0.9 * momentum)
        assert layer.weight.item() == pytest.approx(w, rel=1e-5)
    with pytest.raises(InputError, match="nesterov: needs optimizer=sgd"):
        TrainConfig.parse({"nesterov": True})


def test_biases_have_a_rate_of_their_own_and_the_same_decay_a_step():
    layer = one_layer([1.0], bias=1.0)
    config = TrainConfig(optimizer="sgd", bias_lr_factor=8.0, weight_decay=0.5)
    optimizer = make_optimizer(config, 1.0, layer.named_parameters())
    set_lr(optimizer, 0.1)
    descend(optimizer, lambda: (layer.weight.sum() + layer.bias.sum(), layer.weight), layer, None)
    assert layer.weight.item() == pytest.approx(1 - 0.1 * 1 - 0.1 * 0.5)
    assert layer.bias.item() == pytest.approx(1 - 0.8 * 1 - 0.1 * 0.5)
