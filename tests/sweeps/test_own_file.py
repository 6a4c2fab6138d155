"""A user's own experiment file: whatever is wrong with it is one line, which says where."""

import pytest

from lt_core.errors import InputError
from sweeps import experiments, planning
from sweeps.run import main

ARM = """from sweeps.planning import Arm, Experiment

def experiment(data):
    arms = [Arm(name="a", label="A")]
"""


@pytest.mark.parametrize(
    ("code", "where", "what"),
    [
        ("x = 1\nimport nowhere_to_be_found\n", "line 2", "No module named 'nowhere_to_be_found'"),
        ("from lt_core.errors import Nothing\n", "line 1", "ImportError: cannot import name 'Nothing'"),
        ("def experiment(data)\n", "line 1", "expected ':'"),
        ("if True:\nx = 1\n", "line 2", "expected an indented block"),
        ("x = 1\n\n1 / 0\n", "line 3", "ZeroDivisionError: division by zero"),
        ("assert False\n", "line 1", "AssertionError"),
        ("raise ValueError('two\\nlines')\n", "line 1", "ValueError: two lines"),
        (
            "from lt_core.losses.losses import LOSSES\n\n\n@LOSSES.register('ce')\ndef mine():\n    pass\n",
            "line 4",
            "'ce' is registered already",
        ),
        (ARM + "    return Experiment(base={}, arms=arms, seed=1)\n", "line 5", "argument 'seed'"),
        (ARM + "    return Experiment(base={}, arms=arms, seeds=0)\n", "line 5", "at least 1 trial and 1"),
        (ARM + "    return Experiment(base=[], arms=arms)\n", "line 5", "base=[]: dict is wanted"),
        (ARM + "    return Experiment(base={}, arms=['a'])\n", "line 5", "arms: 'a' is no Arm"),
        (ARM.replace('A")', "A\", knobs=['x'])"), "line 4", "arm 'a': knobs=['x']: dict is wanted"),
        (ARM.replace('A")', "A\", search={'lr': (1, 2)})"), "line 4", "search of lr: (1, 2): a space is"),
        (ARM + "    return Experimnt(base={}, arms=arms)\n", "line 5", "'Experimnt' is not defined"),
    ],
)
def test_what_it_raises_is_one_line(code, where, what, tmp_path, data_dir, capsys):
    file = tmp_path / "mine.py"
    file.write_text(code)
    assert main([str(file), "--dataset", "digits", "--dry-run", "--data-dir", str(data_dir)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {file}, {where}: ")
    assert what in error
    assert error.count("\n") == 1


def test_an_error_in_a_file_that_it_imports_names_both_or_the_line_that_is_wrong(
    tmp_path, monkeypatch, data_dir
):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "broken_helper.py").write_text("x = (\n")
    (tmp_path / "raising_helper.py").write_text("\n\nraise RuntimeError('no')\n")
    file = tmp_path / "mine.py"
    file.write_text("import broken_helper\n")
    with pytest.raises(InputError, match=r"broken_helper\.py, line 1: '\(' was never closed"):
        experiments.load_file(file)
    file.write_text("\nimport raising_helper\n")
    with pytest.raises(InputError, match=r"mine\.py, line 2: RuntimeError: no"):
        experiments.load_file(file)


def test_without_a_function_experiment_it_is_none(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("x = 1\n")
    with pytest.raises(InputError, match=r"mine\.py defines no function experiment\(data\)"):
        experiments.find(str(file))


def test_its_name_must_be_a_plain_one(tmp_path):
    file = tmp_path / "my own.py"
    file.write_text(ARM)
    with pytest.raises(InputError, match="experiment 'my own': a name begins with"):
        experiments.find(str(file))


def test_a_bug_in_one_of_ours_is_raised_as_it_is(digits):
    _, module = experiments.find("cb_focal")
    with pytest.raises(AttributeError):
        experiments.make(module, None)


def test_a_file_from_before_finds_what_it_imports_where_it_was(tmp_path):
    file = tmp_path / "before.py"
    imports = "from sweeps.experiment import Arm, Experiment\nfrom sweeps.spaces import SPACES\n"
    file.write_text(imports + "from sweeps.presets import Preset\nfrom lt_core.losses import LOSSES\n")
    module = experiments.load_file(file)
    assert (module.Arm, module.SPACES, module.Preset) == (planning.Arm, planning.SPACES, planning.Preset)
