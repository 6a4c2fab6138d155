"""Train again what a sweep has trained, in a bare pool of processes that keeps nothing.

python -m benchmarks.efficiency.pool RESULTS DATASET DATA_DIR
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context

import pyarrow.parquet as pq

from lt_core.config import TrainConfig
from lt_core.data import load_dataset
from lt_core.data.dataset import Dataset
from lt_core.train import train
from sweeps.store.schemas import with_defaults

RUNS = 2  # at once, of one thread each
data: Dataset  # of a process of the pool


def main(results: str, dataset: str, data_dir: str) -> None:
    """Train every trial of a sweep for as many epochs as it had."""
    rows = pq.read_table(f"{results}/trials").to_pylist()
    jobs = [(TrainConfig.parse(with_defaults(row)), row["epochs_done"]) for row in rows]
    with ProcessPoolExecutor(RUNS, get_context("spawn"), load, (dataset, data_dir)) as pool:
        list(pool.map(run, *zip(*jobs, strict=True)))


def load(dataset: str, data_dir: str) -> None:
    """Load the data, once a process."""
    global data
    data = load_dataset(dataset, data_dir)


def run(config: TrainConfig, epochs: int) -> None:
    """Train a configuration for some epochs."""
    for _ in islice(train(config, data), epochs):
        pass


if __name__ == "__main__":
    main(*sys.argv[1:])
