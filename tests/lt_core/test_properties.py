"""Properties that hold for any input: class counts, splits, weights, metrics and configurations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lt_core import seeds
from lt_core.config import TrainConfig
from lt_core.data import class_counts, draw, hold_out
from lt_core.errors import InputError
from lt_core.evaluation.metrics import class_metrics, summary
from lt_core.losses.class_weights import WEIGHTINGS, class_weights

PROFILES = ("exponential", "linear", "step", "step_head_last")
COUNTS = st.lists(st.integers(1, 5000), min_size=2, max_size=20).map(np.array)


@given(COUNTS, st.sampled_from(PROFILES), st.floats(1, 1000))
def test_counts_are_drawable_or_refused(available, profile, ratio):
    try:
        counts = class_counts(profile, available, ratio)
    except InputError as error:
        assert "\n" not in str(error)
        return
    assert (counts >= 1).all()
    assert (counts <= available).all()
    assert counts.max() == available.min()
    assert counts.max() / counts.min() >= ratio * (1 - 1e-9) or profile == "linear" or len(counts) == 1
    ordered = counts[::-1] if profile == "step_head_last" else counts
    assert (np.diff(ordered) <= 0).all()


@given(st.lists(st.integers(2, 60), min_size=2, max_size=6), st.integers(0, 2**31 - 1))
def test_held_out_and_drawn_never_meet(sizes, seed):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    held, rest = hold_out(labels, np.ones(len(sizes), dtype=int), seeds.generator(seed, "validation"))
    counts = np.maximum(np.bincount(labels[rest]) // 2, 1)
    drawn = draw(labels, rest, counts, seeds.generator(seed, "subset"))
    assert not np.intersect1d(held, drawn).size
    assert (np.bincount(labels[drawn], minlength=len(sizes)) == counts).all()


@given(COUNTS, st.sampled_from(sorted(WEIGHTINGS)), st.floats(0, 0.999999))
def test_rarer_classes_never_weigh_less(counts, name, beta):
    weights = class_weights(name, counts, beta)
    assert weights.sum() == pytest.approx(len(counts))
    assert (np.diff(weights[np.argsort(counts)]) <= 1e-9).all()


@given(st.integers(2, 8), st.integers(0, 2**31 - 1))
def test_metrics_stay_between_0_and_1(size, seed):
    confusion = np.random.default_rng(seed).integers(0, 4, (size, size))
    confusion[0, 0] += 1
    by_class = class_metrics(confusion)
    for values in (by_class.precision, by_class.recall, by_class.f1):
        assert np.nanmin(values) >= 0
        assert np.nanmax(values) <= 1
    assert summary(confusion)["worst_recall"] <= summary(confusion)["macro_recall"]


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5))


@given(st.dictionaries(st.sampled_from(sorted(TrainConfig.model_fields)), SCALARS, max_size=4))
def test_any_knobs_make_a_config_or_one_clear_line(knobs):
    try:
        config = TrainConfig.parse(knobs)
    except InputError as error:
        assert "\n" not in str(error)
        assert any(knob in str(error) for knob in [*knobs, "counts"])
    else:
        assert TrainConfig.parse(config.model_dump()) == config
