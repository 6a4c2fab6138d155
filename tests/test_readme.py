"""The README tells the truth: its tables are rendered from the Parquet kept here, its names exist."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd

from lt_core.config import TrainConfig
from lt_core.data.sources import SOURCES
from sweeps.planning.presets import for_data
from sweeps.store.schemas import SCHEMAS
from sweeps.terminal.options import parser
from tests.conftest import command
from tests.pages import BLOCK

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
TECHNIQUES = (ROOT / "docs" / "techniques.md").read_text()


def test_every_column_option_and_knob_is_documented():
    for schema in SCHEMAS.values():
        for column in schema.names:
            name = column if not column.startswith(("val_", "test_")) else column.split("_", 1)[1]
            shown = f"`{column}`" in README or f"_{name}`" in README
            knob = column in TrainConfig.model_fields and re.search(rf"`{column}[=`]", TECHNIQUES)
            assert shown or knob, column
    for action in parser()._actions:
        option = action.option_strings[-1] if action.option_strings else "cb_focal"
        assert option == "--help" or option in README, option


def test_every_source_of_images_is_documented():
    (help_of_dataset,) = [a.help for a in parser()._actions if a.dest == "dataset"]
    for name, source in SOURCES.items():
        shown = f"{name}:DIR" if source.reads else name
        assert f"`{shown}`" in README, name
        assert shown in help_of_dataset, name


def test_the_commands_of_the_readme_are_what_ci_runs():
    commands = re.findall(r"^python3 -m venv .*$", README, re.MULTILINE)
    assert [command.rsplit(" && ", 1)[1] for command in commands] == [
        ".venv/bin/python -m sweeps.run cb_focal",
        ".venv/bin/python -m pytest",
    ]


def test_what_users_need_comes_first_and_one_table_of_results_is_enough():
    sections = re.findall("^## (.+)$", README, re.MULTILINE)
    assert sections[:3] == ["What comes out", "Running", "Your own data"]
    assert [tuple(block[1:3]) for block in BLOCK.findall(README)] == [("docs/results/cb_focal", "comparison")]


def test_what_is_flipped_is_what_the_readme_says(digits):
    (said,) = re.findall(r"The experiments crop .*?\.\n", README, re.DOTALL)
    assert for_data(replace(digits, flips=True))["augment"] == "crop_flip"
    assert "flip them horizontally, but for digits" in said
    assert for_data(digits)["augment"] == "none"
    assert "(`augment=none`)" in said


def python_block(start: str) -> str:
    (block,) = [b for b in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if b.startswith(start)]
    return block


def run(code: str, cwd: Path) -> str:
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, timeout=120
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


def test_the_readmes_own_experiment_makes_a_plan(tmp_path, data_dir):
    (tmp_path / "mine.py").write_text(python_block('"""Does focusing help'))
    options = ["--dataset", "digits", "--data-dir", data_dir, "--dry-run"]
    process = command("sweeps.run", "./mine.py", *options, cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    assert re.search(r"Poly-1 +8 search, 6 confirm, 5 final, 10 epochs\n +gamma: 0 to 3", process.stdout)


def test_the_readmes_core_runs_alone(tmp_path):
    lines = run(python_block("from lt_core.config"), tmp_path).splitlines()
    assert [int(line.split()[0]) for line in lines] == list(range(1, 11))
    assert 0.3 < float(lines[-1].split()[1]) <= 1


def test_the_readmes_pandas_answers_its_question(sweep):
    out = run(python_block("import pandas"), sweep.folder.parent.parent)
    epochs = pd.read_parquet(sweep.folder / "epochs")
    worst = epochs[(epochs.arm == "ce") & (epochs.epoch == 5)].test_worst_recall.mean()
    assert re.search(rf"^ce +{worst:.4f}", out, re.MULTILINE)
