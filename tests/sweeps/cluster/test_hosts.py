"""A sweep on several hosts without a shared disk: hosts that lack the code, the data and the user's file."""

import time

import pandas as pd
import pytest

from benchmarks.faults.campaign import Count, compare, read
from benchmarks.hosts import hosts, join, start_ray, why_not
from tests.conftest import command

pytestmark = [pytest.mark.slow, pytest.mark.skipif(why_not() is not None, reason=str(why_not()))]

OWN = """'''A loss of my own.'''
import time

import torch.nn.functional as F

from lt_core.losses import LOSSES
from sweeps.planning import Arm, Experiment


@LOSSES.register("own_ce")
def own_ce(logits, labels):
    time.sleep(PAUSE)
    ce = F.cross_entropy(logits, labels, reduction="none")
    return ce + ce.square()


def experiment(data):
    arms = [
        Arm(name="ce", label="CE"),
        *(Arm(name=f"own_{i}", label=f"{i}", knobs={"loss": "own_ce", "lr": i / 1000}) for i in (1, 2, 3)),
    ]
    return Experiment(base={"imbalance_ratio": 10.0, "epochs": 12, "batch_size": 64}, arms=arms, seeds=2)
"""


def sweep(head, log, *options):
    (head.home / "mine.py").write_text(OWN.replace("PAUSE", "0.02"))
    line = ["python", "-m", "sweeps.run", "mine.py", "--dataset", "digits", *options]
    return head.start(*line, log=log, RAY_ADDRESS=f"{head.address}:6379")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, data_dir):
    """The same sweep on this machine."""
    cwd = tmp_path_factory.mktemp("undisturbed")
    (cwd / "mine.py").write_text(OWN.replace("PAUSE", "0"))
    done = command("sweeps.run", "mine.py", "--dataset", "digits", "--data-dir", data_dir, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, read(cwd / "results" / "mine")


def check_same(undisturbed, head, log):
    """The table and every row are as on one machine."""
    printed, rows = undisturbed
    count, folder = Count(), head.home / "results" / "mine"
    compare(rows, read(folder), count)
    assert (count.missing, count.duplicates, count.differing) == (0, 0, 0)
    table = printed[printed.index("Test macro recall, percent") : printed.index("full report")]
    assert table in log.read_text()
    return pd.read_parquet(folder / "trials")


def test_a_host_that_is_lost_and_one_that_joins_change_nothing(undisturbed, tmp_path):
    """Hosts that have the environment alone: code, data and the user's file are on the head."""
    with hosts() as there:
        head, first, second = there.add(bare=False), there.add(), there.add()
        start_ray(head, first, second)
        log = tmp_path / "log"
        driver = sweep(head, log, "--checkpoint-every", "0.2s")
        wait_for(driver, log, lambda: rows(head) > 20)
        first.end()
        join(head, there.add())
        assert driver.wait() == 0, log.read_text()
        trials = check_same(undisturbed, head, log)
    text = log.read_text()
    assert "at once: 2 trials; there is room for 1 on each of 2 machines, none on 1 machine" in text
    assert "1 of 3 machines map /home/user/data/decoded/digits-" in text
    assert "2 others get it once each, through Ray's object store" in text
    assert "its worker or machine is gone, it goes on from its last checkpoint" in text
    assert "the cluster has changed: there is room for" in text
    assert trials.attempts.max() == 2
    assert {"host-2", "host-3"} <= set(trials.host), trials.host


def rows(head):
    """The lines of the journal."""
    journal = head.home / "results" / "mine" / "journal"
    return journal.exists() and journal.read_bytes().count(b"\n")


def wait_for(driver, log, condition):
    while not condition():
        assert driver.poll() is None, log.read_text()
        time.sleep(0.2)
