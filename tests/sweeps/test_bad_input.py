"""Bad input: one clear line on stderr, exit 2, and no results folder."""

import pytest

from lt_core.errors import InputError
from sweeps.planning.experiment import Arm, Experiment
from sweeps.run import main

MINE = """
from sweeps.planning.experiment import Arm, Experiment
from sweeps.planning.spaces import SPACES, Choice, Maybe
def experiment(data):
    arm = Arm(name="a", label="A", baseline={baseline}, search={search})
    return Experiment(base={base}, arms=[arm], trials=1, seeds=1)
"""

WRONG = ["--set", "smoothing_over=wrong", "--set"]
CUTMIX = ["--set", "cutmix_alpha=1"]
TAIL = [*CUTMIX, "--set", "cutmix_tail_only=True", "--set"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["cb_focl"], "unknown experiment 'cb_focl' (did you mean 'cb_focal'?)"),
        (["./none.py"], "experiment file none.py does not exist"),
        (["cb_focal", "--set", "bata=0.9"], "--set bata: unknown knob 'bata' (did you mean 'beta'?)"),
        (["cb_focal", "--set", "beta=0.9"], "defines the arm 'CB-CE β=0.9999', it cannot be set"),
        (["cb_focal", "--set", "lr"], "--set lr: write knob=value"),
        (["cb_focal", "--set", "learning_rate=1"], "unknown knob 'learning_rate' (did you mean 'lr'?)\n"),
        (
            ["cb_focal", "--set", "loss=focal"],
            "--set loss: loss=ce defines the arm 'CE', it cannot be set; "
            "--add 'LABEL: loss=focal' puts an arm with it beside the others\n",
        ),
        (["cb_focal", "--set", "lr=fast"], "error: --set lr='fast' should be a valid number"),
        (
            ["cb_focal", "--set", "model=resnet23"],
            "error: --set model: 'resnet23' (did you mean 'resnet32'?)",
        ),
        (["cb_focal", "--set", "lr=0"], "lr=0 should be greater than 0"),
        (["cb_focal", "--set", "lr=-1"], "lr=-1 should be greater than 0"),
        (["cb_focal", "--set", "batch_size=0"], "batch_size=0 should be greater than or equal to 2"),
        (["cb_focal", "--set", "imbalance_ratio=0.5"], "imbalance_ratio=0.5 should be greater than or equal"),
        (["cb_focal", "--set", "n_max=500"], "class '0' has 108 images to draw from"),
        (
            ["cb_focal", "--set", "imbalance_ratio=500"],
            "class '7' is left with no image (profile=exponential, imbalance_ratio=500): "
            "imbalance_ratio can be 104 at most\n",
        ),
        (
            ["cb_focal", "--set", "imbalance_ratio=40", "--set", "n_max=20"],
            "imbalance_ratio can be 20 at most, or n_max 40 at least\n",
        ),
        (["cb_focal", "--set", "image_size=small"], "image_size='small' should be a valid integer"),
        (["cb_focal", "--set", "profile=none", "--set", "n_max=9"], "--set n_max: profile=none has none"),
        (["cb_focal", "--set", "device=cuda"], "--set device: the sweep sets it; use --gpus-per-trial"),
        (["cb_focal", "--gpus-per-trial", "1.5"], "must be a share of one GPU or a whole number"),
        (["cb_focal", "--set", "seed=3"], "--set seed: the sweep sets it; use --seed"),
        (["cb_focal", "--gpus-per-trial", "64"], "--gpus-per-trial 64: there are"),
        (["cb_focal", "--cpus-per-trial", "0"], "--cpus-per-trial 0: must be above 0"),
        (["cb_focal", "--results", "~nobody-here/r"], "~nobody-here/r: there is no home folder of that name"),
        (["cb_focal", "--set", "image_size=99999"], "1,797 images of 99999x99999 pixels take 107,818 GB"),
        (["cb_focal", "--dataset", "digitz"], "unknown dataset 'digitz' (did you mean 'digits'?)"),
        (["cb_focal", "--dataset", "parquet:nowhere"], "nowhere is not a folder"),
        (
            ["cb_focal", *WRONG, "label_smoothing=0.95"],
            "label_smoothing=0.95: at most 0.9 can go to the wrong",
        ),
        (["cb_focal", "--set", "mixup_alpha=0"], "mixup_alpha=0 should be greater than 0"),
        (["cb_focal", "--set", "mixup_lambda=1.2"], "mixup_lambda=1.2 should be less than or equal to 1"),
        (["cb_focal", "--set", "stage1_share=1.5"], "stage1_share=1.5 should be less than 1"),
        (
            ["cb_focal", "--set", "stage1_share=0.01"],
            "stage1_share=0.01: leaves a stage without an epoch of 20",
        ),
        (["cb_focal", "--set", "irm_penalty=-1"], "irm_penalty=-1 should be greater than or equal to 0"),
        (["cb_focal", *TAIL, "tail_classes=(12,)"], "there is no class 12, they go from 0 to 9"),
        (["cb_focal", *CUTMIX, "--set", "mixup_alpha=1"], "mixup_alpha, cutmix_alpha: only one can be in"),
        (
            ["cb_focal", "--set", "stage2_lr_factor=0.1"],
            "stage2_lr_factor: needs stage1_share: there is no stage 2",
        ),
        (["joint", "--set", "stage1_share=0.5"], "stage1_share=None defines the arm 'CE', it cannot be set"),
        (["cb_focal", "--set", "noise_variances=0.1"], "noise_variances=0.1 should be a list, such as [0.1]"),
        (["cb_focal", "--preset", "none_such"], "unknown preset 'none_such'"),
        (["cb_focal", "--trials", "0"], "--trials: must be 1 or more, not 0"),
        (["cb_focal", "--epochs", "-1"], "--epochs: must be 1 or more, not -1"),
        (["cb_focal", "--cpus-per-trial", "nan"], "--cpus-per-trial: must be a finite number, not nan"),
        (["cb_focal", "--seeds", "x"], "--seeds: invalid whole number value: 'x'"),
        (["cb_focal", "--time-budget", "8"], "--time-budget: write 90s, 30m or 8h, not '8'"),
        (["cb_focal", "--trails", "8"], "unrecognized arguments: --trails 8"),
        (["cb_focal", "--preset", "gpuu"], "unknown preset 'gpuu' (did you mean 'gpu'?)"),
        (
            ["ladder", "--epochs", "1"],
            "+ decoupling: stage1_share=0.666667: leaves a stage without an epoch of 1",
        ),
        (["frontier", "--epochs", "4"], "CE, DRW: reweight_after: no epoch of 4 is left for weights"),
        (
            ["joint", "--epochs", "4"],
            "whose search may propose stage1_share=0.9: stage1_share=0.9: leaves a stage",
        ),
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
        (
            {},
            None,
            "{'mixup_alpha': Maybe(SPACES['mixup_alpha']), 'cutmix_alpha': Maybe(SPACES['mixup_alpha'])}",
            "may propose mixup_alpha=0.05, cutmix_alpha=0.05: mixup_alpha, cutmix_alpha: only one can be",
        ),
    ],
)
def test_an_experiment_file_is_checked_too(base, baseline, search, message, tmp_path, data_dir, capsys):
    file = tmp_path / "mine.py"
    file.write_text(MINE.format(base=base, baseline=repr(baseline), search=search))
    assert main([str(file), "--dataset", "digits", "--dry-run", "--data-dir", str(data_dir)]) == 2
    assert message in capsys.readouterr().err


def test_an_experiment_that_is_none_is_refused(tmp_path, data_dir, capsys):
    file = tmp_path / "mine.py"
    file.write_text("def experiment(data):\n    return 3\n")
    assert main([str(file), "--dataset", "digits", "--dry-run", "--data-dir", str(data_dir)]) == 2
    assert "experiment(data) returns 3, not an Experiment" in capsys.readouterr().err


def test_a_preset_of_an_experiment_that_has_none(tmp_path, data_dir, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(MINE.format(base={}, baseline=None, search={}))
    options = ["--preset", "cpu", "--dataset", "digits", "--data-dir", str(data_dir)]
    assert main(["./mine.py", *options]) == 2
    assert capsys.readouterr().err == "error: --preset cpu: this experiment has none\n"
    assert not (tmp_path / "results").exists()


def test_balancing_twice_is_a_warning_and_goes_on(data_dir, capsys):
    options = ["--dataset", "digits", "--data-dir", str(data_dir), "--dry-run"]
    assert main(["cb_focal", "--set", "sampler=class_balanced", *options]) == 0
    warnings = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  warning:")]
    assert "  warning: CB-CE β=0.9999: sampler=class_balanced and weighting=effective_number" in "".join(
        warnings
    )
    assert not any(": CE:" in line or ": focal:" in line for line in warnings)
    assert main(["cb_focal", *options]) == 0
    assert "warning" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["../a", "", ".a", "a/b", "a b"])
def test_names_cannot_leave_the_results_folder(name):
    with pytest.raises(InputError, match="a name begins with"):
        Experiment(base={}, arms=[Arm(name=name, label="A")], trials=1, seeds=1)
