import optuna
import pytest

from lt_core.config import TrainConfig
from sweeps.spaces import SPACES, Choice, LogOneMinus, LogUniform


def test_every_space_is_of_a_knob_and_proposes_values_that_the_config_allows():
    for knob, space in SPACES.items():
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
        for _ in range(20):
            TrainConfig.parse({knob: space.suggest(study.ask(), knob)})


@pytest.mark.parametrize(
    ("space", "value"),
    [(LogOneMinus(0.9, 0.99999), 0.9999), (LogUniform(1e-4, 1e-2), 1e-3), (Choice((32, 64)), 64)],
)
def test_params_bring_the_value_back(space, value):
    study = optuna.create_study()
    study.enqueue_trial(space.as_params("knob", value))
    assert space.suggest(study.ask(), "knob") == pytest.approx(value, rel=1e-9)


def test_a_value_outside_the_range_is_clipped():
    assert LogUniform(1e-4, 1e-2).as_params("lr", 1.0) == {"lr": 1e-2}
    assert Choice((32, 64)).as_params("batch_size", 50) == {}


def test_beta_is_even_on_the_log_scale_of_one_minus_beta():
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    space = LogOneMinus(0.9, 0.99999)
    betas = [space.suggest(study.ask(), "beta") for _ in range(400)]
    for low, high in ((0.9, 0.99), (0.99, 0.999), (0.999, 0.9999), (0.9999, 0.99999)):
        assert 70 < sum(low <= beta < high for beta in betas) < 130
