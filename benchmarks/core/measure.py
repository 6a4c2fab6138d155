"""A whole epoch of training with lt_core, beside the loop that a user would write, and beside the bare step.

    python -m benchmarks.core.measure --parquet DIR [--out core.md]

Two runs of one thread each, as a sweep on two cores has them, against benchmarks/core/plain.py on both cores;
in turns, so that both see the same machine. An epoch is 12,406 images (CIFAR-10, imbalance ratio 100) and an
evaluation of 10,000: after every epoch of the user's, after 5 in 10 of ours, as a sweep's final runs are
evaluated. Each is timed on some of the images and scaled. The bare step is forward, backward and update on
batches that are there, in the same precision.
"""

import argparse
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import torch
import torch.nn.functional as F

from benchmarks.core import plain
from lt_core.config import TrainConfig
from lt_core.data import load_dataset
from lt_core.data.split import make_split
from lt_core.evaluation.inference import evaluate, forward, is_evaluated
from lt_core.hardware import on_this_machine
from lt_core.stages import set_training_mode, stages
from lt_core.train import Run, train_epoch
from sweeps.planning.plan import CURVE

BATCH, EPOCHS, TRAINED, EVALUATED, RUNS = 128, 10, 12_406, 10_000, 2
STEPS = {"resnet18": 4, "resnet32": 8, "convnet": 40}  # of a timed epoch
EVALUATION_SHARE = 0.5  # images evaluated, of those trained on, while timed


@dataclass(frozen=True)
class Times:
    """Seconds an image: of a training epoch, of the bare step, of evaluation."""

    trained: float
    bare: float
    evaluated: float


def main(argv: list[str] | None = None) -> int:
    """Measure all networks and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.core.measure", description=__doc__)
    parser.add_argument("--parquet", required=True, help="folder of CIFAR-10 as Parquet")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--models", nargs="*", default=list(STEPS), choices=STEPS)
    parser.add_argument("--out", type=Path, help="file that gets the table")
    options = parser.parse_args(argv)
    lines = [
        "| network | user's loop, images/s | ours, images/s | ratio (range) | of the bare step (range) |",
        "|:--|--:|--:|--:|--:|",
    ]
    for model in options.models:
        lines.append(row(model, options.parquet, options.rounds))
        print(lines[-1], flush=True)
    print("\n".join(lines))
    if options.out:
        options.out.write_text("\n".join(lines) + "\n")
    return 0


def row(model: str, parquet: str, rounds: int) -> str:
    """Measure a network in turns; return its row."""
    theirs, ours, ratios, shares = [], [], [], []
    with ProcessPoolExecutor(RUNS, get_context("spawn")) as pool:
        for number in range(rounds + 1):
            both = [pool.submit(times, model, parquet) for _ in range(RUNS)]
            own = [future.result() for future in both]
            other = theirs_of(model, parquet)
            if number == 0:  # the first warms up
                continue
            theirs.append(other)
            ours.append(sum(images_per_second(t.trained, t.evaluated, evaluations()) for t in own))
            ratios.append(ours[-1] / other)
            shares.append(statistics.mean(t.bare / t.trained for t in own))
    return (
        f"| {model} | {statistics.median(theirs):,.0f} | {statistics.median(ours):,.0f} | {spread(ratios)} | "
        f"{spread(shares)} |"
    )


def spread(values: list[float]) -> str:
    """Return the median, and the range."""
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def evaluations() -> float:
    """Return evaluations an epoch in a final run of a sweep."""
    config = TrainConfig.parse({"evaluate_at": CURVE})
    return sum(is_evaluated(config, epoch, EPOCHS) for epoch in range(1, EPOCHS + 1)) / EPOCHS


def images_per_second(trained: float, evaluated: float, often: float) -> float:
    """Return the training images a second, evaluation in its share."""
    return TRAINED / (TRAINED * trained + often * EVALUATED * evaluated)


def theirs_of(model: str, parquet: str) -> float:
    """Time the user's loop; return its training images a second, evaluation included."""
    run = prepared(model, parquet)
    n = int(len(run.split.labels) * EVALUATION_SHARE)
    test = run.split.eval_images[:n], run.split.eval_labels[:n]
    trained, evaluated = plain.seconds_per_image(model, BATCH, (run.split.images, run.split.labels), test)
    return images_per_second(trained, evaluated, 1.0)


@cache
def prepared(model: str, parquet: str) -> Run:
    """Return a run on STEPS batches of images, as many of each class."""
    data = load_dataset(f"parquet:{parquet}")
    per_class = -(-STEPS[model] * BATCH // data.num_classes)
    knobs = {"model": model, "batch_size": BATCH, "optimizer": "sgd", "lr": 0.05, "augment": "crop_flip"}
    knobs |= {"profile": "counts", "counts": (per_class,) * data.num_classes, "evaluate_on": "test"}
    config = on_this_machine(TrainConfig.parse(knobs))
    run = Run(config, data, make_split(config, data, config.device))
    run.begin(stages(config)[0])
    return run


def times(model: str, parquet: str) -> Times:
    """Time a training epoch, bare steps on as many batches, and evaluation."""
    torch.set_num_threads(1)
    run = prepared(model, parquet)
    stage, config = stages(run.config)[0], run.config
    trained = train_epoch(run, stage, 1).seconds / len(run.split.labels)
    ready = [run.batches.load(drawn, True) for drawn in run.batches.epoch("instance", "crop_flip", 1)[:-1]]
    set_training_mode(run.model, stage, config)
    started = time.perf_counter()
    for batch in ready:
        loss = F.cross_entropy(forward(run.model, batch.images, config), batch.targets.first)
        run.optimizer.zero_grad()
        loss.backward()
        run.optimizer.step()
    bare = (time.perf_counter() - started) / (len(ready) * BATCH)
    few = run.split.eval_images[: int(len(run.split.labels) * EVALUATION_SHARE)]
    started = time.perf_counter()
    evaluate(run.evaluated, run.batches.normalise, few, config)
    return Times(trained, bare, (time.perf_counter() - started) / len(few))


if __name__ == "__main__":
    sys.exit(main())
