"""One training run, top to bottom: READ FIRST.

    for metrics in train(TrainConfig(loss="focal", weighting="effective_number"), load_dataset("digits")):
        print(metrics.epoch, metrics.macro_recall)

The run yields one EpochMetrics an epoch and never prints; config.evaluate_at says after which epochs it is
evaluated. The same config gives the same numbers, bit
for bit, on the same machine and thread count, alone or beside other runs, whole or resumed.
"""

import math
import time
import warnings
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from lt_core.averaging import averaged
from lt_core.batches.batches import Batch, Batches
from lt_core.build import build, make_objective, start_from
from lt_core.config import TrainConfig
from lt_core.contradictions import balances_twice, check_classes
from lt_core.data import Dataset
from lt_core.data.split import Split, make_split
from lt_core.errors import Diverged
from lt_core.evaluation import metrics
from lt_core.evaluation.inference import evaluate, forward, is_evaluated
from lt_core.evaluation.posthoc import adjusted, recall_by_tau
from lt_core.hardware import on_this_machine
from lt_core.optimizers import descend, make_optimizer, set_lr
from lt_core.schedules import lr_at
from lt_core.seeds import GlobalStream
from lt_core.stages import Stage, decouple, set_training_mode, stages

LOSS_CHECK_STEPS = 50  # rare enough to cost nothing where reading the loss waits for the device


@dataclass(frozen=True, kw_only=True)
class EpochMetrics:
    """What one epoch came to. Losses are means over images; confusions are int64 [C, C], row = true class.

    Epoch 0 is the untrained network, where config.evaluate_untrained asks for it: its lr, train_loss and
    train_confusion are None. So is all of evaluation after an epoch that config.evaluate_at leaves out.
    """

    epoch: int  # counted from 1
    lr: float | None
    train_loss: float | None  # the objective, weights and reduction included
    train_confusion: np.ndarray | None  # of the batches as drawn and augmented, as the weights moved
    eval_loss: float | None = None  # plain cross-entropy
    eval_confusion: np.ndarray | None = None  # of the split that config.evaluate_on names
    recall_by_tau: np.ndarray | None = None  # float64 [len(TAUS), C], of the same logits, adjusted post hoc
    train_seconds: float
    eval_seconds: float = 0.0
    snapshot: Callable[[], dict[str, Any]]  # the run's state; call it before the next epoch begins
    weights: Callable[[], dict[str, Any]]  # what is evaluated, for a config's pretrained; likewise

    @property
    def macro_recall(self) -> float | None:
        return None if self.eval_confusion is None else metrics.summary(self.eval_confusion)["macro_recall"]

    @property
    def best_adjusted_recall(self) -> float | None:
        """The best macro recall under any post-hoc adjustment: what early stopping compares, so that a run
        that balances its classes late is not judged by its classifier before (docs/early_stopping.md)."""
        return None if self.recall_by_tau is None else float(np.nanmean(self.recall_by_tau, axis=1).max())


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
    check_classes(config, data.num_classes)
    if twice := balances_twice(config):
        warnings.warn(twice, stacklevel=2)
    config = on_this_machine(config)
    run = Run(config, data, make_split(config, data, config.device))
    done = resume["epoch"] if resume else 0
    for stage in stages(config):
        if stage.last < done:
            continue
        run.begin(stage)
        if resume and stage.first <= done:
            run.restore(resume)
        if config.evaluate_untrained and stage.number == 1 and not resume:
            yield report(run, 0, None, evaluated=True)
        for epoch in range(max(stage.first, done + 1), stage.last + 1):
            with run.drawn_elsewhere:
                trained = train_epoch(run, stage, epoch)
                found = report(run, epoch, trained, is_evaluated(config, epoch, config.epochs))
            yield found


class Run:
    """What a run carries from step to step: the model, its optimiser, its averaged weights, its batches.

    Attributes:
        drawn_elsewhere: entered, torch's global generator is the run's own.
    """

    def __init__(self, config: TrainConfig, data: Dataset, split: Split):
        self.config, self.split = config, split
        self.batches = Batches(split.images, split.labels, config, data.num_classes)
        self.log_prior = torch.log(self.batches.counts / self.batches.counts.sum())
        self.model = build(config, data)
        start_from(self.model, config, split.images, self.batches.normalise)
        self.drawn_elsewhere = GlobalStream(config.seed, config.device)
        self.optimizer: torch.optim.Optimizer
        self.average: AveragedModel | None = None

    def begin(self, stage: Stage) -> None:
        """Make ready what is a stage's own."""
        if stage.number == 2:
            decouple(self.model, self.config)
        self.optimizer = make_optimizer(self.config, stage.lr, self.model.named_parameters())
        if self.config.ema_decay:
            self.average = averaged(self.model, self.config.ema_decay)

    @property
    def evaluated(self) -> nn.Module:
        """The model, or its averaged weights."""
        return self.average.module if self.average else self.model

    def weights(self) -> dict[str, Any]:
        return {"model": self.config.model, "weights": self.evaluated.state_dict()}

    def snapshot(self, epoch: int) -> dict[str, Any]:
        return {
            "epoch": epoch,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average.state_dict() if self.average else None,
            "streams": {name: stream.get_state() for name, stream in self.batches.streams.items()},
            "drawn elsewhere": self.drawn_elsewhere.state,
        }

    def restore(self, snapshot: dict[str, Any]) -> None:
        self.model.load_state_dict(snapshot["model"])
        self.optimizer.load_state_dict(snapshot["optimizer"])
        if self.average:
            self.average.load_state_dict(snapshot["average"])
        for name, stream in self.batches.streams.items():
            stream.set_state(snapshot["streams"][name])
        self.drawn_elsewhere.state = snapshot.get("drawn elsewhere", self.drawn_elsewhere.state)


@dataclass(frozen=True)
class Trained:
    """One epoch of training: the mean objective, the last learning rate, the confusion of its batches."""

    loss: float
    lr: float
    confusion: np.ndarray
    seconds: float


def train_epoch(run: Run, stage: Stage, epoch: int) -> Trained:
    """Take one epoch's steps, in which nothing waits for the device but the check of the loss."""
    started = time.perf_counter()
    config, model = run.config, run.model
    set_training_mode(model, stage, config)
    objective = make_objective(config, stage, run.batches.counts, epoch)
    total = torch.zeros((), device=config.device)
    labels, predictions = [], []
    drawn = run.batches.epoch(stage.sampler, stage.augment, epoch)
    for step, images in enumerate(drawn):
        lr = lr_at(config, stage.lr, stage.progress(epoch, step / len(drawn)))
        set_lr(run.optimizer, lr)
        batch = run.batches.load(images, stage.mixes)

        def risk(batch: Batch = batch) -> tuple[Tensor, Tensor]:
            logits = forward(model, batch.images, config)
            return objective(logits, batch.targets, batch.environment), logits

        value, logits = descend(run.optimizer, risk, model, config.sam_rho)
        if run.average:
            run.average.update_parameters(model)
        total += value * len(images)
        labels.append(batch.targets.larger)
        predictions.append(logits.argmax(dim=1))
        if (step + 1) % LOSS_CHECK_STEPS == 0:
            check_loss("training", total.item(), epoch)
    loss = total.item() / sum(map(len, drawn))
    check_loss("training", loss, epoch)
    seen = confusion(torch.cat(labels), torch.cat(predictions), len(run.log_prior))
    return Trained(loss, lr, seen, time.perf_counter() - started)


def report(run: Run, epoch: int, trained: Trained | None, evaluated: bool) -> EpochMetrics:
    """Say what an epoch came to, evaluated or not; without one trained, as the run is before the first."""
    return EpochMetrics(
        epoch=epoch,
        lr=trained.lr if trained else None,
        train_loss=trained.loss if trained else None,
        train_confusion=trained.confusion if trained else None,
        train_seconds=trained.seconds if trained else 0.0,
        snapshot=partial(run.snapshot, epoch),
        weights=run.weights,
        **evaluation(run, epoch) if evaluated else {},
    )


def evaluation(run: Run, epoch: int) -> dict[str, Any]:
    """Evaluate the run as it is; return these fields of EpochMetrics."""
    started = time.perf_counter()
    config, split = run.config, run.split
    logits = evaluate(run.evaluated, run.batches.normalise, split.eval_images, config)
    eval_loss = F.cross_entropy(logits, split.eval_labels).item()
    check_loss(config.evaluate_on, eval_loss, epoch)
    predictions = adjusted(logits, run.log_prior, config.posthoc_tau).argmax(dim=1)
    return {
        "eval_loss": eval_loss,
        "eval_confusion": confusion(split.eval_labels, predictions, len(run.log_prior)),
        "recall_by_tau": recall_by_tau(logits, split.eval_labels, run.log_prior),
        "eval_seconds": time.perf_counter() - started,
    }


def check_loss(name: str, loss: float, epoch: int) -> None:
    """Raise Diverged unless the loss is a finite number."""
    if not math.isfinite(loss):
        raise Diverged(f"the {name} loss is {loss} in epoch {epoch}")


def confusion(labels: Tensor, predictions: Tensor, num_classes: int) -> np.ndarray:
    """Return int64 [C, C] from tensors [N] on any device."""
    return metrics.confusion_matrix(labels.cpu().numpy(), predictions.cpu().numpy(), num_classes)
