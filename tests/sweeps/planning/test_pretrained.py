"""Arms that start from weights say so, and a search that does is warned of what they may have seen."""

from sweeps.planning.plan import start_note
from tests.sweeps.plans import plan_of


def test_a_search_that_starts_from_a_file_is_warned_and_the_tables_name_it(digits):
    plan = plan_of("frontier", digits, settings={"pretrained": "kept.pt"})
    assert not [note for note in plan.notes if "kept.pt" in note]  # nothing is searched there
    plan = plan_of("cb_focal", digits, settings={"pretrained": "kept.pt"})
    warned = [
        note for note in plan.notes if "kept.pt may have seen images that its search validates on" in note
    ]
    assert len(warned) == len(plan.searched) == 3
    assert start_note(plan).startswith("Not from scratch, but from weights: CE kept.pt; focal kept.pt; ")
    assert start_note(plan_of("cb_focal", digits)) is None
    imagenet = plan_of("cb_focal", digits, settings={"pretrained": "imagenet"})
    assert not [note for note in imagenet.notes if "may have seen" in note]
