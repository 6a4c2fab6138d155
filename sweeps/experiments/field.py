"""The field's strongest simple methods with ResNet-32 on the exponential profile, beside their figures.

Recipe of the field: 200 epochs, batch 128, SGD 0.1, weight decay 2e-4, warm-up over 5 epochs, lr x 0.01 after
epoch 160 and again after 180; here as shares of the budget. Two-stage methods split it (9/10 for stage 1)
instead of adding epochs, so that all arms cost the same. tau-norm takes 0.7, Kang et al.'s value for
ImageNet-LT; post-hoc adjustment 1, which is its theory's; CB-Focal is Cui et al.'s, on sigmoids, divided by
the batch size; label-aware smoothing goes from 0.3 (head) to 0 (tail) in stage 2, with learned scales, on
MixUp, as MiSLAS does on this data. Each stage goes through the whole schedule. Nothing is tuned here but the
cpu preset's batch, 16 at lr 0.025: at 128 its twelve epochs would be 470 steps of the recipe's 19,000.
"""

from typing import Any

from lt_core.data import Dataset
from sweeps.planning.experiment import Arm, Experiment
from sweeps.planning.presets import Preset, for_data, presets

DRW = {"weighting": "effective_number", "beta": 0.9999, "reweight_after": 0.8}
STAGES = {"stage1_share": 0.9}
ARMS: list[tuple[str, str, dict[str, Any]]] = [
    (
        "cb_focal",
        "CB-Focal β=0.9999",
        {
            "loss": "focal_sigmoid",
            "weighting": "effective_number",
            "beta": 0.9999,
            "reduction": "batch",
        },
    ),
    ("ldam_drw", "LDAM-DRW", {"loss": "ldam", "classifier": "cosine", **DRW}),
    ("logit_adjustment_loss", "logit adjustment, loss τ=1", {"loss": "logit_adjusted", "tau": 1.0}),
    ("logit_adjustment_posthoc", "logit adjustment, post-hoc τ=1", {"posthoc_tau": 1.0}),
    ("crt", "cRT", STAGES | {"stage2_classifier": "reset"}),
    ("lws", "LWS", STAGES | {"stage2_classifier": "scale"}),
    ("tau_norm", "τ-norm, τ=0.7", {"tau_norm": 0.7}),
    ("mixup_drw", "MixUp-DRW", {"mixup_alpha": 1.0, **DRW}),
    (
        "label_aware",
        "MixUp, label-aware smoothing",
        STAGES
        | {
            "mixup_alpha": 1.0,
            "smoothing_over": "wrong",
            "stage2_classifier": "scale",
            "stage2_label_smoothing": 0.3,
            "stage2_label_smoothing_tail": 0.0,
        },
    ),
]
PUBLISHED = {"label_aware": "mislas"}


def experiment(data: Dataset) -> Experiment:
    """Return CE and the methods."""
    recipe = {"batch_size": 128, "optimizer": "sgd", "lr": 0.1, "weight_decay": 2e-4, "warmup": 0.025}
    recipe |= {"schedule": "steps", "milestones": (0.8, 0.9), "decay": 0.01}
    published = {name: PUBLISHED.get(name, name) for name, _, _ in ARMS}
    return Experiment(
        base={**recipe, **for_data(data)},
        arms=[
            Arm(name="ce", label="CE", published="ce"),
            *(
                Arm(name=name, label=label, knobs=knobs, baseline="ce", published=published[name])
                for name, label, knobs in ARMS
            ),
        ],
        presets=presets(
            data,
            digits=Preset(knobs={"model": "convnet", "epochs": 20, "batch_size": 32}, trials=12, seeds=10),
            cpu=Preset(
                knobs={"model": "resnet32", "n_max": 2000, "epochs": 12, "batch_size": 16, "lr": 0.025},
                trials=12,
                seeds=3,
            ),
            gpu=Preset(knobs={"model": "resnet32", "epochs": 200}, trials=64, seeds=5),
        ),
        published="cifar10_lt_resnet32",
        published_baseline=0.704,
        frontier_of="ce",
    )
