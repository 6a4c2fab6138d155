"""Results of version 1, by value: what was called otherwise, and what was said otherwise."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sweeps.record.description import SpaceRecord, parse_description
from sweeps.record.tables import joined, parts, read_part
from sweeps.record.versions import VERSION, upgrade_description, upgrade_row, upgrade_table

ARM = {
    "name": "a",
    "label": "A",
    "baseline": None,
    "published": None,
    "searched": {
        "split": "off, or 0.4 to 0.9",
        "mixup_alpha": "off, or 0.05 to 2, log scale",
        "tta": "one of none, horizontal",
    },
    "epochs": 5,
    "knobs": {"lr": 0.1, "split": 0.5, "threads": 1},
}
VERSION_1 = {
    "experiment": "toy",
    "options": {"set": ["split=0.5", "lr=0.1", "splitter=1"], "trials": 3, "dataset": "digits"},
    "data": {
        "name": "CIFAR-10, JPEG",
        "fingerprint": "f",
        "class_names": ["x", "y"],
        "train_counts": [50, 5],
    },
    "trials": 3,
    "seeds": 2,
    "arms": [ARM, ARM | {"name": "b", "searched": {}, "knobs": {}}],
}
PROPOSAL = {"lr": 0.1234567890123456789, "split?": True, "split": 0.7, "splitter?": False, "1-beta": 1e-05}
UPGRADED = {
    "lr": PROPOSAL["lr"],
    "stage1_share?": True,
    "stage1_share": 0.7,
    "splitter?": False,
    "1-beta": 1e-05,
}


def test_a_description_of_version_1_is_read_with_todays_names():
    about = parse_description(json.dumps(VERSION_1).encode())
    assert about.version == VERSION
    assert about.options == {
        "set": ["stage1_share=0.5", "lr=0.1", "splitter=1"],
        "trials": 3,
        "dataset": "digits",
    }
    assert (about.data.name, about.data.benchmark) == ("CIFAR-10, JPEG", "CIFAR-10")
    first, second = about.arms
    assert first.searched == {
        "stage1_share": SpaceRecord(text="off, or 0.4 to 0.9", off=0),
        "mixup_alpha": SpaceRecord(text="off, or 0.05 to 2, log scale", off=0),
        "tta": SpaceRecord(text="one of none, horizontal", off=None),
    }
    assert first.knobs == {"lr": 0.1, "stage1_share": 0.5, "threads": 1}
    assert (first.train_counts, second.train_counts, second.searched) == ([50, 5], [50, 5], {})


@pytest.mark.parametrize(
    ("name", "benchmark"),
    [
        ("CIFAR-10", "CIFAR-10"),
        ("CIFAR-10, JPEG", "CIFAR-10"),
        ("CIFAR-100", "CIFAR-100"),
        ("digits", "digits"),
    ],
)
def test_the_benchmark_was_in_the_name(name, benchmark):
    about = VERSION_1 | {"data": VERSION_1["data"] | {"name": name}}
    assert upgrade_description(about)["data"]["benchmark"] == benchmark


def test_a_description_of_today_stays_as_it_is():
    about = VERSION_1 | {"version": VERSION}
    assert upgrade_description(about) is about


def test_rows_of_trials_and_epochs_get_todays_names():
    row = {"trial": "t", "split": 0.7, "proposal": json.dumps(PROPOSAL)}
    assert upgrade_row("trials", row) == {"trial": "t", "stage1_share": 0.7, "proposal": json.dumps(UPGRADED)}
    assert upgrade_row("trials", row | {"proposal": None})["proposal"] is None
    assert upgrade_row("epochs", {"val_potential": 0.5, "epoch": 1}) == {
        "val_best_adjusted_recall": 0.5,
        "epoch": 1,
    }
    change = {"trial": "t", "status": "finished"}
    assert upgrade_row("trials", change) == change
    assert upgrade_row("trials", {"trial": "t", "split": 0.7}) == {"trial": "t", "stage1_share": 0.7}
    today = {"trial": "t", "stage1_share": 0.7, "proposal": json.dumps({"split?": True})}
    assert upgrade_row("trials", today) == today
    assert upgrade_row("sealed", {"epochs": 1}) == {"epochs": 1}


def test_a_part_gets_todays_names_in_place():
    proposals = [json.dumps(PROPOSAL), None]
    table = pa.table({"trial": ["t", "u"], "split": [0.7, None], "proposal": proposals, "lr": [0.1, 0.2]})
    upgraded = upgrade_table("trials", table)
    assert upgraded.column_names == ["trial", "stage1_share", "proposal", "lr"]
    assert upgraded["proposal"].to_pylist() == [json.dumps(UPGRADED), None]
    assert upgraded["stage1_share"].to_pylist() == [0.7, None]
    assert upgrade_table("classes", pa.table({"split": ["test"]})).column_names == ["split"]  # not the knob


def test_parts_of_both_versions_are_one_table(tmp_path):
    (tmp_path / "epochs").mkdir()
    for number, column in enumerate(["val_potential", "val_best_adjusted_recall"]):
        table = pa.table({"epoch": [number], column: [number / 2]})
        pq.write_table(
            table.append_column("new", [[7]]) if number else table, tmp_path / f"epochs/part-{number}.parquet"
        )
    found = joined([part for _, part in parts(tmp_path, "epochs")])
    assert found.to_pylist() == [
        {"epoch": 0, "val_best_adjusted_recall": 0.0, "new": None},
        {"epoch": 1, "val_best_adjusted_recall": 0.5, "new": 7},
    ]


@pytest.mark.parametrize("proposal", ["{", "3", "[]", "null"])
def test_a_part_whose_proposals_are_none_is_damaged(tmp_path, proposal):
    pq.write_table(pa.table({"split": [0.7], "proposal": [proposal]}), tmp_path / "p")
    with pytest.raises(ValueError, match=r"^[^\n]+$"):
        read_part("trials", tmp_path / "p")
