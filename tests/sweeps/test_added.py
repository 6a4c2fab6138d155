"""--add: one more value by hand, compared like the others."""

import pytest

from sweeps.run import main

ADDED = "CB-Focal β=0.99: loss=focal weighting=effective_number beta=0.99"


def planned(capsys, data_dir, *arguments):
    options = ["--dataset", "digits", "--data-dir", str(data_dir), "--dry-run", *arguments]
    code = main(["cb_focal", *options])
    out, err = capsys.readouterr()
    return code, out, err


def test_an_added_arm_is_planned_like_the_others(capsys, data_dir):
    code, out, _ = planned(capsys, data_dir, "--add", ADDED, "--add", "CE, large: loss=ce batch_size=128")
    assert code == 0
    assert "15 arms on digits" in out
    lines = out.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("  CB-Focal β=0.99  "))
    assert lines[at].endswith("10 final, 20 epochs")
    assert lines[at + 2].strip() == "batch_size=128"


def test_it_is_compared_with_what_most_arms_are_compared_with(digits):
    from sweeps import experiments
    from sweeps.planning.experiment import with_added

    _, module = experiments.find("cb_focal")
    arm = with_added(experiments.make(module, digits), [("CB-Focal β=0.99", {"beta": 0.99})]).arms[-1]
    assert (arm.name, arm.label, arm.baseline) == ("CB-Focal_0.99", "CB-Focal β=0.99", "ce")


@pytest.mark.parametrize(
    ("added", "message"),
    [
        ("loss=ce", "--add loss=ce: write 'label: knob=value knob=value'"),
        (": loss=ce", "--add : loss=ce: write 'label: knob=value knob=value'"),
        ("mine:", "--add mine:: write 'label: knob=value knob=value'"),
        ("mine: loss", "--add mine: loss: write 'label: knob=value knob=value'"),
        ("mine: loss='ce", "--add mine: loss='ce: No closing quotation"),
        ("mine: bata=0.9", "mine: unknown knob 'bata' (did you mean 'beta'?)"),
        ("mine: beta=2", "mine: beta=2"),
        ("CE: loss=ce", "two arms have one label, 'CE'"),
        ("ce: loss=ce", "two arms have one name, 'ce'"),
    ],
)
def test_what_cannot_be_added_is_one_line(capsys, data_dir, added, message):
    code, _, err = planned(capsys, data_dir, "--add", added)
    assert (code, err.count("\n")) == (2, 1)
    assert message in err
