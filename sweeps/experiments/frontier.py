"""Does a method beat the head-tail frontier of plain CE, or does it slide along it?

Post-hoc logit adjustment trades the head of a trained CE model for its tail, at no cost, by tau. A method is
worth its training only where it has more recall in the tail than CE has *at the same recall in the head*.
The table `frontier` takes that difference, paired over seeds; the figure draws the curves.
"""

from typing import Any

from lt_core.data import Dataset
from sweeps.planning.experiment import Arm, Experiment
from sweeps.planning.presets import Preset, for_data, presets

WEIGHTED = {"weighting": "effective_number", "beta": 0.9999}
ARMS: list[tuple[str, str, dict[str, Any]]] = [
    ("focal", "focal", {"loss": "focal"}),
    ("cb_ce", "CB-CE β=0.9999", WEIGHTED),
    ("cb_focal", "CB-Focal β=0.9999", {"loss": "focal", **WEIGHTED}),
    ("drw", "CE, DRW", {**WEIGHTED, "reweight_after": 0.8}),
    ("cb_sampling", "class-balanced sampling", {"sampler": "class_balanced"}),
    ("sqrt_sampling", "square-root sampling", {"sampler": "square_root"}),
    ("logit_adjusted", "logit-adjusted loss τ=1", {"loss": "logit_adjusted", "tau": 1.0}),
    ("crt", "cRT", {"stage1_share": 0.8, "stage2_classifier": "reset"}),
    ("mixup", "MixUp α=0.2", {"mixup_alpha": 0.2}),
    ("smoothing", "label smoothing ε=0.1", {"label_smoothing": 0.1}),
]


def experiment(data: Dataset) -> Experiment:
    """Return CE and the methods, none of them searched."""
    return Experiment(
        base={"lr": 1e-3, "weight_decay": 5e-4, "schedule": "cosine", **for_data(data)},
        arms=[
            Arm(name="ce", label="CE"),
            *(Arm(name=name, label=label, knobs=knobs, baseline="ce") for name, label, knobs in ARMS),
        ],
        presets=presets(
            data,
            cpu=Preset(
                knobs={"model": "convnet", "n_max": 2000, "epochs": 12, "batch_size": 64}, trials=12, seeds=5
            ),
            gpu=Preset(
                knobs={"model": "resnet32", "epochs": 200, "batch_size": 128, "optimizer": "sgd", "lr": 0.1},
                trials=64,
                seeds=5,
            ),
        ),
        frontier_of="ce",
        published_baseline=0.704,  # CE, ResNet-32, IR 100: analysis/published/cifar10_lt_resnet32.csv
    )
