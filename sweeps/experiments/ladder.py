"""EfficientNet's ladder on the linear profile: what each technique adds on top of the last.

The study (EfficientNet-B0, 5,000 to 500 images a class, 30 epochs, batch 128, lr 1e-4) states neither its
pretraining nor its input size; 84 % after 30 epochs at that lr implies ImageNet weights. Chosen here: from
scratch at 32 pixels (`--set pretrained=imagenet` starts from torchvision's weights), so the ladder is read
by its differences, not by its level. Its "decay 0.9999" is read as that of the weights' moving average, with
a ramp. CutMix takes one lambda from Beta(1, 1) and a box with sides sqrt(1 - lambda) of the image; tail
classes are those with fewer images than the mean. Decoupling trains two thirds of the epochs without
class-balanced sampling, then the classifier alone, kept and not drawn anew, with class-balanced sampling,
without MixUp, at the first lr; the study froze gradients only, so batch-norm statistics move.
"""

from typing import Any

from lt_core.data import Dataset
from sweeps.planning.experiment import Arm, Experiment, Question
from sweeps.planning.presets import DIGITS, Preset, for_data, presets

LADDER_BASELINE = 0.8422  # accuracy, analysis/published/efficientnet_ladder_summary.csv
BASE = {"optimizer": "adam", "ema_decay": 0.9999, "smoothing_over": "wrong", "weight_decay": 0.0}
BALANCED: dict[str, Any] = {"sampler": "class_balanced"}
MIXUP = BALANCED | {"mixup_lambda": 0.4}
CUTMIX = BALANCED | {"cutmix_alpha": 1.0, "cutmix_tail_only": True}
SMOOTHED = MIXUP | {"label_smoothing": 0.2}
TTA = SMOOTHED | {"tta": "horizontal"}
DECOUPLED = TTA | {
    "sampler": "instance",
    "stage1_share": 2 / 3,
    "stage2_batch_norm": "moving",
}
STEPS: list[tuple[str, str, dict[str, Any], str | None, str]] = [
    ("baseline", "baseline", {}, None, "baseline"),
    ("cb_sampling", "+ class-balanced sampling", BALANCED, "baseline", "cb_sampling"),
    ("mixup", "+ MixUp λ=0.4", MIXUP, "cb_sampling", "cb_sampling+mixup"),
    ("cutmix_tail", "(instead: CutMix, tail)", CUTMIX, "cb_sampling", "cb_sampling+cutmix_tail"),
    ("smoothing", "+ label smoothing ε=0.2", SMOOTHED, "mixup", "cb_sampling+mixup+label_smoothing"),
    ("tta", "+ TTA, horizontal", TTA, "smoothing", "cb_sampling+mixup+label_smoothing+tta"),
    ("decoupling", "+ decoupling", DECOUPLED, "tta", "cb_sampling+mixup+label_smoothing+tta+decoupling"),
]


def ladder_notes(data: Dataset) -> list[str]:
    """Return what the tables of every experiment on the ladder's study must carry."""
    note = (
        f"Flips change what an image shows: on {data.name}, test-time augmentation shows only that it runs."
    )
    return [] if data.flips else [note]


def ladder_presets(data: Dataset) -> dict[str, Preset]:
    """Return the budgets of every experiment on the ladder's study."""
    return presets(
        data,
        digits=Preset(knobs={**DIGITS.knobs, "lr": 1e-3}, trials=12, seeds=10),
        cpu=Preset(
            knobs={"model": "convnet", "n_max": 1000, "epochs": 12, "batch_size": 64, "lr": 1e-3},
            trials=12,
            seeds=5,
        ),
        gpu=Preset(
            knobs={"model": "efficientnet_b0", "n_max": 5000, "epochs": 30, "batch_size": 128, "lr": 1e-4},
            trials=64,
            seeds=5,
        ),
    )


def experiment(data: Dataset) -> Experiment:
    """Return the steps, all against the baseline, and the questions, each step against the one before."""
    arms = [
        Arm(name=name, label=label, knobs=knobs, baseline=before and "baseline", published=published)
        for name, label, knobs, before, published in STEPS
    ]
    return Experiment(
        base={**BASE, **for_data(data, "linear", 10.0)},
        arms=arms,
        presets=ladder_presets(data),
        questions=[
            Question("Does class-balanced sampling help?", "cb_sampling", "baseline"),
            Question("Does MixUp help on top?", "mixup", "cb_sampling"),
            Question("Does tail-only CutMix instead?", "cutmix_tail", "cb_sampling"),
            Question("Does label smoothing help on top?", "smoothing", "mixup"),
            Question("Does horizontal TTA help on top?", "tta", "smoothing"),
            Question("Does decoupling help on top?", "decoupling", "tta"),
        ],
        published="efficientnet_ladder",
        published_baseline=LADDER_BASELINE,
        notes=ladder_notes(data),
    )
