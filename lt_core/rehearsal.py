"""A run in small, before anything is begun: whether what a user has registered can be trained with."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from lt_core import seeds
from lt_core.batches.samplers import SAMPLERS
from lt_core.build import make_objective
from lt_core.config import TrainConfig
from lt_core.data import Dataset
from lt_core.data.split import make_split, split_indices
from lt_core.errors import InputError
from lt_core.evaluation.inference import evaluate, forward
from lt_core.hardware import on_this_machine
from lt_core.stages import Stage, set_training_mode, stages
from lt_core.train import Run

IMAGES = 2  # of each class
BATCH = 16
OFTEN = 2.0  # times its share of the images that the rarest class is drawn: more is called balancing


def rehearse(config: TrainConfig, data: Dataset) -> list[str]:
    """Take a step of each stage on a few images, with the true knobs, and evaluate; return notes.

    Raises:
        InputError: a sampler, a model, class weights or a loss return what cannot be trained with. What they
            raise themselves is passed on.
    """
    config = on_this_machine(config)
    torch.set_num_threads(config.threads)
    notes = [note for stage in stages(config) if (note := _check_sampler(config, stage, data))]
    few = _few(data)
    small = config.model_copy(
        update={"profile": "none", "counts": None, "evaluate_on": "test", "batch_size": BATCH}
    )
    run = Run(small, few, make_split(small, few, config.device))
    for stage in stages(config):
        run.begin(stage)
        with run.drawn_elsewhere:
            _step(run, stage)
            logits = evaluate(run.evaluated, run.batches.normalise, run.split.eval_images, config)
        _check(f"model={config.model} returns", logits, (len(few.test_labels), data.num_classes))
    return list(dict.fromkeys(notes))


def _few(data: Dataset) -> Dataset:
    """Return the first images of each class, as train and as test."""
    labels = data.train_labels
    chosen = np.concatenate([np.flatnonzero(labels == k)[:IMAGES] for k in range(data.num_classes)])
    images = np.asarray(data.train_images[chosen])
    return replace(
        data,
        train_images=images,
        train_labels=labels[chosen],
        test_images=images[:BATCH],
        test_labels=labels[chosen][:BATCH],
    )


def _step(run: Run, stage: Stage) -> None:
    config, model = run.config, run.model
    set_training_mode(model, stage, config)
    objective = make_objective(config, stage, run.batches.counts, stage.last)  # deferred weights act there
    batch = run.batches.load(run.batches.epoch(stage.sampler, stage.augment, stage.last)[0], stage.mixes)
    labels = batch.targets.first
    logits = forward(model, batch.images, config)
    _check(f"model={config.model} returns", logits, (len(labels), len(run.batches.counts)))
    weights = objective.weights
    _check(f"weighting={stage.weighting} returns", weights, (len(run.batches.counts),))
    if not (torch.isfinite(weights).all() and (weights >= 0).all()):
        raise InputError(f"weighting={stage.weighting} returns {weights.tolist()}: 0 or more is wanted")
    losses = objective.loss(logits, labels)
    _check(f"loss={config.loss} returns", losses, (len(labels),))
    if not losses.requires_grad:
        raise InputError(f"loss={config.loss} returns what has no gradient: it must follow the logits")
    run.optimizer.zero_grad()
    objective(logits, batch.targets, batch.environment).backward()
    run.optimizer.step()


def _check(what: str, found: object, shape: tuple[int, ...]) -> None:
    """Refuse what is not a tensor of numbers of a shape."""
    wanted = f"a float tensor of shape {list(shape)} is wanted"
    if not isinstance(found, Tensor):
        raise InputError(f"{what} {type(found).__name__}: {wanted}")
    if tuple(found.shape) != shape or not found.is_floating_point():
        kind = str(found.dtype).removeprefix("torch.")
        raise InputError(f"{what} {kind} of shape {list(found.shape)}: {wanted}")


def _check_sampler(config: TrainConfig, stage: Stage, data: Dataset) -> str | None:
    """Refuse an epoch that cannot be one, and say where a sampler balances without having said so."""
    chosen, _, counts = split_indices(config, data)
    labels = torch.from_numpy(data.train_labels[chosen])
    sampler, what = SAMPLERS[stage.sampler], f"sampler={stage.sampler} returns"
    order = sampler(labels, torch.from_numpy(counts).float(), seeds.generator(config.seed, "rehearsal"))
    if not isinstance(order, Tensor) or order.dtype != torch.int64 or order.dim() != 1:
        raise InputError(f"{what} {getattr(order, 'dtype', type(order).__name__)}: int64 indices are wanted")
    if not len(order) or order.min() < 0 or order.max() >= len(labels):
        ends = f"{order.min()} to {order.max()}" if len(order) else "none"
        raise InputError(f"{what} the indices {ends}: 0 to {len(labels) - 1} are wanted")
    rarest = int(counts.argmin())
    share = float((labels[order] == rarest).float().mean())
    if sampler.balances or share <= OFTEN * counts[rarest] / counts.sum() or stage.weighting == "none":
        return None
    both = f"sampler={stage.sampler} and weighting={stage.weighting}"
    return f"warning: {both} both favour rare classes (register the sampler with balances=True)"
