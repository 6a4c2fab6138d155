import pytest
import torch

from lt_core.build import build
from lt_core.config import TrainConfig
from lt_core.errors import InputError
from lt_core.hardware import on_this_machine
from lt_core.models import MODELS


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
        # torchvision's 5,288,548 less its classifier, with ours
        ("efficientnet_b0", 5_288_548 - 1_281_000 + 12_810),
    ],
)
def test_parameter_counts(name, parameters):
    assert sum(p.numel() for p in MODELS[name](10, 3, 32).parameters()) == parameters


def test_a_model_whose_last_layer_is_not_where_it_says_is_one_line(digits, monkeypatch):
    entry = MODELS.entry(lambda C, channels, size: torch.nn.Sequential(torch.nn.Flatten()), classifier="head")
    monkeypatch.setitem(MODELS, "mine", entry)
    with pytest.raises(InputError, match=r"^Sequential has no linear layer 'head': register it"):
        build(on_this_machine(TrainConfig.parse({"model": "mine"})), digits)
