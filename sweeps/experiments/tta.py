"""Test-time augmentation on the ladder: horizontal, vertical or both flips?

On the ladder's fourth step (class-balanced sampling, MixUp, label smoothing). The training is the same in
every arm, bit for bit; what differs is the evaluation.
"""

from lt_core.data import Dataset
from sweeps.experiments.ladder import BASE, LADDER_BASELINE, SMOOTHED, ladder_notes, ladder_presets
from sweeps.planning.experiment import Arm, Experiment, Question
from sweeps.planning.presets import for_data

FLIPS = ("horizontal", "vertical", "both")


def experiment(data: Dataset) -> Experiment:
    """Return no TTA and the three kinds of flips."""
    return Experiment(
        base={**BASE, **for_data(data, "linear", 10.0)},
        arms=[
            Arm(name="none", label="no TTA", knobs=SMOOTHED),
            *(
                Arm(name=flip, label=f"TTA, {flip}", knobs=SMOOTHED | {"tta": flip}, baseline="none")
                for flip in FLIPS
            ),
        ],
        presets=ladder_presets(data),
        questions=[Question(f"Does TTA with {flip} flips help?", flip, "none") for flip in FLIPS],
        published_baseline=LADDER_BASELINE,
        notes=ladder_notes(data),
    )
