"""Labels and names from outside: whatever is in them, every table and figure shows them as they are."""

import re
import warnings

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.text import Text

from analysis.figures import all_figures, save
from analysis.formats import all_formats, md, tex
from analysis.load import load
from analysis.report import main, tables
from analysis.tables import all_tables
from tests.analysis.builder import write

QUICK = ["_US$5 vs $10 [/red] a|b", "CB β=0.9 &amp; 猫"]
HOSTILE = [
    "Ca$$h",
    "US$5 vs $10",
    "a|b",
    "CB β=0.9, λ~1 ±2",
    r"50% & more_ # {x} ^2 \alpha",
    "*bold* `code` <b>x</b> [a](b)",
    "_hidden",
    "[/red]",
    "&amp; 猫",
]


@pytest.fixture(params=[*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in HOSTILE)])
def name(request):
    return request.param


@pytest.fixture
def sweep(tmp_path, name):
    arms = {"ce": {"label": name}, "cb": {"label": f"{name} 2"}}
    questions = [{"ask": f"Is {name} better?", "arm": "cb", "against": "ce"}]
    about = {
        "data": name,
        "questions": questions,
        "frontier_of": "ce",
        "notes": [name],
    }
    return load(write(tmp_path, arms=arms, names=(name, "dog"), **about))


def test_every_row_of_every_table_has_the_cells_of_its_header(sweep):
    for style, cell in (("md", r"(?<!\\)\|"), ("tex", r"(?<!\\)&")):
        for module in all_tables().values():
            frame = module.frame(sweep)
            if frame is None:
                continue
            text = all_formats()[style].table(frame, module.display(frame))
            rows = [line for line in text.splitlines() if re.search(cell, line)]
            assert len({len(re.findall(cell, row)) for row in rows}) == 1, text


def test_every_figure_draws_the_labels_as_they_are(sweep, name, tmp_path):
    drawn = set()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")
        for module in all_figures().values():
            figure = module.draw(sweep)
            drawn |= {text.get_text().strip() for text in figure.findobj(Text)}
            assert not any(text.get_parse_math() for text in figure.findobj(Text) if name in text.get_text())
            save(figure, tmp_path / "figure")
    plt.close("all")
    assert {name, f"{name} 2"} <= drawn


def test_a_report_is_written_whole(sweep, name, capsys):
    assert main([str(sweep.folder)]) == 0
    assert name in capsys.readouterr().out
    report = sweep.folder / "report"
    assert (report / "report.txt").read_text().count(name) > 5
    assert len(list(report.glob("*.svg"))) == len(all_figures())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", r"a\|b"),
        ("cb_focal and _x_", r"cb_focal and \_x\_"),
        ("two\nlines", "two lines"),
        ("$5 *b* `c` ~d~", r"\$5 \*b\* \`c\` \~d\~"),
        ("<b> but 1 < 2", r"\<b> but 1 < 2"),
        ("[text](link) and [0, 1]", r"[text]\(link) and [0, 1]"),
        (r"C:\x &lt; A & B", r"C:\\x \&lt; A & B"),
    ],
)
def test_markdown_is_escaped(text, shown):
    assert md.escaped(text) == shown


def test_latex_has_greek_letters_and_signs():
    assert tex.in_latex("β=1 ± λ, Δ, Α, é") == (
        r"\ensuremath{\beta}=1 \ensuremath{\pm} \ensuremath{\lambda}, \ensuremath{\Delta}, Α, é"
    )


def test_printed_tables_have_the_names(sweep, name):
    assert name in tables(sweep)


def test_a_latex_row_that_begins_with_a_bracket_is_no_length():
    frame = pd.DataFrame({"arm": ["CE", "[a](b)", "*bold*"], "n": ["[1, 2]", "3", "4"]})
    rows = [row.split("&")[0].strip() for row in tex.table(frame, frame).splitlines() if "&" in row]
    assert rows == ["arm", "CE", "{[}a](b)", "{*}bold*"]


def test_text_around_latex_tables_is_escaped():
    assert tex.line(r"95 % of a_b & β, $5 \x") == (
        "95 \\% of a\\_b \\& \\ensuremath{\\beta}, \\$5 \\textbackslash{}x\n"
    )
    assert tex.title("100 %").startswith(r"\textbf{100 \%")
