import pytest
import torch

from lt_core.build import build
from lt_core.config import TrainConfig
from lt_core.data.split import make_split
from lt_core.errors import InputError
from lt_core.hardware import on_this_machine
from lt_core.models import MODELS
from lt_core.models.airbench import whiten
from lt_core.train import Run


@pytest.mark.parametrize("name", sorted(MODELS))
@pytest.mark.parametrize(("channels", "size"), [(3, 32), (1, 8)])
def test_every_model_maps_images_to_logits(name, channels, size):
    model = MODELS[name](7, channels, size)
    assert isinstance(model.get_submodule(MODELS[name].classifier), torch.nn.Linear)
    assert model(torch.zeros(2, channels, size, size)).shape == (2, 7)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        # 27*32 + 2*32, 288*64 + 2*64, 4096*10 + 10
        ("convnet", 864 + 64 + 18_432 + 128 + 40_970),
        # He et al. 2016, table 6: 0.46 M, the count of the option-A network
        ("resnet32", 464_154),
        # torchvision's 11,689,512 less its classifier and 7x7 stem, with ours
        ("resnet18", 11_689_512 - 513_000 - 9_408 + 5_130 + 1_728),
        # 12*24 + 24; 9*(24*64 + 64*64), 9*(64*256 + 256*256), 9*2*256*256; 2*2*(64 + 256 + 256); 256*10
        ("airbench", 312 + 50_688 + 737_280 + 1_179_648 + 2_304 + 2_560),
        # torchvision's 5,288,548 less its classifier, with ours
        ("efficientnet_b0", 5_288_548 - 1_281_000 + 12_810),
    ],
)
def test_parameter_counts(name, parameters):
    assert sum(p.numel() for p in MODELS[name](10, 3, 32).parameters()) == parameters


def test_the_first_layer_of_airbench_whitens_the_training_images(digits):
    """Of what varies: corners of digits are always empty."""
    model, images = MODELS["airbench"](10, 3, 16), torch.randn(400, 3, 16, 16)
    mixing = torch.tensor([[1.0, 0.5, 0.2], [0.0, 2.0, 0.1], [0.3, 0.0, 0.7]])
    whiten(model, torch.einsum("ij,njab->niab", mixing, images))
    found = model.whiten(torch.einsum("ij,njab->niab", mixing, images)).transpose(0, 1).flatten(1)
    assert torch.equal(model.whiten.weight[:12], -model.whiten.weight[12:])
    torch.testing.assert_close(torch.cov(found[:12]), torch.eye(12), atol=0.02, rtol=0)
    assert not model.whiten.weight.requires_grad


def test_a_run_starts_its_network_from_its_own_images(digits):
    config = on_this_machine(TrainConfig(model="airbench_half", batch_size=32))
    run = Run(config, digits, make_split(config, digits, "cpu"))
    drawn = MODELS["airbench_half"](10, 1, 8).whiten.weight
    assert not torch.equal(run.model.whiten.weight, drawn)
    patches = (
        torch.nn.functional.unfold(run.batches.normalise(run.split.images), 2).transpose(1, 2).flatten(0, 1)
    )
    found = patches @ run.model.whiten.weight[:4].flatten(1).T
    second = found.T @ found / len(found)  # about 0
    torch.testing.assert_close(second, torch.eye(4), atol=0.02, rtol=0)


def test_a_model_whose_last_layer_is_not_where_it_says_is_one_line(digits, monkeypatch):
    entry = MODELS.entry(lambda C, channels, size: torch.nn.Sequential(torch.nn.Flatten()), classifier="head")
    monkeypatch.setitem(MODELS, "mine", entry)
    with pytest.raises(InputError, match=r"^Sequential has no linear layer 'head': register it"):
        build(on_this_machine(TrainConfig.parse({"model": "mine"})), digits)
