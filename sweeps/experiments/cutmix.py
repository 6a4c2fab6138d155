"""Why did CutMix cost the ladder 5.9 points: its lambda, its tail-only rule, or how often it is used?

All arms use class-balanced sampling, as that step did. The box has sides sqrt(1 - lambda) of the image and
the labels' share is the area that is really kept; if CutMix costs nothing here, the study's own suspicion of
its lambda or its loss code is the better explanation.
"""

from typing import Any

from lt_core.data import Dataset
from sweeps.experiments.ladder import BALANCED, BASE, CUTMIX, LADDER_BASELINE, ladder_presets
from sweeps.planning.experiment import Arm, Experiment, Question
from sweeps.planning.presets import for_data

FIXED: dict[str, Any] = BALANCED | {"cutmix_tail_only": True}
ARMS: list[tuple[str, str, dict[str, Any]]] = [
    ("cb_sampling", "no CutMix", BALANCED),
    ("tail", "tail only, λ~Beta(1,1)", CUTMIX),
    ("tail_half", "tail only, every other batch", CUTMIX | {"cutmix_probability": 0.5}),
    ("tail_fixed_0.4", "tail only, λ=0.4", FIXED | {"cutmix_lambda": 0.4}),
    ("tail_fixed_0.8", "tail only, λ=0.8", FIXED | {"cutmix_lambda": 0.8}),
    ("all", "all pairs, λ~Beta(1,1)", CUTMIX | {"cutmix_tail_only": False}),
    (
        "all_half",
        "all pairs, every other batch",
        CUTMIX | {"cutmix_tail_only": False, "cutmix_probability": 0.5},
    ),
]


def experiment(data: Dataset) -> Experiment:
    """Return CutMix's variants, all against class-balanced sampling alone."""
    return Experiment(
        base={**BASE, **for_data(data, "linear", 10.0)},
        arms=[
            Arm(name=name, label=label, knobs=knobs, baseline=None if knobs is BALANCED else "cb_sampling")
            for name, label, knobs in ARMS
        ],
        presets=ladder_presets(data),
        questions=[
            Question("Does tail-only CutMix help, its λ being the area?", "tail", "cb_sampling"),
            Question(
                "Is a large box (λ = 0.4) worse than a small one (λ = 0.8)?",
                "tail_fixed_0.8",
                "tail_fixed_0.4",
            ),
            Question("Does the tail-only rule cost?", "all", "tail"),
            Question("Is it used too often?", "tail_half", "tail"),
        ],
        published_baseline=LADDER_BASELINE,
    )
