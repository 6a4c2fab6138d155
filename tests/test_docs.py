"""The pages tell the truth: their tables are rendered from the Parquet kept beside them."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from analysis.load import load
from analysis.report import tables
from benchmarks.early_stopping import measure

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"<!-- report: (\S+) -->\n(.*?)<!-- end -->", re.DOTALL)
BLOCKS = [(page, *block) for page in PAGES for block in BLOCK.findall(page.read_text())]


@pytest.mark.parametrize(("page", "folder", "text"), BLOCKS, ids=[folder for _, folder, _ in BLOCKS])
def test_tables_are_those_of_the_kept_results(page, folder, text):
    assert text.strip() == tables(load(ROOT / folder), "md").strip()


def test_every_kept_result_has_a_page_and_names_no_machine():
    kept = {path.parent.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/results/*/sweep.json")}
    assert kept == {folder for _, folder, _ in BLOCKS}
    for folder in kept:
        assert pd.read_parquet(ROOT / folder / "trials").host.isna().all()
        options = json.loads((ROOT / folder / "sweep.json").read_text())["options"]
        assert options["data_dir"] == "data"
        assert options["dataset"] in ("digits", "parquet:cifar10-jpeg")


def test_links_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert target.startswith("http") or (page.parent / target).exists(), (page, target)


@pytest.mark.parametrize("curves", sorted((ROOT / "docs/results/early_stopping").glob("*.parquet")), ids=str)
def test_the_early_stopping_tables_are_those_of_the_kept_curves(curves):
    printed = "\n".join(measure.report(pd.read_parquet(curves)))
    assert printed in (ROOT / "docs/early_stopping.md").read_text()
