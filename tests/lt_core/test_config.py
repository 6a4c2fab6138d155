import pytest

from lt_core.config import TrainConfig
from lt_core.errors import InputError


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"beta": 1.0}, r"^beta=1.0 should be less than 1$"),
        ({"beta": -0.1}, r"^beta=-0.1 should be greater than or equal to 0$"),
        ({"lr": 0}, r"^lr=0 should be greater than 0$"),
        ({"lr": float("nan")}, r"^lr=nan should be a finite number$"),
        ({"batch_size": 0}, r"^batch_size=0 should be greater than or equal to 2$"),
        ({"imbalance_ratio": 0.5}, r"^imbalance_ratio=0.5 should be greater than or equal to 1$"),
        ({"model": "resnet23"}, r"^model: 'resnet23' \(did you mean 'resnet32'\?\)$"),
        ({"loss": "zzz"}, r"^loss: 'zzz' \(known: ce, focal, focal_sigmoid.*\)$"),
        ({"bata": 0.9}, r"^unknown knob 'bata' \(did you mean 'beta'\?\)$"),
        ({"profile": "counts"}, r"^counts: goes with profile=counts"),
        ({"epochs": "many"}, r"^epochs='many' should be a valid integer"),
    ],
)
def test_bad_values_are_one_clear_line(knobs, message):
    with pytest.raises(InputError, match=message) as error:
        TrainConfig.parse(knobs)
    assert "\n" not in str(error.value)


def test_a_config_is_frozen():
    with pytest.raises(ValueError, match="frozen"):
        TrainConfig().lr = 1.0
