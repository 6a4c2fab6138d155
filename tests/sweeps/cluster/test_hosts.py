"""A sweep on several hosts without a shared disk: hosts that lack the code, the data and the user's file."""

import time

import pandas as pd
import pytest

from benchmarks.faults.campaign import Count, compare, read
from benchmarks.hosts import hosts, why_not
from tests.conftest import command

pytestmark = [pytest.mark.slow, pytest.mark.skipif(why_not() is not None, reason=str(why_not()))]

OWN = """'''A loss of my own.'''
import time

import torch.nn.functional as F

from lt_core.losses import LOSSES
from sweeps.planning import Arm, Experiment


@LOSSES.register("sqrt_ce")
def sqrt_ce(logits, labels):
    time.sleep(PAUSE)
    return F.cross_entropy(logits, labels, reduction="none").sqrt()


def experiment(data):
    arms = [
        Arm(name="ce", label="CE"),
        *(Arm(name=f"own_{i}", label=f"{i}", knobs={"loss": "sqrt_ce", "lr": i / 1000}) for i in (1, 2, 3)),
    ]
    return Experiment(base={"imbalance_ratio": 10.0, "epochs": 12, "batch_size": 64}, arms=arms, seeds=2)
"""


def start(head, *others):
    """Make one cluster of hosts; the head lends no core."""
    ray(head, "--head", "--port=6379", "--num-cpus=0", "--include-dashboard=false")
    for host in others:
        join(head, host)


def join(head, host):
    ray(host, f"--address={head.address}:6379", "--num-cpus=1")


def ray(host, *options):
    host.run("ray", "start", f"--node-ip-address={host.address}", "--disable-usage-stats", *options)


def sweep(head, log, *options):
    head.write("mine.py", OWN.replace("PAUSE", "0.02"))
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


def check_same(undisturbed, head, log, tmp_path):
    """The table and every row are as on one machine."""
    printed, rows = undisturbed
    head.fetch("results/mine", tmp_path / "results" / "mine")
    count = Count()
    compare(rows, read(tmp_path / "results" / "mine"), count)
    assert (count.missing, count.duplicates, count.differing) == (0, 0, 0)
    table = printed[printed.index("Test macro recall, percent") : printed.index("full report")]
    assert table in log.read_text()
    return pd.read_parquet(tmp_path / "results" / "mine" / "trials")


def test_trials_run_on_every_host_which_has_nothing_but_the_environment(undisturbed, tmp_path):
    with hosts() as there:
        head, *others = there.add(bare=False), there.add(), there.add()
        start(head, *others)
        log = tmp_path / "log"
        assert sweep(head, log).wait() == 0, log.read_text()
        trials = check_same(undisturbed, head, log, tmp_path)
    assert trials.groupby("host").size().min() >= 2, trials.host
    text = log.read_text()
    assert "at once: 2 trials; there is room for 1 on each of 2 machines, none on 1 machine" in text
    assert "1 of 3 machines map /home/user/data/decoded/digits-" in text
    assert "2 others get it once each, through Ray's object store" in text


def test_a_host_that_is_lost_and_one_that_joins_change_no_number(undisturbed, tmp_path):
    with hosts() as there:
        head, first, second = there.add(bare=False), there.add(), there.add()
        start(head, first, second)
        log = tmp_path / "log"
        driver = sweep(head, log, "--checkpoint-every", "0.2s")
        wait_for(driver, log, lambda: "room for" in log.read_text() and rows(head) > 20)
        first.end()
        join(head, there.add())
        assert driver.wait() == 0, log.read_text()
        trials = check_same(undisturbed, head, log, tmp_path)
    assert "its worker or machine is gone, it goes on from its last checkpoint" in log.read_text()
    assert "the cluster has changed: there is room for" in log.read_text()
    assert trials.attempts.max() == 2


def rows(head):
    """The lines of the journal."""
    return int(head.run("sh", "-c", "cat results/mine/journal 2>/dev/null | wc -l").stdout)


def wait_for(driver, log, condition):
    while not condition():
        assert driver.poll() is None, log.read_text()
        time.sleep(0.2)
