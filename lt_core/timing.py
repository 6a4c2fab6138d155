"""How long an epoch will take, from one timed step."""

import time

import numpy as np
import torch

from lt_core import seeds
from lt_core.batches.samplers import SAMPLERS
from lt_core.build import build
from lt_core.config import TrainConfig
from lt_core.data import Dataset
from lt_core.data.split import split_indices
from lt_core.evaluation.inference import BATCH, forward, views
from lt_core.hardware import on_this_machine
from lt_core.optimizers import make_optimizer


def seconds_per_epoch(config: TrainConfig, data: Dataset) -> float:
    """Time one training step and one evaluation batch, on noise, and scale them to an epoch.

    Returns seconds, evaluation included. Sets torch's threads to the config's.
    """
    torch.set_num_threads(config.threads)
    config = on_this_machine(config)
    _, held, counts = split_indices(config, data)
    evaluated = len(data.test_labels) if held is None else len(held)
    drawn = images_per_epoch(config, counts)
    batch = min(config.batch_size, drawn)
    model = build(config, data)
    optimizer = make_optimizer(config, config.lr, model.parameters())
    channels, side = data.train_images.shape[-1], data.image_size
    images = torch.rand(max(batch, BATCH), channels, side, side, device=config.device)

    def step() -> None:
        forward(model, images[:batch], config).mean().backward()
        optimizer.step()

    def evaluation() -> None:
        with torch.no_grad():
            for view in views(images[:BATCH], config.tta):
                forward(model, view, config)

    step()
    train = _seconds(step, config.device) * drawn / batch
    return train + _seconds(evaluation, config.device) * evaluated / BATCH


def images_per_epoch(config: TrainConfig, counts: np.ndarray) -> int:
    """Return how many images an epoch of stage 1 passes through the model, from class counts [C]."""
    if config.noise_variances:
        counts = np.full_like(counts, counts.max())
    labels = torch.from_numpy(np.repeat(np.arange(len(counts)), counts))
    stream = seeds.generator(config.seed, "timing")
    drawn = len(SAMPLERS[config.sampler](labels, torch.from_numpy(counts).float(), stream))
    return 2 * drawn if config.irm_penalty and config.irm_environments == "sampling" else drawn


def _seconds(work, device: str) -> float:
    started = time.perf_counter()
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started
