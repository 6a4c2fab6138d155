"""From an experiment to a plan: what an experiment file needs is imported from here."""

from sweeps.planning.experiment import Arm, Experiment, Question
from sweeps.planning.presets import Preset, for_data, presets
from sweeps.planning.spaces import SPACES

__all__ = ["SPACES", "Arm", "Experiment", "Preset", "Question", "for_data", "presets"]
