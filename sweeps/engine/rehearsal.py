"""Every kind of arm of a user's own file is tried, in a process of its own, before a sweep begins.

    python -m sweeps.engine.rehearsal < JOB

What a user has written may raise, hang or end its process: here that is a line, in a trial a row.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lt_core.errors import InputError
from lt_core.words import printable
from sweeps.experiments import in_one_line, load_file

if TYPE_CHECKING:
    from lt_core.config import TrainConfig
    from lt_core.data import Dataset

SECONDS = 120  # in which all kinds of arms must have ended


def rehearse(arms: list[tuple[str, dict[str, Any]]], file: Path, copy: str) -> list[str]:
    """Try arms, (label, knobs), on the data whose decoded copy is at ``copy``; return notes.

    Raises:
        InputError: with the arm's label, what went wrong, and where in ``file``.
    """
    job = json.dumps({"arms": arms, "file": str(file), "copy": copy})
    command = [sys.executable, "-m", "sweeps.engine.rehearsal"]
    try:
        done = subprocess.run(command, input=job, capture_output=True, text=True, timeout=SECONDS)
        said, code, how = done.stdout, done.returncode, f"ended its process with exit {done.returncode}"
    except subprocess.TimeoutExpired as late:
        said, code, how = (late.stdout or b"").decode(), 1, f"had not ended after {SECONDS} s"
    lines = [json.loads(line) for line in said.splitlines() if line.startswith('{"rehearsal"')]
    notes = [line["note"] for line in lines if "note" in line]
    if errors := [line["error"] for line in lines if "error" in line]:
        raise InputError(errors[0])
    if code:
        begun = [line["rehearsal"] for line in lines]
        arm = begun[-1] if begun else str(file)
        raise InputError(f"{arm}: tried on a few images, it {how}")
    return notes


def kinds(arms: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    """Return one arm of each kind: of those that differ in numbers alone, the first."""
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for label, knobs in arms:
        named = {name: value for name, value in knobs.items() if not isinstance(value, float)}
        found.setdefault(repr(named), (label, knobs))
    return list(found.values())


def _say(label: str, **what: str) -> None:
    print("\n" + json.dumps({"rehearsal": label, **what}), flush=True)


def _tried(file: Path, config: "TrainConfig", data: "Dataset") -> tuple[list[str], str]:
    """Return notes, and what is wrong with what the file returns."""
    from lt_core.rehearsal import rehearse as take_a_step

    with in_one_line(file):
        try:
            return take_a_step(config, data), ""
        except InputError as error:
            return [], str(error)


def _main(job: dict[str, Any]) -> int:
    from lt_core.config import TrainConfig
    from lt_core.data import open_copy

    file = Path(job["file"])
    load_file(file)
    data = open_copy(job["copy"])
    for label, knobs in job["arms"]:
        _say(label)
        try:
            notes, error = _tried(file, TrainConfig.parse(knobs), data)
        except InputError as raised:  # by the file, which the line names
            notes, error = [], str(raised)
        if error:
            _say(label, error=printable(f"{label}: {error}"))
            return 0
        for note in notes:
            _say(label, note=note)
    return 0


if __name__ == "__main__":
    sys.exit(_main(json.load(sys.stdin)))
