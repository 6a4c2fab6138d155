"""The same trials with Ray Tune as it comes: its loggers, OptunaSearch and ASHA."""

import sys

import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.optuna import OptunaSearch

from benchmarks.overhead.trivial import BASE, EPOCHS, SEARCHED
from lt_core.config import TrainConfig
from lt_core.data import load_dataset
from lt_core.train import train
from sweeps.engine.trainable import epoch_row
from sweeps.planning.spaces import SPACES
from sweeps.record.metrics import SELECTION_METRIC
from sweeps.search.asha import rungs


class Trial(tune.Trainable):
    """Reports what our trials report."""

    def setup(self, config):
        knobs = {"lr": config["lr"], "beta": 1 - config["1-beta"], "weighting": "effective_number"}
        self.train_config = TrainConfig.parse({**BASE, **knobs})
        self.epochs = train(self.train_config, load_dataset("digits", config["data_dir"]))

    def reset_config(self, new_config):
        self.setup(new_config)
        return True

    def step(self):
        epoch = next(self.epochs)
        return epoch_row(epoch, "val") | {"done": epoch.epoch == self.train_config.epochs}


def main(storage: str, data_dir: str, trials: int) -> None:
    """Run ``trials`` trials, two at once, into the folder ``storage``."""
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    (low, high), (least, most) = (SPACES[knob].extremes() for knob in SEARCHED)
    space = {
        "lr": tune.loguniform(low, high),
        "1-beta": tune.loguniform(1 - most, 1 - least),
        "data_dir": data_dir,
    }
    asha = ASHAScheduler(time_attr="epoch", max_t=EPOCHS, grace_period=rungs(EPOCHS)[0], reduction_factor=3)
    tune.Tuner(
        tune.with_resources(Trial, {"cpu": 1}),
        param_space=space,
        tune_config=tune.TuneConfig(
            metric=SELECTION_METRIC,
            mode="max",
            search_alg=OptunaSearch(),
            scheduler=asha,
            num_samples=trials,
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            name="trivial",
            storage_path=storage,
            verbose=0,
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
        ),
    ).fit()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
