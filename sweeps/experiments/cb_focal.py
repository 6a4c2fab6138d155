"""CE, focal, CB-CE and CB-Focal: is beta worth searching, or is the hand-picked value as good?

The study tunes a small ConvNet by hand on balanced data (best: batch 64, lr 1e-3, 10 epochs), then
compares CE with CB-Focal at four beta on the exponential long tail (10 epochs, lr 1e-3, weight decay
5e-4). It names no model, optimiser, gamma or imbalance ratio for the second part. Chosen here: its
ConvNet, Adam, gamma 1, IR 100, the softmax focal loss with the weight outside the modulator.

The public course assignment with the same config words uses ResNet-32, SGD with momentum 0.9, batch
128, lr 1e-3 cut tenfold after 60 % and 80 % of the epochs, gamma 1, IR 100. The published figures are
read as that recipe's, so it is an arm family of its own, with the weighted sum divided by the batch
size. At IR 100 beta 0.1, 0.5 and 0.9 weigh head and tail alike to within 0.5 %: the recipe runs
beta = 0.9 for the three.
"""

from lt_core.data import Dataset
from sweeps.planning.experiment import Arm, Experiment, Question
from sweeps.planning.presets import Preset, for_data, presets
from sweeps.planning.spaces import SPACES

CB_FOCAL = {"loss": "focal", "weighting": "effective_number"}
RECIPE = {
    "model": "resnet32",
    "optimizer": "sgd",
    "lr": 1e-3,
    "schedule": "steps",
    "batch_size": 128,
    "gamma": 1.0,
    "weight_decay": 5e-4,
    "reduction": "batch",
}


def experiment(data: Dataset) -> Experiment:
    """Return the hand-picked arms, the searched ones and the published recipe's."""
    published = {"model": "convnet", "epochs": 10, "batch_size": 64}
    return Experiment(
        base={"lr": 1e-3, "weight_decay": 5e-4, **for_data(data)},
        arms=[*_hand_picked(), *_searched(), *_recipe()],
        presets=presets(
            data,
            cpu=Preset(knobs=published, trials=12, seeds=5),
            gpu=Preset(knobs=published, trials=64, seeds=10),
        ),
        questions=[
            Question("Does searching CE help?", "ce_searched", "ce"),
            Question("Does searching β help?", "cb_focal_beta_searched", "cb_focal_0.9999"),
            Question("Does searching all help?", "cb_focal_searched", "cb_focal_0.9999"),
            Question("Does CB-Focal beat CE, β searched?", "cb_focal_beta_searched", "ce_searched"),
            Question("Does it, all searched?", "cb_focal_searched", "ce_searched"),
        ],
        published="cb_focal_beta",
    )


def _hand_picked() -> list[Arm]:
    arms = [
        Arm(name="ce", label="CE", knobs={"loss": "ce", "weighting": "none"}, published="ce"),
        Arm(name="focal", label="focal", knobs={"loss": "focal", "weighting": "none"}, baseline="ce"),
        Arm(
            name="cb_ce",
            label="CB-CE β=0.9999",
            knobs={"loss": "ce", "weighting": "effective_number", "beta": 0.9999},
            baseline="ce",
        ),
    ]
    for beta in (0.1, 0.5, 0.9, 0.9999):
        arms.append(
            Arm(
                name=f"cb_focal_{beta}",
                label=f"CB-Focal β={beta}",
                knobs={**CB_FOCAL, "beta": beta},
                baseline="ce",
                published=f"cb_focal beta={beta}",
            )
        )
    return arms


def _searched() -> list[Arm]:
    def arm(name: str, label: str, knobs: dict[str, str], *search: str) -> Arm:
        spaces = {knob: SPACES[knob] for knob in search}
        return Arm(name=name, label=label, knobs=knobs, search=spaces, baseline="ce")

    return [
        arm("ce_searched", "CE, searched", {"loss": "ce", "weighting": "none"}, "lr", "batch_size"),
        arm("cb_focal_beta_searched", "CB-Focal, β searched", CB_FOCAL, "beta"),
        arm("cb_focal_searched", "CB-Focal, all searched", CB_FOCAL, "beta", "lr", "batch_size", "gamma"),
    ]


def _recipe() -> list[Arm]:
    arms = [
        Arm(
            name="recipe_ce",
            label="recipe: CE",
            knobs={"loss": "ce", "weighting": "none"},
            recipe=RECIPE,
            published="ce",
        )
    ]
    for beta in (0.9, 0.9999):
        arms.append(
            Arm(
                name=f"recipe_cb_focal_{beta}",
                label=f"recipe: CB-Focal β={beta}",
                knobs={**CB_FOCAL, "beta": beta},
                recipe=RECIPE,
                baseline="recipe_ce",
                published=f"cb_focal beta={beta}",
            )
        )
    return arms
