"""Every technique acts inside the training loop, by what short runs on digits drew and learned."""

import pytest
import torch

from lt_core.stages import stages
from lt_core.train import TrainConfig, make_objective
from tests.lt_core.runs import FAST, counts, run, training

ONE = {"epochs": 1}
COUNTS = torch.tensor([4.0, 1.0])


@pytest.fixture(scope="module")
def plain(digits):
    return training(digits, epochs=2)


def drawn(epoch):
    """Images trained on, by class."""
    return epoch.train_confusion.sum(axis=1).tolist()


@pytest.mark.parametrize("sampler", ["instance", "under", "over"])
def test_exact_samplers_decide_what_is_trained_on(digits, sampler):
    n = counts(digits)
    expected = {"instance": n.tolist(), "under": [n.min()] * 10, "over": [n.max()] * 10}[sampler]
    for epoch, _ in run(digits, sampler=sampler, epochs=2):
        assert drawn(epoch) == expected


@pytest.mark.parametrize(("sampler", "power"), [("class_balanced", 0.0), ("square_root", 0.5)])
def test_drawing_samplers_decide_what_is_trained_on(digits, sampler, power):
    n = counts(digits) ** power
    ((epoch, _),) = run(digits, sampler=sampler, **ONE)
    N = counts(digits).sum()
    assert sum(drawn(epoch)) == N
    for found, share in zip(drawn(epoch), n / n.sum(), strict=True):
        assert found == pytest.approx(N * share, abs=4 * (N * share * (1 - share)) ** 0.5)


@pytest.mark.parametrize(
    "knobs",
    [
        {"sampler": "class_balanced"},
        {"sampler": "square_root"},
        {"noise_variances": (0.1,)},
        {"augment": "flip"},
        {"mixup_alpha": 1.0},
        {"mixup_lambda": 0.9},
        {"cutmix_alpha": 1.0},
        {"cutmix_lambda": 0.9},
        {"cutmix_lambda": 0.5, "cutmix_tail_only": True},
        {"classifier": "cosine"},
        {"loss": "logit_adjusted"},
        {"loss": "ldam", "classifier": "cosine"},
        {"weighting": "inverse"},
        {"label_smoothing": 0.1},
        {"label_smoothing": 0.1, "smoothing_over": "wrong"},
        {"label_smoothing_tail": 0.1},
        {"irm_penalty": 1.0},
        {"optimizer": "adamw", "weight_decay": 0.1},
        {"optimizer": "sgd"},
        {"schedule": "cosine"},
        {"warmup": 0.5},
    ],
    ids=str,
)
def test_a_technique_changes_what_is_learned(digits, plain, knobs):
    assert training(digits, **ONE | knobs)[0][2] != plain[0][2]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"label_smoothing": 0.1}, {"label_smoothing": 0.2}),
        ({"label_smoothing": 0.1}, {"label_smoothing": 0.1, "smoothing_over": "wrong"}),
        ({"label_smoothing": 0.1}, {"label_smoothing": 0.1, "label_smoothing_tail": 0.3}),
        ({"mixup_alpha": 1.0}, {"mixup_alpha": 0.2}),
        ({"cutmix_lambda": 0.5}, {"cutmix_lambda": 0.5, "cutmix_probability": 0.5}),
        ({"cutmix_lambda": 0.5}, {"cutmix_lambda": 0.5, "cutmix_tail_only": True}),
        ({"noise_variances": (0.1,)}, {"noise_variances": (0.1, 0.5)}),
        ({"weighting": "inverse"}, {"weighting": "inverse", "reduction": "batch"}),
        ({"loss": "logit_adjusted"}, {"loss": "logit_adjusted", "tau": 2.0}),
        ({"classifier": "cosine"}, {"classifier": "cosine", "cosine_scale": 10.0}),
    ],
    ids=str,
)
def test_a_knob_of_a_technique_acts(digits, one, other):
    assert training(digits, **ONE | one)[0][2] != training(digits, **ONE | other)[0][2]


@pytest.mark.parametrize(
    "knobs",
    [
        {"mixup_lambda": 1.0},
        {"cutmix_lambda": 1.0},
        {"cutmix_alpha": 1.0, "cutmix_probability": 0.0},
        {"loss": "logit_adjusted", "tau": 0.0},
        {"weighting": "effective_number", "beta": 0.0},
    ],
    ids=str,
)
def test_a_technique_at_its_zero_trains_as_without_it_to_the_bit(digits, plain, knobs):
    assert training(digits, **ONE | knobs) == plain[:1]


def test_reweighting_that_is_deferred_trains_unweighted_until_the_switch(digits):
    plain = training(digits, epochs=4)
    deferred = training(digits, epochs=4, weighting="inverse", reweight_after=0.5)
    assert deferred[:2] == plain[:2]
    assert deferred[2][2] != plain[2][2]


def test_reweighting_starts_with_the_first_epoch_after_its_share():
    config = TrainConfig(epochs=10, weighting="inverse", reweight_after=0.8)
    (stage,) = stages(config)
    weights = [make_objective(config, stage, COUNTS, epoch).weights.tolist() for epoch in (1, 8, 9, 10)]
    assert weights[:2] == [[1, 1]] * 2
    assert weights[2] == weights[3] == pytest.approx([0.4, 1.6])


def test_noise_refill_balances_what_is_trained_on(digits):
    for epoch, _ in run(digits, noise_variances=(0.1, 0.3), epochs=2):
        assert drawn(epoch) == [counts(digits).max()] * 10


def test_a_refill_with_next_to_no_noise_learns_as_oversampling_does(digits):
    """The copies are of the right images: noise 1e-12 leaves each class's mean image where it was."""
    (*_, (refilled, _)) = run(digits, noise_variances=(1e-12,), epochs=4)
    (*_, (over, _)) = run(digits, sampler="over", epochs=4)
    assert refilled.macro_recall == pytest.approx(over.macro_recall, abs=0.05)
    assert over.macro_recall > 0.7


@pytest.mark.parametrize(
    "environments", [{}, {"irm_environments": "noise", "noise_variances": (0.1,)}], ids=str
)
def test_the_irm_penalty_acts_after_its_warmup_alone(digits, environments):
    knobs = {"epochs": 2, "irm_warmup": 0.5} | environments
    weak, strong = (training(digits, irm_penalty=penalty, **knobs) for penalty in (1.0, 100.0))
    assert weak[0] == strong[0]
    assert weak[1][2] != strong[1][2]
    assert weak[0][2] != training(digits, irm_penalty=1.0, **knobs | {"irm_warmup": 0.0})[0][2]


def test_irm_by_sampling_adds_as_many_class_balanced_draws(digits):
    ((epoch, _),) = run(digits, irm_penalty=1.0, **ONE)
    n, N = counts(digits), counts(digits).sum()
    assert sum(drawn(epoch)) == 2 * N
    for found, own in zip(drawn(epoch), n, strict=True):
        assert found - own == pytest.approx(N / 10, abs=4 * (N * 0.09) ** 0.5)


def test_warmup_and_milestones_set_the_rate_of_each_step(digits):
    steps = -(-counts(digits).sum() // 32)
    knobs = {"epochs": 5, "lr": 0.01, "warmup": 0.4, "schedule": "steps", "milestones": (0.6, 0.8)}
    rates = [epoch.lr for epoch, _ in run(digits, **knobs)]
    last = 1 - 1 / steps  # the last step of an epoch begins when this share of it is done
    warm = [0.01 * (done + last) / 2 for done in (0, 1)]
    assert rates == pytest.approx([*warm, 0.01, 0.001, 0.0001])


def test_a_step_at_rate_0_leaves_the_weights(digits):
    """The first step of a warm-up: with a single step an epoch nothing is learned in the first."""
    states = [state["model"] for _, state in run(digits, batch_size=4096, warmup=0.5, epochs=2)]
    start = [state["model"] for _, state in run(digits, batch_size=4096, lr=1e-30, epochs=1)]
    assert states[0]["classifier.weight"].tolist() == start[0]["classifier.weight"].tolist()
    assert states[1]["classifier.weight"].tolist() != start[0]["classifier.weight"].tolist()


@pytest.mark.parametrize(
    "knobs",
    [
        {"loss": "ldam", "classifier": "cosine", "weighting": "effective_number", "reweight_after": 0.75},
        {"loss": "logit_adjusted"},
        {"classifier": "cosine"},
        {"mixup_alpha": 0.2},
        {"cutmix_alpha": 1.0},
        {"label_smoothing": 0.1},
        {"optimizer": "adamw"},
        {"sampler": "class_balanced"},
        {"irm_penalty": 0.1},
        {"noise_variances": (0.05, 0.1)},
    ],
    ids=str,
)
def test_a_technique_learns(digits, knobs):
    """Chance is 0.1."""
    (*_, (last, _)) = run(digits, **FAST | knobs | {"epochs": 8})
    assert last.macro_recall > 0.5
