"""Whether a sweep is the one that was begun: the rule of early stopping, where something is searched."""

import pytest

from lt_core.errors import InputError
from sweeps.record.description import Description
from sweeps.store.same_sweep import check


def about(stopping, searched=True):
    arm = {"name": "a", "label": "A", "epochs": 1, "train_counts": [2]}
    space = {"searched": {"lr": {"text": "0.1 to 1"}}} if searched else {}
    data = {"name": "toy", "class_names": ["cat"]}
    return Description(experiment="e", data=data, trials=2, seeds=1, arms=[arm | space], stopping=stopping)


def test_another_rule_of_early_stopping_is_refused_and_named():
    with pytest.raises(InputError, match=r"^--resume: .* early stopping by half, it is third now$"):
        check(about("half"), about("third"))
    assert check(about("half"), about("half")) == []


def test_the_rule_does_not_matter_where_none_is_on_record_or_nothing_is_searched():
    assert check(about(""), about("third")) == []
    assert check(about("half", searched=False), about("third", searched=False)) == []
