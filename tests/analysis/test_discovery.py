"""A table, a figure and a format are one new file each; and reading results needs no training library."""

import subprocess
import sys

import pytest

from analysis import figures, formats, tables
from analysis.load import load
from analysis.report import main
from tests.analysis.builder import write

TABLE = '''
"""How many final runs there are."""

import pandas as pd

TITLE = "Final runs"


def frame(sweep):
    return pd.DataFrame([{"runs": len(sweep.finals)}])


def display(frame):
    return frame.map("{} of them".format)
'''
FIGURE = '''
"""Nothing at all."""

import matplotlib.pyplot as plt


def draw(sweep):
    return plt.figure()
'''
FORMAT = '''
"""Rows of JSON."""

SUFFIX = "json"
title = line = str.upper


def table(frame, display):
    return frame.to_json(orient="records")
'''


@pytest.fixture
def added(tmp_path, monkeypatch):
    """Put a file into a package, for the test alone."""

    def add(package, name, text):
        folder = tmp_path / package.__name__
        folder.mkdir()
        (folder / f"{name}.py").write_text(text)
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
        monkeypatch.delitem(sys.modules, f"{package.__name__}.{name}", raising=False)

    return add


def test_a_new_table_is_shown_after_the_others_and_written(tmp_path, added, capsys):
    added(tables, "how_many", TABLE)
    folder = write(tmp_path / "r")
    assert main([str(folder)]) == 0
    printed = capsys.readouterr().out
    assert printed.index("Test recall by class") < printed.index("Final runs\n\nruns\n---------\n6 of them")
    written = {path.suffix: path.read_text() for path in (folder / "report").glob("how_many.*")}
    assert written.keys() == {".txt", ".md", ".tex", ".csv"}
    assert written[".csv"] == "runs\n6\n"


def test_a_new_figure_is_drawn(tmp_path, added):
    added(figures, "nothing", FIGURE)
    assert main([str(write(tmp_path / "r"))]) == 0
    assert (tmp_path / "r" / "report" / "nothing.png").stat().st_size > 0
    assert (tmp_path / "r" / "report" / "nothing.svg").stat().st_size > 0


def test_a_new_format_is_a_style_and_a_file_of_every_table(tmp_path, added, capsys):
    added(formats, "rows", FORMAT)
    folder = write(tmp_path / "r")
    assert main([str(folder), "--style", "rows"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("TOY ON TOY: CONVNET")
    assert 'TEST RECALL BY CLASS, PERCENT, MEAN OVER SEEDS\n\n[{"arm \\/ class":"training images",' in printed
    assert "tables (txt, md, csv, tex, json) and figures" in printed
    written = folder / "report" / "recall_by_class.json"
    assert written.read_text().startswith('[{"arm \\/ class":"training images","cat":50.0,"dog":5.0}')


def test_numbers_alone_are_no_style(tmp_path, capsys):
    assert formats.styles() == ["txt", "md", "tex"]
    with pytest.raises(SystemExit):
        main([str(write(tmp_path)), "--style", "csv"])
    assert "invalid choice: 'csv' (choose from 'txt', 'md', 'tex')" in capsys.readouterr().err


def test_every_format_shows_a_table_by_value(tmp_path):
    module = tables.all_tables()["recall_by_class"]
    frame = module.frame(load(write(tmp_path, recalls={"ce": [[0.9, 0.125]]})))
    found = {name: form.table(frame, module.display(frame)) for name, form in formats.all_formats().items()}
    assert found["csv"] == "arm / class,cat,dog\ntraining images,50.0,5.0\nCE,0.9,0.12\n".strip()
    assert found["txt"].splitlines()[-1] == "CE               90.0   12.0"
    assert found["md"].splitlines()[-1] == "| CE              | 90.0  | 12.0  |"
    assert found["tex"].splitlines()[-3] == " CE              & 90.0  & 12.0  \\\\"


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("analysis.report", {"torch", "torchvision", "ray", "optuna", "lt_core", "matplotlib"}),
        ("analysis.figures", {"torch", "torchvision", "ray", "optuna", "lt_core"}),
    ],
)
def test_reading_results_imports_none_of_what_made_them(module, absent):
    code = f"import sys, {module} as m; m.__dict__.get('all_figures', dict)(); print(*sys.modules)"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(process.stdout.split())
    assert not absent & {name.partition(".")[0] for name in loaded}
    of_sweeps = {name for name in loaded if name.partition(".")[0] == "sweeps"} - {"sweeps", "sweeps.record"}
    assert all(name.startswith("sweeps.record.") for name in of_sweeps)
