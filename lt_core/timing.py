"""How long an epoch will take, from one timed step."""

import time

import torch

from lt_core.config import TrainConfig
from lt_core.data import Dataset
from lt_core.train import EVALUATION_BATCH, build, forward, on_this_machine, split_indices


def seconds_per_epoch(config: TrainConfig, data: Dataset) -> float:
    """Time one training step and one evaluation batch, on noise, and scale them to an epoch.

    Returns seconds, evaluation included. Sets torch's threads to the config's.
    """
    torch.set_num_threads(config.threads)
    config = on_this_machine(config)
    chosen, held, _ = split_indices(config, data)
    evaluated = len(data.test_labels) if held is None else len(held)
    batch = min(config.batch_size, len(chosen))
    model, optimizer = build(config, data)
    channels, side = data.train_images.shape[-1], data.image_size
    images = torch.rand(max(batch, EVALUATION_BATCH), channels, side, side, device=config.device)

    def step() -> None:
        forward(model, images[:batch], config).mean().backward()
        optimizer.step()

    def evaluation() -> None:
        with torch.no_grad():
            forward(model, images[:EVALUATION_BATCH], config)

    step()
    train = _seconds(step, config.device) * len(chosen) / batch
    return train + _seconds(evaluation, config.device) * evaluated / EVALUATION_BATCH


def _seconds(work, device: str) -> float:
    started = time.perf_counter()
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started
