"""MixUp on the ladder: is a fixed lambda of 0.4 better than Beta(alpha, alpha), and at which alpha?

All arms use class-balanced sampling, as the ladder's step did.
"""

from lt_core.data import Dataset
from sweeps.experiments.ladder import BALANCED, BASE, LADDER_BASELINE, MIXUP, ladder_presets
from sweeps.planning.experiment import Arm, Experiment, Question
from sweeps.planning.presets import for_data

ALPHAS = (0.1, 0.2, 0.4, 1.0)


def experiment(data: Dataset) -> Experiment:
    """Return no MixUp, the fixed lambda, and four alphas."""
    return Experiment(
        base={**BASE, **for_data(data, "linear", 10.0)},
        arms=[
            Arm(name="no_mixup", label="no MixUp", knobs=BALANCED, baseline="fixed"),
            Arm(name="fixed", label="MixUp λ=0.4", knobs=MIXUP),
            *(
                Arm(
                    name=f"alpha_{alpha:g}",
                    label=f"MixUp α={alpha:g}",
                    knobs=BALANCED | {"mixup_alpha": alpha},
                    baseline="fixed",
                )
                for alpha in ALPHAS
            ),
        ],
        presets=ladder_presets(data),
        questions=[
            Question("Does MixUp with a fixed λ = 0.4 help?", "fixed", "no_mixup"),
            *(
                Question(
                    f"Is Beta({alpha:g}, {alpha:g}) better than the fixed λ?", f"alpha_{alpha:g}", "fixed"
                )
                for alpha in ALPHAS
            ),
        ],
        published_baseline=LADDER_BASELINE,
    )
