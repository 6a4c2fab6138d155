from typing import get_args

import pytest

from lt_core.batches.samplers import SAMPLERS
from lt_core.config import TrainConfig
from lt_core.contradictions import balances_twice
from lt_core.errors import InputError
from lt_core.losses import LOSSES


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
        ({"learning_rate": 0.1}, r"^unknown knob 'learning_rate' \(did you mean 'lr'\?\)$"),
        ({"wd": 0.1}, r"^unknown knob 'wd' \(did you mean 'weight_decay'\?\)$"),
        ({"profile": "counts"}, r"^counts: goes with profile=counts"),
        ({"epochs": "many"}, r"^epochs='many' should be a valid integer"),
    ],
)
def test_bad_values_are_one_clear_line(knobs, message):
    with pytest.raises(InputError, match=message) as error:
        TrainConfig.parse(knobs)
    assert "\n" not in str(error.value)


def test_a_value_is_checked_whatever_the_other_knobs_are():
    with pytest.raises(InputError, match=r"^lr='fast' should be a valid number"):
        TrainConfig.check("lr", "fast")
    with pytest.raises(InputError, match=r"^loss: 'zzz' \(known: ce"):
        TrainConfig.check("loss", "zzz")
    TrainConfig.check("profile", "counts")  # which needs counts


def test_a_config_is_frozen():
    with pytest.raises(ValueError, match="frozen"):
        TrainConfig().lr = 1.0


def test_none_is_a_default_and_never_one_choice_of_many():
    for knob, field in TrainConfig.model_fields.items():
        may_be_none = type(None) in get_args(field.annotation)
        assert may_be_none == (field.default is None), knob


def test_every_knob_is_of_one_group_that_stands_beside_its_code():
    groups = [c for c in TrainConfig.__mro__ if c.__module__.startswith("lt_core") and c is not TrainConfig]
    own = [knob for group in groups for knob in group.__annotations__ if knob in TrainConfig.model_fields]
    assert sorted(own) == sorted(set(own))
    assert set(TrainConfig.model_fields) - set(own) == {"evaluate_untrained", "keep_weights"}


def test_a_losss_keywords_are_checked_when_it_is_planned(monkeypatch):
    def mine(logits, labels, *, gama, counts):
        return logits.sum(dim=1) * gama

    monkeypatch.setitem(LOSSES, "mine", LOSSES.entry(mine))
    with pytest.raises(InputError, match=r"^loss=mine: .* 'gama' \(did you mean 'gamma'\?\)"):
        TrainConfig.parse({"loss": "mine"})


def test_a_loss_that_says_which_classifier_it_needs_gets_no_other(monkeypatch):
    monkeypatch.setitem(LOSSES, "mine", LOSSES.entry(lambda z, y: z.sum(1), classifier="cosine"))
    with pytest.raises(InputError, match=r"^loss=mine: needs classifier=cosine$"):
        TrainConfig.parse({"loss": "mine"})
    assert TrainConfig.parse({"loss": "mine", "classifier": "cosine"}).loss == "mine"


def test_a_loss_and_a_sampler_that_balance_are_told_from_what_they_say(monkeypatch):
    monkeypatch.setitem(LOSSES, "mine", LOSSES.entry(lambda z, y: z.sum(1), balances=True))
    monkeypatch.setitem(
        SAMPLERS, "thirds", SAMPLERS.entry(lambda labels, counts, stream: labels, balances=True)
    )
    twice = balances_twice(TrainConfig.parse({"loss": "mine", "sampler": "thirds"}))
    assert twice == "sampler=thirds and loss=mine balance the classes twice"


@pytest.mark.parametrize("loss", [lambda logits: logits, lambda z, y, gamma: z, lambda *, gamma: gamma])
def test_a_loss_that_cannot_be_called_with_a_batch_is_refused_when_it_is_planned(loss, monkeypatch):
    monkeypatch.setitem(LOSSES, "mine", LOSSES.entry(loss))
    with pytest.raises(InputError, match=r"^loss=mine: must take \(logits, labels\), and knobs as keywords"):
        TrainConfig.parse({"loss": "mine"})
