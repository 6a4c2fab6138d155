"""The pages tell the truth: what they show is rendered from the code and the Parquet kept beside them."""

import json
import re

import pandas as pd
import pytest

from benchmarks.early_stopping import measure
from sweeps import experiments
from tests.pages import BLOCK, PAGES, ROOT, rendered


@pytest.mark.parametrize("page", [page for page in PAGES if BLOCK.search(page.read_text())], ids=str)
def test_what_is_rendered_is_what_the_code_and_the_kept_results_say(page):
    assert page.read_text() == rendered(page.read_text()), "python -m tests.pages writes it anew"


def test_every_kept_result_has_a_page_and_names_no_machine():
    kept = {path.parent.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/results/*/sweep.json")}
    blocks = [block for page in PAGES for block in BLOCK.findall(page.read_text())]
    assert kept == {folder for _, folder, table, *_ in blocks if folder and not table}
    for folder in kept:
        assert pd.read_parquet(ROOT / folder / "trials").host.isna().all()
        options = json.loads((ROOT / folder / "sweep.json").read_text())["options"]
        assert options["data_dir"] == "data"
        assert options["dataset"] in ("digits", "parquet:cifar10-jpeg")


def test_links_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert target.startswith("http") or (page.parent / target).exists(), (page, target)


def test_every_experiment_has_its_row():
    rows = re.findall(r"^\| `(\w+)` \| .+ \| .+ \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert set(experiments.known()) <= set(rows)


@pytest.mark.parametrize("curves", sorted((ROOT / "docs/results/early_stopping").glob("*.parquet")), ids=str)
def test_the_early_stopping_tables_are_those_of_the_kept_curves(curves):
    printed = "\n".join(measure.report(pd.read_parquet(curves)))
    assert printed in (ROOT / "docs/early_stopping.md").read_text()
