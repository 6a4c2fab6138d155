"""How many trials fit on which machines, and what is said where none does."""

import pytest

from lt_core.errors import InputError
from sweeps.engine.ground import Ground
from sweeps.engine.machine import Machine
from sweeps.engine.share import Share

CPUS = Machine("10.0.0.1", 8, 0)
ONE, FOUR = Machine("10.0.0.2", 8, 1), Machine("10.0.0.3", 16, 4)


@pytest.mark.parametrize(
    ("cpus", "gpus", "fits"),
    [
        (1, 0, (8, 8, 16)),
        (3, 0, (2, 2, 5)),
        (0.1, 0, (80, 80, 160)),
        (1, 1, (0, 1, 4)),
        (1, 2, (0, 0, 2)),
        (1, 0.5, (0, 2, 8)),
        (1, 0.4, (0, 2, 8)),  # what is left over of a GPU cannot be joined with that of another
        (1, 0.1, (0, 8, 16)),  # the cores decide
        (16, 1, (0, 0, 1)),
    ],
)
def test_what_fits_on_a_machine(cpus, gpus, fits):
    assert tuple(map(Share(cpus, gpus).fits, (CPUS, ONE, FOUR))) == fits


def test_room_is_the_sum_over_machines_not_of_their_totals():
    two = Ground([Machine("a", 1, 0), Machine("b", 1, 0)], True, Share(2, 0), None)
    assert two.fits(two.machines) == 0
    message = "--cpus-per-trial 2: there are 1 cores on the largest of 2 machines"
    with pytest.raises(InputError, match=message):
        two.placed()


def test_what_is_said_of_a_cluster():
    ground = Ground([CPUS, ONE, FOUR, FOUR], True, Share(1, 1), None)
    room = "there is room for 4 on each of 2 machines, 1 on 1 machine, none on 1 machine"
    assert ground.placed() == f"  at once: 9 trials; {room}"
    assert Ground([CPUS, ONE, FOUR, FOUR], True, Share(1, 1), 6).placed() == f"  at once: 6 trials; {room}"
    assert Ground([FOUR], False, Share(1, 1), None).placed() == "  at once: 4 trials"


def test_a_gpu_is_asked_for_where_any_machine_has_one():
    assert Share.asked(1, None, [CPUS, ONE]) == Share(1, 1)
    assert Share.asked(1, None, [CPUS]) == Share(1, 0)
    assert Share.asked(1, 0, [CPUS, ONE]) == Share(1, 0)
    with pytest.raises(InputError, match="--gpus-per-trial 1: there are 0 GPUs here"):
        Ground([CPUS], False, Share(1, 1), None).placed()
