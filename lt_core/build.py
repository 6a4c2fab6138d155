"""The model and the optimiser that a config describes."""

import torch
from torch import nn

from lt_core import seeds
from lt_core.config import TrainConfig
from lt_core.data import Dataset
from lt_core.errors import InputError
from lt_core.losses import losses
from lt_core.models import MODELS, pretrained
from lt_core.models.classifiers import CosineLinear
from lt_core.stages import Stage


def build(config: TrainConfig, data: Dataset) -> nn.Module:
    """Return the initialised model on its device."""
    if config.image_size not in (None, data.image_size):
        raise InputError(f"image_size={config.image_size}, but the data was loaded at {data.image_size}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seeds.derive(config.seed, "initialisation"))
        model = MODELS[config.model](data.num_classes, data.train_images.shape[-1], data.image_size)
        classifier = model.get_submodule("classifier")
        assert isinstance(classifier, nn.Linear)
        losses.prior_bias(config.loss, classifier)
        if config.classifier == "cosine":
            width, classes = classifier.in_features, classifier.out_features
            model.classifier = CosineLinear(width, classes, config.cosine_scale)
    if config.pretrained:
        pretrained.load(model, config.model, config.pretrained)
    layout = torch.channels_last if config.channels_last else torch.contiguous_format
    return model.to(config.device).to(memory_format=layout)


def make_optimizer(config: TrainConfig, stage: Stage, model: nn.Module) -> torch.optim.Optimizer:
    """Return the optimiser of what the stage trains."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if config.optimizer == "sgd":
        return torch.optim.SGD(trained, stage.lr, momentum=0.9, weight_decay=config.weight_decay)
    kind = torch.optim.Adam if config.optimizer == "adam" else torch.optim.AdamW
    return kind(trained, stage.lr, weight_decay=config.weight_decay)
