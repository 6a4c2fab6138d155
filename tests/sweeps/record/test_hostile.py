"""A sweep.json that says something else than it should: everywhere, one line, and no other error."""

import copy
import functools
import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.report import main as report
from sweeps.planning import costs
from sweeps.planning.description import describe
from sweeps.record.description import RecordError, read_description
from sweeps.run import main as run
from sweeps.terminal.options import DEFAULTS
from tests.analysis.builder import write
from tests.sweeps.plans import plan_of
from tests.sweeps.record.test_description import WHOLE

WRONG = [3, -1, 2.5, True, "x", None, [], {}, [3], [None], ["x"], {"x": 3}, {"3": {}}, [{}], [[[]]]]


def paths(value, at=()):
    """Every place in a description: each field, each key, and the first of each list."""
    if at:
        yield at
    inner = (
        value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    )
    for key, below in inner:
        yield from paths(below, (*at, key))


def altered(about, at, value):
    about = copy.deepcopy(about)
    place = about
    for key in at[:-1]:
        place = place[key]
    place[at[-1]] = value
    return about


def read(folder, about):
    """A description, or None where it is refused in one line that names the file."""
    (folder / "sweep.json").write_text(json.dumps(about))
    try:
        return read_description(folder)
    except RecordError as error:
        assert str(error).startswith(f"{folder}/sweep.json ")
        assert "\n" not in str(error)


def as_version_1(about):
    """The same as it was written before versions had a number."""
    about = {key: value for key, value in copy.deepcopy(about).items() if key != "version"}
    for arm in about["arms"]:
        arm["searched"] = {knob: space["text"] for knob, space in arm["searched"].items()}
        about["data"]["train_counts"] = arm.pop("train_counts")
    return about


@pytest.mark.parametrize("older", [False, True])
def test_whatever_stands_in_a_field_is_read_or_refused_in_one_line(tmp_path, older):
    about = json.loads(WHOLE.model_dump_json())
    about = as_version_1(about) if older else about
    assert read(tmp_path, about) is not None
    refused = [
        at for at in paths(about) for value in WRONG if read(tmp_path, altered(about, at, value)) is None
    ]
    assert {at[0] for at in refused} >= about.keys() - {"version"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(data=st.data(), value=json_values, older=st.booleans())
def test_any_value_anywhere_is_read_or_refused_in_one_line(tmp_path_factory, data, value, older):
    about = json.loads(WHOLE.model_dump_json())
    about = as_version_1(about) if older else about
    read(
        tmp_path_factory.mktemp("r"),
        altered(about, data.draw(st.sampled_from(sorted(paths(about), key=str))), value),
    )


def outcomes(folder, about, altered_at, main, capsys):
    """What a command makes of each altered description: its exit codes; ``altered_at``: places and values."""
    (folder / "sweep.json").write_text(json.dumps(about))
    codes = {main()}
    assert (codes, capsys.readouterr().err) == ({0}, "")
    for at, value in altered_at:
        (folder / "sweep.json").write_text(json.dumps(altered(about, at, value)))
        code, error = main(), capsys.readouterr().err
        assert (code, error.count("\n")) == ((2, 1) if error else (0, 0)), (at, value)
        codes.add(code)
    return codes


@pytest.mark.slow
def test_the_report_of_whatever_stands_in_a_field_is_a_report_or_one_line(tmp_path, capsys):
    beside = {"published": "cb_focal_beta", "data": "CIFAR-10", "ratio": 100.0, "frontier_of": "ce"}
    asked = [{"ask": "?", "arm": "cb", "against": "ce"}]
    write(tmp_path, questions=asked, arms={"ce": {"published": "ce"}}, **beside)
    about = json.loads((tmp_path / "sweep.json").read_text())
    command = functools.partial(report, [str(tmp_path), "--tables-only"])
    assert outcomes(tmp_path, about, itertools.product(paths(about), WRONG), command, capsys) == {0, 2}


@pytest.mark.slow
def test_resume_on_whatever_stands_in_a_field_is_a_plan_or_one_line(
    tmp_path, digits, data_dir, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    options = {"dataset": "digits", "experiment": "cb_focal", "data_dir": str(data_dir), "preset": "digits"}
    described = describe(plan_of("cb_focal", digits), digits, DEFAULTS | options, "")
    about = json.loads(described.model_dump_json())
    folder = tmp_path / "results" / "cb_focal"
    folder.mkdir(parents=True)
    tried = [at for at in paths(about) if len(at) == 1 or at[0] in ("options", "data")]
    command = functools.partial(run, ["cb_focal", "--resume", "--dry-run"])
    # Two values each, in turn: what is read is planned each time. Steps need not be timed for it.
    monkeypatch.setattr(
        costs, "seconds_per_epoch_by_arm", lambda plan, timed: {a.name: 1.0 for a in plan.arms}
    )
    values = itertools.cycle([3, None, "x", [], {}, "nan", -1])
    altered_at = [(at, next(values)) for at in tried for _ in range(2)]
    assert outcomes(folder, about, altered_at, command, capsys) == {0, 2}
