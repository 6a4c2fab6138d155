"""What bfloat16 costs in test macro recall: the same runs in both precisions, and the paired difference.

python -m benchmarks.core.precision --parquet DIR [--seeds 20] [--set model=convnet]
"""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from itertools import product
from multiprocessing import get_context
from typing import Any

import numpy as np
from scipy import stats

from lt_core.config import TrainConfig
from lt_core.data import load_dataset
from lt_core.train import train
from sweeps.terminal.options import settings

PRECISIONS = ("fp32", "bf16")
RUNS = 2  # at once, of one thread each
BASE = {"n_max": 1000, "augment": "crop_flip", "schedule": "cosine"}
LEVEL = 0.9  # of the interval

load = cache(load_dataset)


def main(argv: list[str] | None = None) -> int:
    """Train all seeds in both precisions; print both means and the paired difference in points."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.core.precision", description=__doc__)
    parser.add_argument("--parquet", required=True, help="folder of CIFAR-10 as Parquet")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--set", action="append", default=[], metavar="KNOB=VALUE")
    options = parser.parse_args(argv)
    jobs = list(product(range(options.seeds), PRECISIONS))
    with ProcessPoolExecutor(RUNS, get_context("spawn")) as pool:
        found = pool.map(partial(recall, options.parquet, settings(options.set)), *zip(*jobs, strict=True))
        recalls = 100 * np.reshape(list(found), (options.seeds, len(PRECISIONS)))
    difference = recalls[:, 1] - recalls[:, 0]
    middle = float(difference.mean())
    half = float(stats.t.ppf((1 + LEVEL) / 2, options.seeds - 1) * stats.sem(difference))
    for precision, mean, spread in zip(PRECISIONS, recalls.mean(0), recalls.std(0, ddof=1), strict=True):
        print(f"{precision}: test macro recall {mean:.2f} ± {spread:.2f} (sd, n = {options.seeds})")
    interval = f"{middle - half:+.2f} to {middle + half:+.2f}"
    print(f"bf16 − fp32: {middle:+.2f} points, {LEVEL:.0%} interval {interval}")
    return 0


def recall(parquet: str, fixed: dict[str, Any], seed: int, precision: str) -> float:
    """Return the test macro recall at the end of a run."""
    knobs = {**BASE, "evaluate_on": "test", "evaluate_at": (), **fixed, "seed": seed, "precision": precision}
    *_, last = train(TrainConfig.parse(knobs), load(f"parquet:{parquet}"))
    assert last.macro_recall is not None
    return last.macro_recall


if __name__ == "__main__":
    sys.exit(main())
