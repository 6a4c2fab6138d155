"""Why did decoupling not help the ladder: split, stage-2 lr, MixUp, TTA, batch norm or the classifier?

The ladder's last step lost 1.5 points. Each arm here changes one thing of that step; one arm searches split,
stage-2 lr, MixUp's alpha, TTA and the batch-norm switch together.
"""

from typing import Any

from lt_core.data import Dataset
from sweeps.experiments.ladder import BASE, DECOUPLED, LADDER_BASELINE, TTA, ladder_notes, ladder_presets
from sweeps.planning.experiment import Arm, Experiment, Question
from sweeps.planning.presets import for_data
from sweeps.planning.spaces import SPACES, Choice, Maybe

NO_MIXUP = {knob: value for knob, value in DECOUPLED.items() if knob != "mixup_lambda"}
NEITHER = {knob: value for knob, value in TTA.items() if knob != "mixup_lambda"}
CHANGES: list[tuple[str, str, dict[str, Any]]] = [
    ("split_late", "split 5/6", DECOUPLED | {"stage1_share": 5 / 6}),
    ("lr_tenth", "stage-2 lr × 0.1", DECOUPLED | {"stage2_lr_factor": 0.1}),
    ("mixup_beta", "MixUp α=0.2", NO_MIXUP | {"mixup_alpha": 0.2}),
    ("no_mixup", "no MixUp", NO_MIXUP),
    ("no_tta", "no TTA", DECOUPLED | {"tta": "none"}),
    ("bn_frozen", "batch norm frozen", DECOUPLED | {"stage2_batch_norm": "frozen"}),
    ("reset", "classifier drawn anew (cRT)", DECOUPLED | {"stage2_classifier": "reset"}),
]


def experiment(data: Dataset) -> Experiment:
    """Return the ladder's step, one arm for each change of it, and a search over all of them."""
    fixed = {k: v for k, v in NO_MIXUP.items() if k not in ("stage1_share", "tta", "stage2_batch_norm")}
    searched = Arm(
        name="searched",
        label="all searched",
        knobs=fixed,
        start={
            "stage1_share": 2 / 3,
            "stage2_lr_factor": 1.0,
            "mixup_alpha": 0.2,
            "tta": "horizontal",
            "stage2_batch_norm": "moving",
        },
        search={
            "stage1_share": SPACES["stage1_share"],
            "stage2_lr_factor": SPACES["stage2_lr_factor"],
            "mixup_alpha": Maybe(SPACES["mixup_alpha"]),
            "tta": Choice(("none", "horizontal")),
            "stage2_batch_norm": Choice(("moving", "frozen")),
        },
        baseline="decoupled",
    )
    return Experiment(
        base={**BASE, **for_data(data, "linear", 10.0)},
        arms=[
            Arm(name="decoupled", label="decoupled, as the ladder", knobs=DECOUPLED),
            *(Arm(name=n, label=label, knobs=knobs, baseline="decoupled") for n, label, knobs in CHANGES),
            searched,
            Arm(name="no_decoupling", label="no decoupling", knobs=TTA, baseline="decoupled"),
            Arm(name="neither", label="no decoupling, no MixUp", knobs=NEITHER, baseline="decoupled"),
        ],
        presets=ladder_presets(data),
        questions=[
            Question("Does decoupling help?", "decoupled", "no_decoupling"),
            Question("Does it help without MixUp?", "no_mixup", "neither"),
            Question("Does searching its knobs help?", "searched", "decoupled"),
            Question("Was the first stage too short?", "split_late", "decoupled"),
            Question("Was the stage-2 lr too large?", "lr_tenth", "decoupled"),
            Question("Is MixUp at 0.4 too strong for decoupling?", "no_mixup", "decoupled"),
            Question("Does TTA hurt there?", "no_tta", "decoupled"),
            Question("Should batch-norm statistics be frozen?", "bn_frozen", "decoupled"),
            Question("Should the classifier be drawn anew?", "reset", "decoupled"),
        ],
        published_baseline=LADDER_BASELINE,
        notes=ladder_notes(data),
    )
