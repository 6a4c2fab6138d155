"""The pages tell the truth: their tables are rendered from the Parquet kept beside them."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from analysis.load import load
from analysis.report import tables
from benchmarks.early_stopping import measure
from lt_core.batches.samplers import SAMPLERS
from lt_core.config import TrainConfig
from lt_core.losses.class_weights import WEIGHTINGS
from lt_core.losses.losses import LOSSES
from lt_core.models import MODELS

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
TYPES = {"array": "list", "boolean": "`True` `False`", "string": "text"}
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


def registry_of(knob: str) -> dict:
    """The registry that a knob takes its names from."""
    return {
        "model": MODELS,
        "loss": LOSSES,
        "sampler": SAMPLERS,
        "weighting": WEIGHTINGS,
    }.get(knob.removeprefix("stage2_"), {})


def module_of(entry) -> str:
    """The module of what was registered: the first field of an entry."""
    return next(iter(vars(entry).values())).__module__


def knobs() -> str:
    """Every knob as TrainConfig declares it, a row each."""
    rows = ["| knob | default | values | meaning |", "|:--|:--|:--|:--|"]
    for name, knob in TrainConfig.model_json_schema()["properties"].items():
        kind = next(k for k in knob.get("anyOf", [knob]) if k["type"] != "null")
        own = [key for key, entry in registry_of(name).items() if module_of(entry).startswith("lt_core")]
        values = " ".join(f"`{value}`" for value in kind.get("enum") or own)
        bounds = [f"{sign} {kind[key]:g}" for key, sign in BOUNDS.items() if key in kind]
        values = values or ", ".join([TYPES.get(kind["type"], kind["type"]), *bounds])
        rows.append(f"| `{name}` | `{knob['default']}` | {values} | {knob['description']} |")
    return "\n".join(rows)


def test_every_knob_is_listed_as_the_code_declares_it():
    page = (ROOT / "docs/techniques.md").read_text()
    listed = page.partition("<!-- knobs -->\n")[2].partition("\n<!-- end -->")[0]
    assert listed == knobs()


@pytest.mark.parametrize("curves", sorted((ROOT / "docs/results/early_stopping").glob("*.parquet")), ids=str)
def test_the_early_stopping_tables_are_those_of_the_kept_curves(curves):
    printed = "\n".join(measure.report(pd.read_parquet(curves)))
    assert printed in (ROOT / "docs/early_stopping.md").read_text()
