"""The six knobs at once, against CE and each technique alone, all searched with the same epochs.

beta (class weights by effective number), lr, batch size, MixUp alpha, label-smoothing epsilon and the
decoupling epoch split. Every searched arm gets lr, batch size and the same number of trials; an arm of one
technique searches that technique's knob beside them, the joint arm may also switch each technique off, and
its knob is proposed only where the technique is on. Smoothing spreads epsilon over the wrong classes, as the
ladder's study does; stage 2 trains the classifier on with class-balanced sampling and without MixUp.
"""

from typing import Any

from lt_core.data import Dataset
from sweeps.planning.experiment import Arm, Experiment, Question
from sweeps.planning.presets import DIGITS, Preset, for_data, presets
from sweeps.planning.spaces import SPACES, Maybe, Space

WEIGHTED = {"weighting": "effective_number"}
OFF = {
    "mixup_alpha": None,
    "label_smoothing": 0.0,
    "stage1_share": None,
}  # what an arm of one technique leaves out
ALONE: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "beta": ("class weights", WEIGHTED, {"beta": 0.9999}),
    "mixup_alpha": ("MixUp", {}, {"mixup_alpha": 0.2}),
    "label_smoothing": ("label smoothing", {}, {"label_smoothing": 0.1}),
    "stage1_share": ("decoupling", {}, {"stage1_share": 0.7}),
}
JOINT_SEARCH: dict[str, Space] = {
    "lr": SPACES["lr"],
    "batch_size": SPACES["batch_size"],
    **{knob: Maybe(SPACES[knob], off) for knob, off in ({"beta": 0.0} | OFF).items()},
}


def experiment(data: Dataset) -> Experiment:
    """Return CE by hand and searched, each technique alone, and all of them."""
    arms = [
        Arm(name="ce", label="CE", knobs=OFF, baseline="ce_searched"),
        _searched("ce_searched", "CE, searched", {}, {}, {}),
    ]
    for knob, (label, knobs, start) in ALONE.items():
        arms.append(_searched(f"{knob}_searched", f"{label}, searched", knobs, start, {knob: SPACES[knob]}))
    start = {knob: value for _, _, values in ALONE.values() for knob, value in values.items()}
    arms.append(_searched("joint", "joint", WEIGHTED, start, JOINT_SEARCH))
    return Experiment(
        base={"lr": 1e-3, "weight_decay": 5e-4, "smoothing_over": "wrong", **for_data(data)},
        arms=arms,
        presets=presets(
            data,
            digits=Preset(knobs=DIGITS.knobs, trials=24, seeds=10),
            cpu=Preset(
                knobs={"model": "convnet", "n_max": 2000, "epochs": 10, "batch_size": 64}, trials=8, seeds=5
            ),
            gpu=Preset(
                knobs={"model": "resnet32", "epochs": 200, "batch_size": 128, "schedule": "cosine"},
                trials=64,
                seeds=5,
            ),
        ),
        questions=[
            Question(f"Does the joint search beat {label} alone?", "joint", f"{knob}_searched")
            for knob, (label, _, _) in ALONE.items()
        ],
        published_baseline=0.704,  # CE, ResNet-32, IR 100: analysis/published/cifar10_lt_resnet32.csv
        notes=[
            "joint may switch every technique off; the other arms search lr, batch size and their own knob."
        ],
    )


def _searched(name: str, label: str, knobs: dict, start: dict, search: dict[str, Space]) -> Arm:
    spaces = {"lr": SPACES["lr"], "batch_size": SPACES["batch_size"], **search}
    off = {knob: value for knob, value in OFF.items() if knob not in spaces}
    return Arm(
        name=name,
        label=label,
        knobs=off | knobs,
        start=start,
        search=spaces,
        baseline=None if name == "ce_searched" else "ce_searched",
    )
