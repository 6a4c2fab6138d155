"""How long an epoch will take, from a few timed steps."""

import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from lt_core.config import TrainConfig
from lt_core.data import Dataset
from lt_core.data.split import make_split
from lt_core.evaluation.inference import BATCH, evaluate, forward, is_evaluated
from lt_core.hardware import on_this_machine
from lt_core.optimizers import descend
from lt_core.stages import set_training_mode, stages
from lt_core.train import Run

LEAST_SECONDS, FEWEST = 0.2, 3  # of timing, of steps: a single one may be interrupted


def seconds_per_epoch(config: TrainConfig, data: Dataset) -> float:
    """Time training steps of stage 1, on its own batches, and evaluation batches; scale them to an epoch.

    Returns seconds, with the evaluation that falls upon an epoch in the mean. Sets torch's threads to the
    config's.
    """
    torch.set_num_threads(config.threads)
    config = on_this_machine(config)
    run, stage = Run(config, data, make_split(config, data, config.device)), stages(config)[0]
    run.begin(stage)
    set_training_mode(run.model, stage, config)
    batches = run.batches.epoch(stage.sampler, stage.augment, 1)

    def step() -> None:
        batch = run.batches.load(batches[0], stage.mixes)

        def risk() -> tuple[Tensor, Tensor]:  # a loss of a user's own is for workers alone
            logits = forward(run.model, batch.images, config)
            return F.cross_entropy(logits, batch.targets.first), logits

        descend(run.optimizer, risk, run.model, config.sam_rho)

    seen = run.split.eval_images[:BATCH]

    def evaluation() -> None:
        evaluate(run.evaluated, run.batches.normalise, seen, config)

    with run.drawn_elsewhere:
        trained = _seconds(step, config.device) * sum(map(len, batches)) / len(batches[0])
        set_training_mode(run.model, stage, config)
        evaluated = _seconds(evaluation, config.device) * len(run.split.eval_images) / len(seen)
    often = sum(is_evaluated(config, epoch + 1, config.epochs) for epoch in range(config.epochs))
    return trained + evaluated * often / config.epochs


def _seconds(work: Callable[[], None], device: str) -> float:
    """Return the median of a few times, after one that is not counted."""
    times: list[float] = []
    work()
    while len(times) < FEWEST or sum(times) < LEAST_SECONDS:
        started = time.perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    return statistics.median(times)
