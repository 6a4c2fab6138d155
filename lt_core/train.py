"""One training run, top to bottom: READ FIRST.

    for metrics in train(TrainConfig(loss="focal", weighting="effective_number"), load_dataset("digits")):
        print(metrics.epoch, metrics.macro_recall)

The run yields one EpochMetrics an epoch and never prints. The same config gives the same numbers, bit
for bit, on the same machine and thread count, alone or beside other runs, whole or resumed.
"""

import math
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lt_core import losses, metrics, seeds
from lt_core.augment import Normalise, augment
from lt_core.class_weights import class_weights
from lt_core.config import TrainConfig
from lt_core.data import Dataset, class_counts, draw, hold_out, validation_sizes
from lt_core.errors import Diverged, InputError
from lt_core.hardware import resolve
from lt_core.models import MODELS

EVALUATION_BATCH = 1000
LOSS_CHECK_STEPS = 50  # rare enough to cost nothing where reading the loss waits for the device


@dataclass(frozen=True, kw_only=True)
class EpochMetrics:
    """What one epoch came to. Losses are means over images; confusions are int64 [C, C], row = true class."""

    epoch: int  # counted from 1
    lr: float
    train_loss: float  # the objective, weights and reduction included
    train_confusion: np.ndarray  # of the augmented batches, as the weights moved
    eval_loss: float  # plain cross-entropy
    eval_confusion: np.ndarray  # of the split that config.evaluate_on names
    train_seconds: float
    eval_seconds: float
    snapshot: Callable[[], dict[str, Any]]  # the run's state; call it before the next epoch begins

    @property
    def macro_recall(self) -> float:
        return metrics.summary(self.eval_confusion)["macro_recall"]


@dataclass(frozen=True, kw_only=True)
class Split:
    """The images of one run: uint8 [N, S, S, channels] and labels int64 [N], for training and evaluation."""

    images: Tensor
    labels: Tensor
    eval_images: Tensor
    eval_labels: Tensor
    counts: np.ndarray  # training images by class, int64 [C]


def train(
    config: TrainConfig, data: Dataset, resume: dict[str, Any] | None = None
) -> Generator[EpochMetrics]:
    """Train as ``config`` says on ``data`` and yield the metrics of each epoch.

    ``resume``: a snapshot of the same run; the epochs after it follow, as if it had not been interrupted.

    Raises:
        InputError: where the config asks of the data what it does not have.
        Diverged: when a loss is no longer finite; the epoch is not yielded.
    """
    torch.set_num_threads(config.threads)
    torch.backends.cudnn.deterministic = True
    config = on_this_machine(config)
    split = make_split(config, data)
    model, optimizer = build(config, data)
    normalise = Normalise(split.images)
    loss = losses.bind(config.loss, config)
    by_class = class_weights(config.weighting, split.counts, config.beta)
    weights = torch.tensor(by_class, dtype=torch.float32, device=config.device)
    order = seeds.generator(config.seed, "batch order")
    distortion = seeds.generator(config.seed, "augment")
    first = 1
    if resume:
        first += resume["epoch"]
        model.load_state_dict(resume["model"])
        optimizer.load_state_dict(resume["optimizer"])
        order.set_state(resume["batch order"])
        distortion.set_state(resume["augment"])

    def snapshot() -> dict[str, Any]:
        return {
            "epoch": epoch,
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "batch order": order.get_state(),
            "augment": distortion.get_state(),
        }

    for epoch in range(first, config.epochs + 1):
        started = time.perf_counter()
        model.train()
        total = torch.zeros((), device=config.device)
        predictions = torch.empty_like(split.labels)
        batches = batch_indices(len(split.labels), config.batch_size, order)
        for step, batch in enumerate(batches):
            lr = lr_at(config, (epoch - 1 + step / len(batches)) / config.epochs)
            optimizer.param_groups[0]["lr"] = lr
            batch = batch.to(config.device)
            labels = split.labels[batch]
            images = normalise(augment(split.images[batch], config.augment, distortion))
            logits = forward(model, images, config)
            objective = losses.reduce(loss(logits, labels), weights[labels], config.reduction)
            optimizer.zero_grad()
            objective.backward()
            optimizer.step()
            total += objective.detach() * len(labels)
            predictions[batch] = logits.detach().argmax(dim=1)
            if (step + 1) % LOSS_CHECK_STEPS == 0:
                check_loss("training", total.item(), epoch)
        seen = torch.cat(batches).to(config.device)
        train_loss = total.item() / len(seen)
        check_loss("training", train_loss, epoch)
        trained = time.perf_counter()
        eval_loss, eval_predictions = evaluate(model, normalise, split, config)
        check_loss(config.evaluate_on, eval_loss, epoch)
        yield EpochMetrics(
            epoch=epoch,
            lr=lr,
            train_loss=train_loss,
            train_confusion=confusion(split.labels[seen], predictions[seen], data.num_classes),
            eval_loss=eval_loss,
            eval_confusion=confusion(split.eval_labels, eval_predictions, data.num_classes),
            train_seconds=trained - started,
            eval_seconds=time.perf_counter() - trained,
            snapshot=snapshot,
        )


def check_loss(name: str, loss: float, epoch: int) -> None:
    """Raise Diverged unless the loss is a finite number."""
    if not math.isfinite(loss):
        raise Diverged(f"the {name} loss is {loss} in epoch {epoch}")


def on_this_machine(config: TrainConfig) -> TrainConfig:
    """Return the config with device, precision and memory format decided."""
    return config.model_copy(update=resolve(config.device, config.precision, config.channels_last))


def split_indices(config: TrainConfig, data: Dataset) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Return the training indices, the held-out ones (None: the test set) and the class counts [C].

    Validation is held out first, and the long tail drawn from the rest.
    """
    labels, pool, held = data.train_labels, np.arange(len(data.train_labels)), None
    if config.evaluate_on == "val":
        stream = seeds.generator(config.seed, "validation")
        held, pool = hold_out(labels, validation_sizes(data.train_counts, data.val_per_class), stream)
    available = np.bincount(labels[pool], minlength=data.num_classes)
    counts = class_counts(config.profile, available, config.imbalance_ratio, config.n_max, config.counts)
    return draw(labels, pool, counts, seeds.generator(config.seed, "subset")), held, counts


def make_split(config: TrainConfig, data: Dataset) -> Split:
    """Gather the run's images onto its device."""
    chosen, held, counts = split_indices(config, data)
    arrays = [data.train_images[chosen], data.train_labels[chosen]]
    if held is None:
        arrays += [data.test_images, data.test_labels]
    else:
        arrays += [data.train_images[held], data.train_labels[held]]
    images, labels, eval_images, eval_labels = (
        torch.from_numpy(np.array(array)).to(config.device) for array in arrays
    )
    return Split(
        images=images, labels=labels, eval_images=eval_images, eval_labels=eval_labels, counts=counts
    )


def build(config: TrainConfig, data: Dataset) -> tuple[nn.Module, torch.optim.Optimizer]:
    """Return the initialised model on its device, and its optimiser."""
    if config.image_size not in (None, data.image_size):
        raise InputError(f"image_size={config.image_size}, but the data was loaded at {data.image_size}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seeds.derive(config.seed, "initialisation"))
        model = MODELS[config.model](data.num_classes, data.train_images.shape[-1], data.image_size)
        losses.prior_bias(config.loss, model)
    layout = torch.channels_last if config.channels_last else torch.contiguous_format
    model = model.to(config.device).to(memory_format=layout)
    if config.optimizer == "adam":
        return model, torch.optim.Adam(model.parameters(), config.lr, weight_decay=config.weight_decay)
    optimizer = torch.optim.SGD(model.parameters(), config.lr, momentum=0.9, weight_decay=config.weight_decay)
    return model, optimizer


def batch_indices(n: int, batch_size: int, order: torch.Generator) -> list[Tensor]:
    """Shuffle n images into batches; a single image left over sits the epoch out (batch norm needs two)."""
    batches = list(torch.randperm(n, generator=order).split(batch_size))
    return batches[:-1] if len(batches) > 1 and len(batches[-1]) == 1 else batches


def lr_at(config: TrainConfig, progress: float) -> float:
    """Return the learning rate after the share ``progress`` (0 to 1) of the whole budget."""
    if config.schedule == "cosine":
        return config.lr * (1 + math.cos(math.pi * progress)) / 2
    if config.schedule == "steps":
        return config.lr * 0.1 ** ((progress >= 0.6) + (progress >= 0.8))
    return config.lr


def forward(model: nn.Module, images: Tensor, config: TrainConfig) -> Tensor:
    """Return float32 logits [B, C], computed in the config's precision and memory format."""
    layout = torch.channels_last if config.channels_last else torch.contiguous_format
    images = images.contiguous(memory_format=layout)
    with torch.autocast(config.device, torch.bfloat16, enabled=config.precision == "bf16"):
        return model(images).float()


@torch.no_grad()
def evaluate(
    model: nn.Module, normalise: Normalise, split: Split, config: TrainConfig
) -> tuple[float, Tensor]:
    """Return the mean cross-entropy and the predictions [N] on the evaluation images."""
    model.eval()
    batches = split.eval_images.split(EVALUATION_BATCH)
    logits = torch.cat([forward(model, normalise(batch), config) for batch in batches])
    return F.cross_entropy(logits, split.eval_labels).item(), logits.argmax(dim=1)


def confusion(labels: Tensor, predictions: Tensor, num_classes: int) -> np.ndarray:
    """Return int64 [C, C] from tensors [N] on any device."""
    return metrics.confusion_matrix(labels.cpu().numpy(), predictions.cpu().numpy(), num_classes)
