"""Report a sweep: tables and figures from its results folder.  python -m analysis.report results/NAME"""

import argparse
import os
import signal
import sys

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback from the midst of an import

from pathlib import Path
from types import ModuleType

from analysis import summary
from analysis.formats import all_formats, styles
from analysis.load import ReportError, Sweep, load
from analysis.tables import all_tables
from sweeps.record.errors import RecordError
from sweeps.record.output import unfailing_output
from sweeps.record.remote import is_remote


def main(argv: list[str] | None = None) -> int:
    """Parse the command line, report, return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m analysis.report", description=__doc__)
    parser.add_argument("folder", help="a results folder, such as results/cb_focal, or its URI")
    parser.add_argument("--tables-only", action="store_true", help="print the tables, write no file")
    parser.add_argument("--style", choices=styles(), default="txt", help="of the printed tables")
    parser.add_argument("--skip-damaged", action="store_true", help="go on without files that are damaged")
    parser.add_argument(
        "--out", type=Path, help="folder for files (default: FOLDER/report, ./report-NAME of a URI)"
    )
    options = parser.parse_args(argv)
    with unfailing_output():
        try:
            _report(options)
        except (ReportError, RecordError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
    return 0


def _report(options: argparse.Namespace) -> None:
    sweep = load(options.folder, options.skip_damaged)
    if sweep.finals.empty:
        why = "; ".join(summary.troubles(sweep))
        raise ReportError(f"{options.folder}: no final run has finished, so there is no table ({why})")
    print(tables(sweep, options.style))
    if not options.tables_only:
        out = Path(os.path.expanduser(options.out or _beside(options.folder)))
        write(sweep, out)
        suffixes = ", ".join(form.SUFFIX for form in all_formats().values())
        print(f"\ntables ({suffixes}) and figures (png, svg) are in {out}")


def _beside(folder: str) -> Path:
    """Return where the files go: into the results, but onto this machine where they are in a store."""
    if is_remote(folder):
        return Path(f"report-{folder.rstrip('/').rpartition('/')[2]}")
    return Path(folder) / "report"


def tables(sweep: Sweep, style: str = "txt") -> str:
    """Return every table of the sweep, but for the long ones, with its header and footer."""
    form = all_formats()[style]
    parts = [_lines(form, summary.header(sweep))]
    shown = (module for module in all_tables().values() if not getattr(module, "LONG", False))
    parts += [titled(form, module, sweep) for module in shown]
    return "\n\n".join(filter(None, [*parts, _lines(form, summary.footer(sweep))]))


def titled(form: ModuleType, module: ModuleType, sweep: Sweep) -> str:
    """Return one table under its title, in a format; empty: it does not apply."""
    frame = module.frame(sweep)
    if frame is None:
        return ""
    return f"{form.title(module.TITLE)}\n\n{form.table(frame, module.display(frame))}"


def _lines(form: ModuleType, lines: list[str]) -> str:
    return "\n".join(form.line(line) for line in lines)


def write(sweep: Sweep, out: Path) -> None:
    """Write every table in every format, and every figure as PNG and SVG, into ``out``."""
    from analysis.figures import all_figures, save  # matplotlib is slow to import, and tables do without

    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "report.txt").write_text(tables(sweep) + "\n", encoding="utf-8", errors="backslashreplace")
        for name, module in all_tables().items():
            frame = module.frame(sweep)
            for form in all_formats().values() if frame is not None else ():
                (out / f"{name}.{form.SUFFIX}").write_text(
                    form.table(frame, module.display(frame)) + "\n",
                    encoding="utf-8",
                    errors="backslashreplace",
                )
        for name, module in all_figures().items():
            if figure := module.draw(sweep):
                save(figure, out / name)
    except OSError as error:
        raise ReportError(f"cannot write the report to {out}: {error.strerror}; choose --out") from None


if __name__ == "__main__":
    sys.exit(main())
