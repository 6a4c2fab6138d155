"""Knobs that are fine alone and make no sense together, or not with the data."""

from typing import TYPE_CHECKING

from lt_core.errors import InputError

if TYPE_CHECKING:
    from lt_core.config import TrainConfig

MIXING = ("mixup_alpha", "mixup_lambda", "cutmix_alpha", "cutmix_lambda")
BALANCING_SAMPLERS = ("class_balanced", "under", "over")


def check(config: "TrainConfig") -> None:
    """Raise ValueError, one line, where knobs contradict each other."""
    mixing = [knob for knob in MIXING if getattr(config, knob) is not None]
    cutting = any(knob.startswith("cutmix") for knob in mixing)
    _refuse((config.profile == "counts") != (config.counts is not None), "counts", "goes with profile=counts")
    if len(mixing) > 1:
        raise ValueError(f"{mixing[0]}, {mixing[1]}: only one can be in charge of a batch, unset the other")
    _refuse(
        config.cutmix_tail_only and not cutting, "cutmix_tail_only", "needs cutmix_alpha or cutmix_lambda"
    )
    _refuse(
        config.cutmix_probability < 1 and not cutting,
        "cutmix_probability",
        "needs cutmix_alpha or cutmix_lambda",
    )
    _refuse(
        config.tail_classes is not None and not config.cutmix_tail_only,
        "tail_classes",
        "goes with cutmix_tail_only",
    )
    _refuse(config.tail_classes == (), "tail_classes", "names no class")
    negative = config.noise_variances is not None and min(config.noise_variances, default=-1) <= 0
    _refuse(negative, "noise_variances", "must be one or more values above 0")
    rising = list(config.milestones) == sorted(set(config.milestones))
    ordered = rising and all(0 < milestone < 1 for milestone in config.milestones)
    _refuse(not ordered, "milestones", "must be rising shares of the budget between 0 and 1")
    last = (config.epochs - 1) / config.epochs
    _refuse(
        config.reweight_after > last, "reweight_after", f"no epoch of {config.epochs} is left for weights"
    )
    _check_refill(config)
    _check_classifier(config)
    _check_irm(config, mixing)
    _check_stages(config, mixing)


def _check_classifier(config: "TrainConfig") -> None:
    cosine = config.classifier == "cosine"
    _refuse(config.loss == "ldam" and not cosine, "loss=ldam", "its margins need classifier=cosine")
    _refuse(cosine and config.tau_norm > 0, "tau_norm", "the cosine classifier has no norms to divide by")
    scaled = config.stage2_classifier == "scale"
    _refuse(scaled and config.tau_norm > 0, "tau_norm", "stage2_classifier=scale learns what it divides out")
    _refuse(cosine and config.loss == "focal_sigmoid", "loss=focal_sigmoid", "needs classifier=linear")


def _check_refill(config: "TrainConfig") -> None:
    """After a refill all classes are as large, so that what follows their sizes would do nothing."""
    if config.noise_variances:
        for knob in ("weighting", "stage2_weighting"):
            weighted = getattr(config, knob) not in (None, "none")
            _refuse(weighted, knob, "noise_variances leaves no imbalance to weigh")
        _refuse(config.loss == "logit_adjusted", "loss=logit_adjusted", "noise_variances leaves no imbalance")
        _refuse(config.posthoc_tau > 0, "posthoc_tau", "noise_variances leaves no imbalance to adjust for")
        _refuse(
            config.label_smoothing_tail is not None,
            "label_smoothing_tail",
            "noise_variances leaves no rarest class",
        )


def _check_irm(config: "TrainConfig", mixing: list[str]) -> None:
    on = config.irm_penalty > 0
    _refuse(on and bool(mixing), "irm_penalty", "its environments cannot be mixed by MixUp or CutMix")
    _refuse(config.irm_warmup > 0 and not on, "irm_warmup", "needs irm_penalty above 0")
    late = config.irm_warmup > (config.epochs - 1) / config.epochs
    _refuse(late, "irm_warmup", f"no epoch of {config.epochs} is left for the penalty")
    noisy = config.irm_environments == "noise"
    _refuse(noisy and not config.noise_variances, "irm_environments=noise", "needs noise_variances")
    _refuse(
        on and not noisy and bool(config.noise_variances),
        "irm_environments=sampling",
        "noise_variances makes its environments the same, take irm_environments=noise",
    )
    _refuse(
        on and not noisy and (config.sampler in BALANCING_SAMPLERS or config.stage1_share is not None),
        "irm_environments=sampling",
        "balanced sampling (of a stage 2, too) makes its environments the same",
    )


def _check_stages(config: "TrainConfig", mixing: list[str]) -> None:
    stage2 = [
        k for k in type(config).model_fields if k.startswith("stage2_") and getattr(config, k) is not None
    ]
    if config.stage1_share is None:
        _refuse(bool(stage2), ", ".join(stage2), "needs stage1_share: there is no stage 2")
        return
    _refuse(bool(config.stage2_mix) and not mixing, "stage2_mix", "needs a knob of MixUp or CutMix")
    alone = config.stage2_label_smoothing_tail is not None and config.stage2_label_smoothing is None
    _refuse(alone, "stage2_label_smoothing_tail", "needs stage2_label_smoothing")
    first = round(config.stage1_share * config.epochs)
    if not 0 < first < config.epochs:
        raise ValueError(
            f"stage1_share={config.stage1_share:g}: leaves a stage without an epoch of {config.epochs}; "
            "it is the share of stage 1 and needs an epoch on either side"
        )
    weighted = config.weighting != "none" and config.stage2_weighting in (None, "none")
    late = config.reweight_after > (first - 1) / config.epochs
    _refuse(
        weighted and late, "reweight_after", "no epoch of stage 1 is left for weights, and stage 2 has none"
    )


def _refuse(wrong: bool, knob: str, why: str) -> None:
    if wrong:
        raise ValueError(f"{knob}: {why}")


def check_classes(config: "TrainConfig", num_classes: int) -> None:
    """Raise InputError where knobs do not suit data of ``num_classes`` classes."""
    most = (num_classes - 1) / num_classes
    if config.smoothing_over == "wrong":
        for knob in type(config).model_fields:
            epsilon = getattr(config, knob) if "label_smoothing" in knob else None
            if epsilon is not None and epsilon > most:
                raise InputError(
                    f"{knob}={epsilon:g}: at most {most:g} can go to the wrong ones of {num_classes} classes"
                )
    for k in config.tail_classes or ():
        if not 0 <= k < num_classes:
            raise InputError(f"tail_classes: there is no class {k}, they go from 0 to {num_classes - 1}")


def balances_twice(config: "TrainConfig") -> str | None:
    """Say where a stage balances by two of sampler, weights, loss and adjustment; None: nowhere."""
    sampler2 = config.stage2_sampler or "class_balanced"
    stages = [(config.sampler, config.weighting, "")]
    if config.stage1_share is not None:
        stages.append((sampler2, config.stage2_weighting or "none", "stage2_"))
    for number, (sampler, weighting, prefix) in enumerate(stages, start=1):
        ways = []
        if sampler in BALANCING_SAMPLERS and not config.noise_variances:
            ways.append(f"{prefix}sampler={sampler}")
        if weighting != "none":
            ways.append(f"{prefix}weighting={weighting}")
        if config.loss == "logit_adjusted":
            ways.append("loss=logit_adjusted")
        if config.posthoc_tau > 0 and number == len(stages):
            ways.append(f"posthoc_tau={config.posthoc_tau:g}")
        if len(ways) > 1:
            return f"{' and '.join(ways)} balance the classes twice"
    return None
