"""Bad input: one clear line on stderr, exit 2, and no results folder."""

import pytest

from lt_core.errors import InputError
from sweeps.experiment import Arm, Experiment
from sweeps.run import main

MINE = """
from sweeps.experiment import Arm, Experiment
from sweeps.spaces import Choice
def experiment(data):
    arm = Arm(name="a", label="A", baseline={baseline}, search={search})
    return Experiment(base={base}, arms=[arm], trials=1, seeds=1)
"""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["cb_focl"], "unknown experiment 'cb_focl' (did you mean 'cb_focal'?)"),
        (["./none.py"], "experiment file none.py does not exist"),
        (["cb_focal", "--set", "bata=0.9"], "--set bata: unknown knob 'bata' (did you mean 'beta'?)"),
        (["cb_focal", "--set", "beta=0.9"], "defines the arm 'CB-CE β=0.9999', it cannot be set"),
        (["cb_focal", "--set", "lr"], "--set lr: write knob=value"),
        (["cb_focal", "--set", "lr=0"], "lr=0 should be greater than 0"),
        (["cb_focal", "--set", "lr=-1"], "lr=-1 should be greater than 0"),
        (["cb_focal", "--set", "batch_size=0"], "batch_size=0 should be greater than or equal to 2"),
        (["cb_focal", "--set", "imbalance_ratio=0.5"], "imbalance_ratio=0.5 should be greater than or equal"),
        (["cb_focal", "--set", "n_max=500"], "class 0 has 128 images to draw from"),
        (["cb_focal", "--set", "imbalance_ratio=500"], "class 7 is left with no image"),
        (["cb_focal", "--set", "image_size=small"], "image_size='small' should be a valid integer"),
        (["cb_focal", "--set", "profile=none", "--set", "n_max=9"], "--set n_max: profile=none has none"),
        (["cb_focal", "--set", "device=cuda"], "--set device: the sweep sets it; use --gpus-per-trial"),
        (["cb_focal", "--gpus-per-trial", "1.5"], "must be a share of one GPU or a whole number"),
        (["cb_focal", "--set", "seed=3"], "--set seed: the sweep sets it; use --seed"),
        (["cb_focal", "--gpus-per-trial", "64"], "--gpus-per-trial 64: there are"),
        (["cb_focal", "--cpus-per-trial", "0"], "--cpus-per-trial 0: must be above 0"),
        (["cb_focal", "--dataset", "digitz"], "unknown dataset 'digitz' (did you mean 'digits'?)"),
        (["cb_focal", "--dataset", "parquet:nowhere"], "nowhere is not a folder"),
        ([], "which experiment? --list shows them"),
    ],
)
def test_one_clear_line(arguments, message, tmp_path, data_dir, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    if "--dataset" not in arguments:
        arguments = [*arguments, "--dataset", "digits"]
    # --dry-run goes through every check of the plan, and Ray need not start
    assert main([*arguments, "--dry-run", "--data-dir", str(data_dir)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message in error
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("base", "baseline", "search", "message"),
    [
        ({"beta": 1.0}, None, "{}", "beta=1.0 should be less than 1"),
        ({"beta": -1}, None, "{}", "beta=-1 should be greater than or equal to 0"),
        ({}, "b", "{}", "no arm is called 'b'"),
        ({}, None, "{'lr': Choice((0.1, 0.0))}", "lr=0.0 should be greater than 0"),
        ({}, None, "{'learning_rate': Choice((0.1,))}", "unknown knob 'learning_rate'"),
    ],
)
def test_an_experiment_file_is_checked_too(base, baseline, search, message, tmp_path, data_dir, capsys):
    file = tmp_path / "mine.py"
    file.write_text(MINE.format(base=base, baseline=repr(baseline), search=search))
    assert main([str(file), "--dataset", "digits", "--dry-run", "--data-dir", str(data_dir)]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../a", "", ".a", "a/b", "a b"])
def test_names_cannot_leave_the_results_folder(name):
    with pytest.raises(InputError, match="a name begins with"):
        Experiment(base={}, arms=[Arm(name=name, label="A")], trials=1, seeds=1)


@pytest.mark.parametrize(
    ("option", "text"), [("--trials", "0"), ("--epochs", "-1"), ("--seeds", "x"), ("--time-budget", "8")]
)
def test_argparse_refuses(option, text, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["cb_focal", option, text])
    assert exit_.value.code == 2
    assert option in capsys.readouterr().err
