"""Knobs that make no sense together, or not with the data, are one clear line."""

import warnings

import pytest

from lt_core.batches.samplers import SAMPLERS
from lt_core.config import TrainConfig
from lt_core.errors import InputError
from lt_core.train import train
from tests.lt_core.runs import FAST, run

BALANCING = [name for name, sampler in SAMPLERS.items() if sampler.balances]
ONE_IN_CHARGE = "only one can be in charge of a batch"
CUT_NEEDED = "needs cutmix_alpha or cutmix_lambda$"
RISING = "^milestones: must be rising shares of the budget between 0 and 1$"
STAGE2 = {
    "stage2_classifier": "reset",
    "stage2_batch_norm": "moving",
    "stage2_lr_factor": 10.0,
    "stage2_sampler": "instance",
    "stage2_weighting": "inverse",
    "stage2_augment": "flip",
    "stage2_mix": True,
    "stage2_label_smoothing": 0.0,
    "stage2_label_smoothing_tail": 0.1,
}
WRONG = [
    ({"mixup_alpha": 1.0, "cutmix_alpha": 1.0}, f"^mixup_alpha, cutmix_alpha: {ONE_IN_CHARGE}"),
    ({"mixup_alpha": 1.0, "mixup_lambda": 0.5}, f"^mixup_alpha, mixup_lambda: {ONE_IN_CHARGE}"),
    ({"mixup_lambda": 1.0, "cutmix_lambda": 0.5}, f"^mixup_lambda, cutmix_lambda: {ONE_IN_CHARGE}"),
    ({"mixup_alpha": 0.0}, "^mixup_alpha=0.0 should be greater than 0$"),
    ({"cutmix_alpha": -1.0}, "^cutmix_alpha=-1.0 should be greater than 0$"),
    ({"mixup_lambda": -0.1}, "^mixup_lambda=-0.1 should be greater than or equal to 0$"),
    ({"cutmix_lambda": 1.1}, "^cutmix_lambda=1.1 should be less than or equal to 1$"),
    ({"cutmix_tail_only": True}, f"^cutmix_tail_only: {CUT_NEEDED}"),
    ({"cutmix_tail_only": True, "mixup_alpha": 1.0}, f"^cutmix_tail_only: {CUT_NEEDED}"),
    ({"cutmix_probability": 0.5}, f"^cutmix_probability: {CUT_NEEDED}"),
    ({"cutmix_probability": 1.5, "cutmix_alpha": 1.0}, "^cutmix_probability=1.5 should be less"),
    ({"tail_classes": (1,), "cutmix_alpha": 1.0}, "^tail_classes: goes with cutmix_tail_only$"),
    ({"label_smoothing": 1.1}, "^label_smoothing=1.1 should be less than or equal to 1$"),
    ({"label_smoothing": -0.1}, "^label_smoothing=-0.1 should be greater than or equal to 0$"),
    ({"label_smoothing_tail": 2}, "^label_smoothing_tail=2 should be less than or equal to 1$"),
    ({"irm_penalty": -1.0}, "^irm_penalty=-1.0 should be greater than or equal to 0$"),
    ({"irm_warmup": 0.5}, "^irm_warmup: needs irm_penalty above 0$"),
    ({"irm_penalty": 1.0, "mixup_alpha": 1.0}, "^irm_penalty: its environments cannot be mixed"),
    ({"irm_penalty": 1.0, "irm_environments": "noise"}, "^irm_environments=noise: needs noise_variances$"),
    *(
        ({"irm_penalty": 1.0, **same}, "^irm_environments=sampling: .* makes its environments the same")
        for same in (
            *({"sampler": s} for s in BALANCING),
            {"stage1_share": 0.5},
            {"noise_variances": (0.1,)},
        )
    ),
    *(
        ({"noise_variances": (0.1,), **knobs}, "weighting: noise_variances leaves no imbalance to weigh$")
        for knobs in ({"weighting": "inverse"}, {"stage1_share": 0.5, "stage2_weighting": "effective_number"})
    ),
    (
        {"stage1_share": 0.5, "weighting": "inverse", "reweight_after": 0.45, "epochs": 10},
        "^reweight_after: no epoch of stage 1 is left for weights, and stage 2 has none$",
    ),
    ({"loss": "ldam"}, "^loss=ldam: needs classifier=cosine$"),
    ({"loss": "focal_sigmoid", "classifier": "cosine"}, "^loss=focal_sigmoid: needs classifier=linear$"),
    ({"classifier": "cosine", "tau_norm": 0.5}, "^tau_norm: the cosine classifier has no norms"),
    ({"noise_variances": ()}, "^noise_variances: must be one or more values above 0$"),
    ({"noise_variances": (0.1, -0.1)}, "^noise_variances: must be one or more values above 0$"),
    ({"noise_variances": (0.0,)}, "^noise_variances: must be one or more values above 0$"),
    ({"milestones": (0.8, 0.6)}, RISING),
    ({"milestones": (0.0, 0.6)}, RISING),
    ({"milestones": (0.6, 1.0)}, RISING),
    (
        {"tau_norm": 1.0, "stage1_share": 0.5, "stage2_classifier": "scale"},
        "^tau_norm: stage2_classifier=scale learns",
    ),
    ({"tau": -1.0}, "^tau=-1.0 should be greater than or equal to 0$"),
    ({"max_margin": 0.0}, "^max_margin=0.0 should be greater than 0$"),
    ({"ema_decay": 1.0}, "^ema_decay=1.0 should be less than 1$"),
    ({"warmup": 1.0}, "^warmup=1.0 should be less than 1$"),
    ({"reweight_after": 1.0}, "^reweight_after=1.0 should be less than 1$"),
    ({"stage1_share": 0.5, "stage2_lr_factor": 0.0}, "^stage2_lr_factor=0.0 should be greater than 0$"),
    ({"stage1_share": 0}, "^stage1_share=0 should be greater than 0$"),
    ({"stage1_share": 1}, "^stage1_share=1 should be less than 1$"),
    ({"stage1_share": 1.2}, "^stage1_share=1.2 should be less than 1$"),
    ({"stage1_share": -0.1}, "^stage1_share=-0.1 should be greater than 0$"),
    (
        {"stage1_share": 0.04, "epochs": 10},
        "^stage1_share=0.04: leaves a stage without an epoch of 10; it is the share",
    ),
    ({"stage1_share": 0.96, "epochs": 10}, "^stage1_share=0.96: leaves a stage without an epoch of 10"),
    ({"stage1_share": 0.5, "epochs": 1}, "^stage1_share=0.5: leaves a stage without an epoch of 1;"),
    ({"sampler": "balanced"}, r"^sampler: 'balanced' \(did you mean 'class_balanced'\?\)$"),
    ({"stage1_share": 0.5, "stage2_sampler": "ovr"}, r"^stage2_sampler: 'ovr' \(did you mean 'over'\?\)$"),
    (
        {"stage1_share": 0.5, "stage2_weighting": "x"},
        r"^stage2_weighting: 'x' \(known: effective_number, inv",
    ),
    *(
        ({knob: value}, f"^{knob}: needs stage1_share: there is no stage 2$")
        for knob, value in STAGE2.items()
    ),
]


@pytest.mark.parametrize(("knobs", "message"), WRONG, ids=[str(knobs) for knobs, _ in WRONG])
def test_a_contradiction_is_one_clear_line(knobs, message):
    with pytest.raises(InputError, match=message) as error:
        TrainConfig.parse(knobs)
    assert "\n" not in str(error.value)


RIGHT = [
    {"stage1_share": 0.5, "epochs": 2},
    {"stage1_share": 0.5, "mixup_alpha": 1.0, **STAGE2},
    {"cutmix_alpha": 1.0, "cutmix_tail_only": True, "tail_classes": (3, 4), "cutmix_probability": 0.5},
    {"irm_penalty": 1.0, "irm_environments": "noise", "noise_variances": (0.1, 0.2), "irm_warmup": 0.5},
    {"loss": "ldam", "classifier": "cosine"},
    {"milestones": (0.5,)},
]


@pytest.mark.parametrize("knobs", RIGHT, ids=str)
def test_what_goes_together_is_taken(knobs):
    config = TrainConfig.parse(knobs)
    assert TrainConfig.parse(config.model_dump()) == config


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        (
            {"label_smoothing": 0.95, "smoothing_over": "wrong"},
            "^label_smoothing=0.95: .*0.9 .*the wrong ones of 10 classes",
        ),
        (
            {"label_smoothing_tail": 0.91, "smoothing_over": "wrong"},
            "^label_smoothing_tail=0.91: .*0.9 .*the wrong ones of 10 classes",
        ),
        (
            {"stage2_label_smoothing": 1.0, "smoothing_over": "wrong", "stage1_share": 0.5},
            "^stage2_label_smoothing=1: .*0.9 .*the wrong ones of 10 classes",
        ),
        (
            {"cutmix_alpha": 1.0, "cutmix_tail_only": True, "tail_classes": (9, 10)},
            "^tail_classes: there is no class 10, they go from 0 to 9$",
        ),
        (
            {"cutmix_alpha": 1.0, "cutmix_tail_only": True, "tail_classes": (-1,)},
            "^tail_classes: there is no class -1, they go from 0 to 9$",
        ),
    ],
)
def test_what_the_data_forbids_is_said_before_training(digits, knobs, message):
    config = TrainConfig.parse(FAST | knobs)
    with pytest.raises(InputError, match=message) as error:
        next(train(config, digits))
    assert "\n" not in str(error.value)


def test_the_most_that_can_be_spread_trains(digits):
    assert len(run(digits, label_smoothing=0.9, smoothing_over="wrong", epochs=1)) == 1
    assert len(run(digits, label_smoothing=1.0, epochs=1)) == 1


@pytest.mark.parametrize(
    ("knobs", "ways"),
    [
        *(({"sampler": s, "weighting": "inverse"}, f"sampler={s} and weighting=inverse") for s in BALANCING),
        ({"weighting": "inverse", "loss": "logit_adjusted"}, "weighting=inverse and loss=logit_adjusted"),
        ({"sampler": "over", "loss": "logit_adjusted"}, "sampler=over and loss=logit_adjusted"),
        ({"sampler": "under", "posthoc_tau": 1.0}, "sampler=under and posthoc_tau=1"),
    ],
)
def test_balancing_twice_is_a_warning(digits, knobs, ways):
    with pytest.warns(UserWarning, match=f"^{ways} balance the classes twice$"):
        run(digits, **knobs, epochs=1)


def test_balancing_twice_in_stage_2_is_a_warning(digits):
    twice = "^stage2_sampler=class_balanced and stage2_weighting=inverse balance the classes twice$"
    with pytest.warns(UserWarning, match=twice):
        run(digits, stage1_share=0.5, stage2_weighting="inverse", epochs=2)


@pytest.mark.parametrize(
    "knobs",
    [
        {"weighting": "inverse"},
        {"sampler": "over"},
        {"sampler": "square_root", "weighting": "inverse"},
        {"loss": "logit_adjusted"},
        {"posthoc_tau": 1.0},
        {
            "stage1_share": 0.5,
            "sampler": "over",
            "stage2_sampler": "instance",
            "posthoc_tau": 1.0,
            "epochs": 2,
        },
        {"sampler": "over", "noise_variances": (0.1,)},
        {"stage1_share": 0.5, "weighting": "inverse", "epochs": 2},
        {"stage1_share": 0.5, "stage2_sampler": "instance", "stage2_weighting": "inverse", "epochs": 2},
    ],
    ids=str,
)
def test_balancing_once_is_none(digits, knobs):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(digits, **{"epochs": 1} | knobs)
