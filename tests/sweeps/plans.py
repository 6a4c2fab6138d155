"""Plans of the experiments that are known, shared by tests."""

from sweeps import experiments
from sweeps.planning.plan import make_plan

CPU = {"threads": 1, "device": "cpu"}


def plan_of(name, data, **options):
    """The plan of an experiment, as the command makes it where nothing is asked for."""
    _, module = experiments.find(name)
    usual = {"settings": {}, "trials": None, "epochs": None, "seeds": None, "seed": 0, "machine": CPU}
    return make_plan(name, experiments.make(module, data), data, **usual | options)
