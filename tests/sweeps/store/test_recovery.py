"""What comes back of a results folder that was cut off, cut short or altered."""

import resource
import subprocess
import sys

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lt_core.config import TrainConfig
from lt_core.errors import InputError
from sweeps.store import results as module
from sweeps.store.location import Folder
from sweeps.store.recovery import recover
from sweeps.store.results import Results
from sweeps.store.schemas import KNOBS

EPOCHS = 3


def write_trial(results, number, end=True):
    key = f"t{number}"
    results.write(
        trials=[{"trial": key, "arm": "a", "phase": "search", "status": "running", "epochs_done": 0}]
    )
    for epoch in range(1, EPOCHS + 1):
        row = {"trial": key, "epoch": epoch, "val_macro_recall": score(number, epoch)}
        results.write(epochs=[row | {"val_best_adjusted_recall": 1 - row["val_macro_recall"]}])
    if end:
        ended = {"trial": key, "status": "finished", "epochs_done": EPOCHS}
        results.write(classes=[{"trial": key, "class": k} for k in range(2)], trials=[ended])


def score(number, epoch):
    return 1 / (3 + number + 10 * epoch)


def check(found, trials):
    """Whatever came back is what was written; whatever is missing of a terminal trial is known to be."""
    for key, scores in found.scores.items():
        for epoch, value in scores.items():
            assert value == score(int(key[1:]), epoch)
    for key, scores in found.rung_scores.items():
        assert scores == {epoch: 1 - value for epoch, value in found.scores[key].items()}
    whole = 0
    for number in range(trials):
        row = found.trials.get(f"t{number}")
        if row and row["status"] == "finished" and not found.incomplete(f"t{number}"):
            assert found.reported(f"t{number}") == [score(number, e) for e in range(1, EPOCHS + 1)]
            assert found.classes[f"t{number}"] == 2
            whole += 1
    return whole


def test_a_writer_that_is_cut_off_leaves_every_row(tmp_path):
    results = Results(tmp_path / "r")
    for number in range(4):
        write_trial(results, number, end=number < 3)
    # never closed: what a SIGKILL leaves
    found = recover(Folder(tmp_path / "r"))
    assert check(found, 4) == 3
    assert found.unfinished("t3")
    assert found.reported("t3") == [score(3, epoch) for epoch in range(1, EPOCHS + 1)]
    assert set(found.epochs) == {"t3"}  # whole rows only where they will be compared
    assert found.notes == []


@pytest.mark.slow
@given(data=st.data())
def test_damage_is_named_and_never_changes_a_value(tmp_path_factory, data):
    """Any file, cut at any place or with any byte altered, before or after the sweep was closed."""
    folder = tmp_path_factory.mktemp("r") / "r"
    rows_per_part = data.draw(st.sampled_from([4, 10_000]))
    closed = data.draw(st.booleans())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ROWS_PER_PART", rows_per_part)
        results = Results(folder)
        for number in range(4):
            write_trial(results, number)
            if data.draw(st.booleans()):
                results.flush()
        if closed:
            results.close()
        else:
            results.abandon()
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    path = data.draw(st.sampled_from(files))
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content = content[:at]
    else:
        content[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)

    found = recover(Folder(folder))
    whole = check(found, 4)
    named = any(str(path) in note for note in found.notes)
    cut_between_lines = path.name == "journal" and content[-1:] in (b"", b"\n")
    assert whole == 4 or named or cut_between_lines
    resumed = Results(folder, resume=True)  # and the folder can be gone on with
    resumed.close()
    tables = {name: pd.read_parquet(folder / name) for name in ("trials", "epochs", "classes")}
    assert not tables["epochs"].duplicated(["trial", "epoch"]).any()
    assert not tables["classes"].duplicated(["trial", "class"]).any()
    assert len(tables["epochs"]) == sum(map(len, found.scores.values()))


@given(
    lr=st.floats(1e-8, 10),
    beta=st.floats(0, 1, exclude_max=True),
    counts=st.none() | st.lists(st.integers(1, 99), min_size=2, max_size=4).map(tuple),
    channels_last=st.none() | st.booleans(),
    flushed=st.booleans(),
)
def test_a_configuration_comes_back_to_the_bit(tmp_path_factory, lr, beta, counts, channels_last, flushed):
    profile = "exponential" if counts is None else "counts"
    config = TrainConfig(lr=lr, beta=beta, counts=counts, profile=profile, channels_last=channels_last)
    results = Results(tmp_path_factory.mktemp("r") / "r")
    row = {"trial": "t", "arm": "a", "phase": "final", "status": "running", "epochs_done": 0}
    results.write(trials=[config.model_dump() | row])
    if flushed:
        results.close()
    found = recover(results.place).trials["t"]
    assert TrainConfig.parse({knob: found[knob] for knob in KNOBS}) == config
    results.abandon()


def test_a_failed_trial_is_not_measured_again(tmp_path):
    results = Results(tmp_path / "r")
    write_trial(results, 0, end=False)
    results.write(trials=[{"trial": "t0", "status": "failed", "epochs_done": EPOCHS}])
    results.close()
    found = recover(Folder(tmp_path / "r"))
    assert not found.unfinished("t0")
    assert not found.incomplete("t0")


def test_a_folder_that_lost_its_description_is_not_written_over(tmp_path):
    write_trial(results := Results(tmp_path / "r"), 0)
    results.abandon()
    with pytest.raises(InputError, match=r"holds trials without their sweep.json, and no sweep"):
        Results(tmp_path / "r")
    assert check(recover(Folder(tmp_path / "r")), 1) == 1


def test_a_key_that_leads_out_of_the_folder_is_refused(tmp_path):
    results = Results(tmp_path / "r")
    results.write(trials=[{"trial": "../../home", "arm": "a", "status": "running"}])
    results.close()
    with pytest.raises(InputError, match=r"trials: '\.\./\.\./home' is not the key of a trial"):
        recover(Folder(tmp_path / "r"))


def test_rows_that_belong_together_come_back_together(tmp_path):
    results = Results(tmp_path / "r")
    write_trial(results, 0)
    path = tmp_path / "r" / "journal"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]) + lines[-1][:-20])  # torn within the last write
    found = recover(Folder(tmp_path / "r"))
    assert found.unfinished("t0")
    assert found.classes["t0"] == 0
    assert found.notes == [f"{path}: 1 damaged lines are left out; what they held is measured again"]


def test_going_on_again_and_again_makes_no_more_files(tmp_path):
    for number in range(5):
        results = Results(tmp_path / "r", resume=number > 0)
        write_trial(results, number)
        results.close()
    assert check(recover(Folder(tmp_path / "r")), 5) == 5
    files = sorted(path.name for path in (tmp_path / "r").rglob("*.parquet"))
    assert files == ["part-00000.parquet"] * 3


def test_a_full_disk_names_the_file_and_what_was_written_stays(tmp_path):
    results = Results(tmp_path / "r")
    write_trial(results, 0)
    size = (tmp_path / "r" / "journal").stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50, before[1]))
    try:
        with pytest.raises(InputError, match=r"cannot write .*journal: File too large; what is there stays"):
            write_trial(results, 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert check(recover(Folder(tmp_path / "r")), 1) == 1


def test_one_writer_at_a_time_and_a_dead_ones_lock_does_not_block(tmp_path):
    code = f"""
import os, signal
from pathlib import Path
from sweeps.store.results import Results
results = Results(Path({str(tmp_path / "r")!r}))
print(os.getpid(), flush=True)
signal.pause()
"""
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        pid = holder.stdout.readline().strip()
        with pytest.raises(InputError, match=f"is in use by process {pid} on "):
            Results(tmp_path / "r", resume=True)
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    Results(tmp_path / "r", resume=True).close()


def test_rows_whose_trial_was_never_flushed_are_measured_again(tmp_path):
    """Trials are flushed last: a writer may be killed in between, and its journal be on another machine."""
    results = Results(tmp_path / "r")
    write_trial(results, 0)
    results.flush()
    before = (tmp_path / "r" / "trials" / "part-00000.parquet").read_bytes()
    write_trial(results, 1)
    results.flush()
    results.abandon()
    (tmp_path / "r" / "trials" / "part-00000.parquet").write_bytes(before)
    (tmp_path / "r" / "journal").unlink()
    found = recover(Folder(tmp_path / "r"))
    assert check(found, 2) == 1
    assert {row["trial"] for rows in found.active.values() for row in rows} == {"t0"}
    assert set(found.scores) == {"t0"}


def test_a_place_that_does_not_answer_says_nothing_of_a_part(tmp_path):
    class Refusing(Folder):
        def read(self, name):
            if name.endswith(".parquet"):
                raise InputError(f"cannot read {name}: access denied")
            return super().read(name)

    write_trial(results := Results(tmp_path / "r"), 0)
    results.close()
    names = Folder(tmp_path / "r").names("*/*")
    with pytest.raises(InputError, match="access denied"):
        recover(Refusing(tmp_path / "r"))
    assert Folder(tmp_path / "r").names("*/*") == names
