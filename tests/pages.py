"""What is rendered in README and docs: the tables of kept results, the table of knobs.

python -m tests.pages        writes them anew, after a table, a knob or a kept result has changed
"""

import re
import sys
from pathlib import Path

from analysis.formats import md
from analysis.load import load
from analysis.report import tables, titled
from analysis.tables import all_tables
from lt_core.batches.samplers import SAMPLERS
from lt_core.config import TrainConfig
from lt_core.losses.class_weights import WEIGHTINGS
from lt_core.losses.losses import LOSSES
from lt_core.models import MODELS

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"(<!-- (?:report: (\S+)(?: (\w+))?|knobs) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
TYPES = {"array": "list", "boolean": "`True` `False`", "string": "text"}
REGISTRIES = {"model": MODELS, "loss": LOSSES, "sampler": SAMPLERS, "weighting": WEIGHTINGS}


def rendered(text: str) -> str:
    """Return a page with its blocks as the code and the kept results have them."""
    return BLOCK.sub(_block, text)


def _block(found: re.Match) -> str:
    begin, folder, table, _, end = found.groups()
    return f"{begin}{report(folder, table) if folder else knobs()}\n{end}"


def report(folder: str, table: str | None) -> str:
    """Return a kept result's tables, or the one of this name."""
    sweep = load(ROOT / folder)
    return titled(md, all_tables()[table], sweep) if table else tables(sweep, "md").strip()


def knobs() -> str:
    """Return every knob as TrainConfig declares it, a row each."""
    rows = ["| knob | default | values | meaning |", "|:--|:--|:--|:--|"]
    for name, knob in TrainConfig.model_json_schema()["properties"].items():
        kind = next(k for k in knob.get("anyOf", [knob]) if k["type"] != "null")
        values = " ".join(f"`{value}`" for value in kind.get("enum") or names(name))
        bounds = [f"{sign} {kind[key]:g}" for key, sign in BOUNDS.items() if key in kind]
        values = values or ", ".join([TYPES.get(kind["type"], kind["type"]), *bounds])
        rows.append(f"| `{name}` | `{knob['default']}` | {values} | {knob['description']} |")
    return "\n".join(rows)


def names(knob: str) -> list[str]:
    """Return our names that a knob takes from a registry; the first field of an entry is the thing."""
    entries = REGISTRIES.get(knob.removeprefix("stage2_"), {}).items()
    own = [name for name, e in entries if next(iter(vars(e).values())).__module__.startswith("lt_core")]
    return sorted(own)


def main() -> int:
    """Write every page whose blocks have changed, and name it."""
    for page in PAGES:
        text = page.read_text()
        if rendered(text) != text:
            page.write_text(rendered(text))
            print(page.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
