"""sweep.json by value: what is written comes back, and what is no description is one line."""

import json

import pytest

from sweeps.planning.description import describe
from sweeps.record.description import (
    OPTIONS,
    ArmRecord,
    DataRecord,
    Description,
    QuestionRecord,
    RecordError,
    SpaceRecord,
    parse_description,
    read_description,
)
from sweeps.record.versions import VERSION
from sweeps.terminal.options import DEFAULTS, OF_THE_CALL
from tests.sweeps.plans import plan_of

ARMS = [
    ArmRecord(name="ce", label="CE", epochs=5, train_counts=[50, 5]),
    ArmRecord(
        name="cb",
        label="CB, β searched",
        baseline="ce",
        published="cb_focal",
        searched={"beta": SpaceRecord(text="off, or 0.9 to 1", off=0.0), "lr": SpaceRecord(text="0 to 1")},
        epochs=5,
        knobs={"lr": 0.1, "milestones": [0.6, 0.8], "counts": None},
        train_counts=[30, 30],
    ),
]
WHOLE = Description(
    experiment="toy",
    about="A toy.",
    options={"dataset": "digits", "trials": None, "cpus_per_trial": 1.0, "set": ["lr=0.1"], "new": {"a": 1}},
    data=DataRecord(
        name="digits, small", benchmark="digits", source="digits", fingerprint="f", class_names=["0", "1"]
    ),
    preset="digits",
    trials=3,
    seeds=2,
    seed=7,
    arms=ARMS,
    questions=[QuestionRecord(ask="Does it?", arm="cb", against="ce")],
    published="cifar10_lt_resnet32",
    published_baseline=0.704,
    frontier_of="ce",
    taus=[0.0, 0.1 + 0.2, 1.0],
    notes=["A note."],
    versions={"torch": "2.15.0"},
    git="abc",
    file="0123",
)


def test_a_description_comes_back_equal(tmp_path):
    (tmp_path / "sweep.json").write_text(WHOLE.model_dump_json(indent=2))
    assert read_description(tmp_path) == WHOLE
    assert json.loads(WHOLE.model_dump_json())["version"] == VERSION


@pytest.mark.parametrize("name", ["cb_focal", "decoupling", "joint"])
def test_the_description_of_a_plan_comes_back_equal(digits, name):
    described = describe(
        plan_of(name, digits), digits, DEFAULTS | {"dataset": "digits", "experiment": name}, "A."
    )
    assert parse_description(described.model_dump_json().encode()) == described
    assert [list(arm.knobs) == list(described.arms[0].knobs) for arm in described.arms].count(False) == 0


def test_options_that_have_a_type_are_options_that_are_taken_over():
    assert OPTIONS.keys() <= DEFAULTS.keys() - OF_THE_CALL


def test_what_a_record_does_not_hold_has_its_default():
    arm = {"name": "a", "label": "A", "epochs": 1, "train_counts": [2]}
    least = {
        "version": 2,
        "experiment": "e",
        "data": {"name": "d", "class_names": ["c"]},
        "trials": 1,
        "seeds": 1,
    }
    about = parse_description(json.dumps(least | {"arms": [arm]}).encode())
    assert (about.metric, about.direction, about.metrics["test" and "loss"]) == (
        "val_macro_recall",
        "max",
        "min",
    )
    assert (about.seed, about.questions, about.taus, about.preset, about.data.benchmark) == (
        0,
        [],
        [],
        None,
        None,
    )
    assert (about.arms[0].searched, about.arms[0].baseline) == ({}, None)


@pytest.mark.parametrize("number", [VERSION + 1, 99, 10**30])
def test_a_newer_version_is_refused(tmp_path, number):
    (tmp_path / "sweep.json").write_text(json.dumps({"version": number, "all": "else is new"}))
    with pytest.raises(RecordError) as caught:
        read_description(tmp_path)
    expected = f"{tmp_path}/sweep.json is of version {number}, this code reads up to {VERSION}: update it"
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is damaged: Expecting value: line 1 column 1 (char 0)"),
        (b'{"\xff"}', "is damaged: 'utf-8' codec can't decode byte 0xff in position 2"),
        (b"[" * 100_000, "is damaged: maximum recursion depth exceeded"),
        (b'{"trials": ' + b"9" * 5000 + b"}", "is damaged: Exceeds the limit (4300 digits)"),
        (b"[]", "is damaged: it holds no description of a sweep"),
        (b"null", "is damaged: it holds no description of a sweep"),
        (b'{"version": null}', "is damaged: version None is no whole number"),
        (b'{"version": 99.0}', "is damaged: version 99.0 is no whole number"),
        (b'{"version": true}', "is damaged: version True is no whole number"),
        (b'{"version": "2"}', "is damaged: version '2' is no whole number"),
        (b'{"version": 2}', "is damaged: Field required experiment"),
    ],
)
def test_what_is_no_description_is_said(content, message):
    with pytest.raises(ValueError, match=r"^is damaged") as caught:
        parse_description(content)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (("arms",), [], "List should have at least 1 item after validation, not 0 arms"),
        (("arms", 0, "name"), 3, "Input should be a valid string arms.0.name"),
        (("arms", 0, "name"), "other", "there is no arm 'ce'"),
        (("arms", 1, "baseline"), "gone", "there is no arm 'gone'"),
        (("questions", 0, "against"), "gone", "there is no arm 'gone'"),
        (("frontier_of",), "gone", "there is no arm 'gone'"),
        (("taus",), [0.5], "the frontier is read at tau 1, which taus lack"),
        (("arms", 1, "train_counts"), [3], "arm 'cb' has 1 class counts, not 2"),
        (("arms", 1, "train_counts"), [3, 0], "Input should be greater than 0 arms.1.train_counts.1"),
        (("options", "set"), 3, "set=3: Input should be a valid list options"),
        (("options", "dataset"), None, "dataset=None: Input should be a valid string options"),
        (("metrics",), {"a\nb": 3}, "Input should be a valid string metrics.a b"),
    ],
)
def test_what_is_wrong_with_a_field_is_said(at, value, message):
    about = place = json.loads(WHOLE.model_dump_json())
    for key in at[:-1]:
        place = place[key]
    place[at[-1]] = value
    with pytest.raises(ValueError, match=r"^is damaged") as caught:
        parse_description(json.dumps(about).encode())
    assert str(caught.value) == f"is damaged: {message}"
