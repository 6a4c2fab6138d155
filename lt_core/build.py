"""The network that a config describes, and what it is trained to minimise."""

import numpy as np
import torch
from torch import Tensor, nn

from lt_core import seeds
from lt_core.batches.augment import Normalise
from lt_core.config import TrainConfig
from lt_core.data import Dataset
from lt_core.errors import InputError
from lt_core.losses.class_weights import class_weights
from lt_core.losses.losses import bind, start_bias
from lt_core.losses.objective import Objective, epsilon_by_class, smoothed
from lt_core.models import MODELS, pretrained
from lt_core.models.classifiers import CosineLinear, name_classifier, replace_classifier
from lt_core.stages import Stage

START_IMAGES = 5000  # at most: of what a model starts from


def build(config: TrainConfig, data: Dataset) -> nn.Module:
    """Return the initialised model on its device; ``classifier_name`` says where its last layer is."""
    if config.image_size not in (None, data.image_size):
        raise InputError(f"image_size={config.image_size}, but the data was loaded at {data.image_size}")
    entry = MODELS[config.model]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seeds.derive(config.seed, "initialisation"))
        model = entry(data.num_classes, data.train_images.shape[-1], data.image_size)
        classifier = name_classifier(model, entry.classifier)
        start_bias(config.loss, classifier)
        if config.classifier == "cosine":
            width, classes = classifier.in_features, classifier.out_features
            replace_classifier(model, CosineLinear(width, classes, config.cosine_scale))
    if config.pretrained:
        pretrained.load(model, config.model, config.pretrained)
    layout = torch.channels_last if config.channels_last else torch.contiguous_format
    return model.to(config.device).to(memory_format=layout)


def start_from(model: nn.Module, config: TrainConfig, images: Tensor, normalise: Normalise) -> None:
    """Set, in place, what a model takes from its training images, uint8 [N, S, S, channels]."""
    start = MODELS[config.model].start
    if start and not config.pretrained:
        start(model, normalise(images[:: -(-len(images) // START_IMAGES)]).cpu())


def make_objective(config: TrainConfig, stage: Stage, counts: Tensor, epoch: int) -> Objective:
    """Return what the epoch minimises; ``counts`` float32 [C] of the training items."""
    n = counts.cpu().numpy().astype(np.float64)
    begun = (epoch - 1) / config.epochs
    weighting = stage.weighting if begun >= config.reweight_after else "none"
    weights = torch.tensor(class_weights(weighting, n, config.beta), dtype=torch.float32)
    epsilon = epsilon_by_class(n, stage.label_smoothing, stage.label_smoothing_tail)
    by_class = torch.tensor(epsilon, dtype=torch.float32, device=counts.device)
    return Objective(
        loss=smoothed(bind(config.loss, config, counts), by_class, config.smoothing_over),
        weights=weights.to(counts.device),
        reduction=config.reduction,
        penalty=config.irm_penalty if begun >= config.irm_warmup else 0.0,
    )
