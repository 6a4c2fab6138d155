import optuna
import pytest

from lt_core.config import TrainConfig
from sweeps.planning.spaces import SPACES, Choice, LogOneMinus, LogUniform, Maybe, Uniform

NEEDS = {"stage2_lr_factor": {"stage1_share": 0.5}}  # knobs that mean nothing alone
RATE = Maybe(LogUniform(0.05, 2.0))


def test_every_space_is_of_a_knob_and_proposes_values_that_the_config_allows():
    for knob, space in SPACES.items():
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
        for _ in range(20):
            value = space.suggest(study.ask(), knob)
            TrainConfig.parse(NEEDS.get(knob, {}) | {knob: value})
            assert space.contains(value)


@pytest.mark.parametrize(
    ("space", "value"),
    [
        (LogOneMinus(0.9, 0.99999), 0.9999),
        (LogUniform(1e-4, 1e-2), 1e-3),
        (Choice((32, 64)), 64),
        (RATE, 0.2),
        (RATE, None),
        (Maybe(Uniform(0.1, 0.4), 0.0), 0.0),
    ],
)
def test_params_bring_the_value_back(space, value):
    study = optuna.create_study()
    study.enqueue_trial(space.as_params("knob", value))
    found = space.suggest(study.ask(), "knob")
    assert found == (value if value is None else pytest.approx(value, rel=1e-9))


def test_a_knob_without_a_value_is_left_to_the_search():
    for space in (LogUniform(1e-4, 1e-2), Uniform(0.0, 1.0), LogOneMinus(0.9, 0.99999), Choice((32, 64))):
        assert space.as_params("knob", None) == {}


def test_a_value_outside_the_range_is_clipped():
    assert LogUniform(1e-4, 1e-2).as_params("lr", 1.0) == {"lr": 1e-2}
    assert Choice((32, 64)).as_params("batch_size", 50) == {}


def test_beta_is_even_on_the_log_scale_of_one_minus_beta():
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    space = LogOneMinus(0.9, 0.99999)
    betas = [space.suggest(study.ask(), "beta") for _ in range(400)]
    for low, high in ((0.9, 0.99), (0.99, 0.999), (0.999, 0.9999), (0.9999, 0.99999)):
        assert 70 < sum(low <= beta < high for beta in betas) < 130


def test_a_space_that_may_be_off_is_off_about_every_other_time_and_else_asks_for_a_value():
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    off = 0
    for _ in range(200):
        trial = study.ask()
        value = RATE.suggest(trial, "mixup_alpha")
        assert RATE.contains(value)
        asked = {"mixup_alpha?": value is not None} | ({} if value is None else {"mixup_alpha": value})
        assert trial.params == asked
        off += value is None
    assert 70 < off < 130
    assert RATE.extremes() == (0.05, 2.0, None)
    assert not RATE.contains(3.0)
    assert str(RATE) == "off, or 0.05 to 2, log scale"


@pytest.mark.parametrize("space", [space for space in SPACES.values() if not isinstance(space, Choice)])
def test_off_is_in_no_range(space):
    assert not space.contains(None)
