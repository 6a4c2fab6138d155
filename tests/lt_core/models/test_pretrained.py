"""Weights from elsewhere: loaded bit for bit, or refused in one line that says what to do."""

import dataclasses

import numpy as np
import pytest
import torch
from torchvision import models as torchvision
from torchvision.models import EfficientNet_B0_Weights

from lt_core.build import build
from lt_core.config import TrainConfig
from lt_core.errors import InputError
from lt_core.hardware import on_this_machine
from lt_core.train import train
from tests.lt_core.runs import copied

KNOBS = {"model": "efficientnet_b0", "precision": "fp32", "profile": "counts", "counts": (4,) * 10}


@pytest.fixture(scope="module")
def weights():
    with torch.random.fork_rng():
        torch.manual_seed(7)
        return torchvision.efficientnet_b0().state_dict()


@pytest.fixture(scope="module")
def file(weights, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "b0.pth"
    torch.save(weights, path)
    return str(path)


@pytest.fixture(scope="module")
def coloured(digits):
    """Digits with three channels, as ImageNet's weights have them, and few to evaluate on."""

    def repeat(images):
        return np.repeat(images, 3, axis=3)

    return dataclasses.replace(
        digits,
        train_images=repeat(digits.train_images),
        test_images=repeat(digits.test_images[:20]),
        test_labels=digits.test_labels[:20],
    )


def made(data, **knobs):
    return build(on_this_machine(TrainConfig.parse(KNOBS | knobs)), data)


def backbone(state):
    return {name: value for name, value in state.items() if not name.startswith(("classifier.", "fc."))}


def test_a_file_is_loaded_into_the_features_bit_for_bit(coloured, file, weights):
    found = made(coloured, pretrained=file).features.state_dict()
    assert found.keys() == backbone(weights).keys()
    for name, value in backbone(weights).items():
        assert torch.equal(found[name], value)


def test_the_classifier_stays_new(coloured, file):
    loaded, fresh = made(coloured, pretrained=file), made(coloured)
    assert torch.equal(loaded.classifier.weight, fresh.classifier.weight)
    assert loaded.classifier.weight.shape == (10, 1280)
    assert not torch.equal(loaded.features.features[0][0].weight, fresh.features.features[0][0].weight)


def test_a_cosine_classifier_goes_with_it(coloured, file):
    assert made(coloured, pretrained=file, classifier="cosine").classifier.weight.shape == (10, 1280)


def test_training_starts_from_the_file(coloured, file, weights):
    """At a rate of next to nothing the weights after an epoch are those of the file."""
    frozen = {"optimizer": "sgd", "lr": 1e-30, "weight_decay": 0.0, "evaluate_on": "test", "epochs": 1}
    (epoch,) = train(TrainConfig.parse(KNOBS | frozen | {"pretrained": file}), coloured)
    state = copied(epoch.snapshot())["model"]
    for name, value in backbone(weights).items():
        if "running" not in name and "num_batches" not in name:
            torch.testing.assert_close(state[f"features.{name}"], value, rtol=0, atol=1e-20)


def test_imagenet_is_read_from_torchvisions_cache(coloured, weights, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    place = tmp_path / "hub" / "checkpoints" / EfficientNet_B0_Weights.IMAGENET1K_V1.url.rpartition("/")[2]
    place.parent.mkdir(parents=True)
    torch.save(weights, place)
    found = made(coloured, pretrained="imagenet").features.state_dict()
    assert all(torch.equal(found[name], value) for name, value in backbone(weights).items())


def refusal(data, **knobs):
    with pytest.raises(InputError) as error:
        made(data, **knobs)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_missing_file_is_named(coloured, tmp_path):
    path = tmp_path / "none.pth"
    line = refusal(coloured, pretrained=str(path))
    assert line.startswith(f"pretrained={path}: no such file; imagenet fetches")


@pytest.mark.parametrize("content", [b"no weights\nat all", b"", b"PK\x03\x04"])
def test_a_file_that_torch_cannot_read_is_named(coloured, tmp_path, content):
    path = tmp_path / "wrong.pth"
    path.write_bytes(content)
    assert f"pretrained={path} is no file of weights that torch can read" in refusal(
        coloured, pretrained=str(path)
    )


@pytest.mark.parametrize("content", [[1, 2], {"epoch": 3}, {"model": {"weight": torch.zeros(1)}}], ids=str)
def test_a_file_of_something_else_is_named(coloured, tmp_path, content):
    path = tmp_path / "other.pth"
    torch.save(content, path)
    assert refusal(coloured, pretrained=str(path)) == (
        f"pretrained={path}: holds no state dict as torchvision saves it"
    )


def test_weights_of_another_model_do_not_fit(coloured, tmp_path):
    path = tmp_path / "resnet.pth"
    torch.save(torchvision.resnet18().state_dict(), path)
    line = refusal(coloured, pretrained=str(path))
    assert line.startswith(f"pretrained={path} does not fit model=efficientnet_b0 on this data: ")


def test_weights_for_colours_do_not_fit_grey_images(digits, file):
    line = refusal(digits, pretrained=file)
    assert line.startswith(f"pretrained={file} does not fit model=efficientnet_b0 on this data: ")


def test_imagenet_is_not_there_for_every_model(coloured):
    assert refusal(coloured, pretrained="imagenet", model="convnet") == (
        "pretrained=imagenet: there are weights for efficientnet_b0, not for convnet; give a file"
    )


def test_without_a_network_the_line_says_where_the_file_goes(coloured, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    line = refusal(coloured, pretrained="imagenet")
    place = tmp_path / "hub" / "checkpoints" / EfficientNet_B0_Weights.IMAGENET1K_V1.url.rpartition("/")[2]
    assert line.startswith(f"pretrained=imagenet: the weights are not at {place} and cannot be fetched (")
    assert line.endswith("put the file there, or give its path, --set pretrained=FILE")


def test_a_run_starts_from_the_whole_network_that_another_has_kept(digits, tmp_path):
    knobs = {"imbalance_ratio": 20.0, "epochs": 2, "precision": "fp32", "ema_decay": 0.9}
    last = list(train(TrainConfig.parse(knobs), digits))[-1]
    kept = str(tmp_path / "kept.pt")
    torch.save(last.weights(), kept)
    again = TrainConfig.parse(knobs | {"pretrained": kept, "evaluate_untrained": True, "seed": 0})
    first = next(train(again, digits))
    assert first.epoch == 0
    assert first.eval_loss == last.eval_loss  # what was evaluated is what is started from
    assert (first.eval_confusion == last.eval_confusion).all()


def test_weights_of_another_network_are_refused_in_one_line(digits, tmp_path):
    kept = str(tmp_path / "kept.pt")
    torch.save({"model": "resnet32", "weights": {"x": torch.ones(1)}}, kept)
    for model, message in (
        ("convnet", "was kept by a run with model=resnet32, not convnet$"),
        ("resnet32", "does not fit"),
    ):
        config = TrainConfig.parse({"imbalance_ratio": 20.0, "pretrained": kept, "model": model})
        with pytest.raises(InputError, match=message) as error:
            next(train(config, digits))
        assert "\n" not in str(error.value)
