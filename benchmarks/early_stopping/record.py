"""Record full curves: random configurations of the joint search, and of what else starts slowly.

python -m benchmarks.early_stopping.record docs/results/early_stopping/digits.parquet --dataset digits
"""

import argparse
import sys
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import optuna
import pyarrow as pa
import pyarrow.parquet as pq

from lt_core.config import TrainConfig
from lt_core.data import load_dataset
from lt_core.errors import Diverged, InputError
from lt_core.train import train
from sweeps.experiments.joint import JOINT_SEARCH
from sweeps.planning.presets import for_data
from sweeps.planning.spaces import Choice
from sweeps.terminal.options import settings

optuna.logging.set_verbosity(optuna.logging.ERROR)
SLOW = {"schedule": Choice(("constant", "cosine", "steps")), "reweight_after": Choice((0.0, 0.6))}
SHOWN = (*JOINT_SEARCH, *SLOW)


def main(argv: list[str] | None = None) -> int:
    """Parse the command line, record, return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.early_stopping.record", description=__doc__)
    parser.add_argument("out", type=Path, help="the Parquet file to write")
    parser.add_argument("--dataset", default="digits")
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--configs", type=int, default=48)
    parser.add_argument("--set", action="append", default=[], metavar="KNOB=VALUE")
    options = parser.parse_args(argv)
    record = partial(curve, options.dataset, options.data_dir, settings(options.set))
    with get_context("spawn").Pool(2) as pool:
        rows = [row for rows in pool.imap(record, range(options.configs)) for row in rows]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), options.out)
    return 0


def curve(dataset: str, data_dir: str, fixed: dict[str, Any], number: int) -> list[dict[str, Any]]:
    """Train configuration ``number`` to its end; return a row an epoch, none where it diverged or where its
    knobs do not go together."""
    data = load_dataset(dataset, data_dir)
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=number)).ask()
    knobs = {knob: space.suggest(trial, knob) for knob, space in {**JOINT_SEARCH, **SLOW}.items()}
    base = {"weighting": "effective_number", "smoothing_over": "wrong", **for_data(data)}
    try:
        config = TrainConfig.parse({**base, **knobs, **fixed})
        shown = {knob: getattr(config, knob) for knob in SHOWN}
        return [
            {
                "config": number,
                "data": data.name,
                "model": config.model,
                "epochs": config.epochs,
                **shown,
                "epoch": epoch.epoch,
                "val_macro_recall": epoch.macro_recall,
                "val_best_adjusted_recall": epoch.best_adjusted_recall,
            }
            for epoch in train(config, data)
        ]
    except (Diverged, InputError):
        return []


if __name__ == "__main__":
    sys.exit(main())
