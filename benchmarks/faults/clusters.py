"""Sweeps on clusters that lose machines; the driver lives on."""

import random
import shutil
import time
from pathlib import Path

from ray.cluster_utils import Cluster

from benchmarks.faults import faults
from benchmarks.faults.driver import Case, command, start, started
from benchmarks.hosts import hosts, join, start_ray


def run_on_raylets(folder: Path, case: Case, rng: random.Random, most: int) -> int:
    """Run one sweep on raylets of one core each, and lose one again and again; another comes for it."""
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        raylets = [cluster.add_node(num_cpus=1) for _ in range(case.concurrent)]
        done = 0
        with start(folder, case, cluster.address) as driver:
            while done < most and faults.grows(driver, folder):
                time.sleep(rng.uniform(0, 6))
                lost = raylets.pop(rng.randrange(len(raylets)))
                cluster.remove_node(lost, allow_graceful=False)
                done += driver.poll() is None
                raylets.append(cluster.add_node(num_cpus=1))
                time.sleep(10)
            assert driver.wait() == 0, (folder.parent / "log").read_text()[-3000:]
        return done
    finally:
        cluster.shutdown()


def run_on_hosts(folder: Path, case: Case, rng: random.Random, most: int) -> int:
    """Run one sweep on hosts without a shared disk, and lose one again and again; another joins for it."""
    with hosts() as there:
        head = there.add(bare=False)
        working = [there.add() for _ in range(case.concurrent)]
        start_ray(head, *working)
        done, inside = 0, head.home / "results" / case.experiment
        line = command(Path("results") / case.experiment, case, f"{head.address}:6379")
        with started(head.command(*line), folder) as driver:
            while done < most and faults.grows(driver, inside):
                time.sleep(rng.uniform(0, 6))
                lost = working.pop(rng.randrange(len(working)))
                lost.end() if rng.random() < 0.5 else lost.cut()
                done += driver.poll() is None
                working.append(there.add())
                join(head, working[-1])
            assert driver.wait() == 0, (folder.parent / "log").read_text()[-3000:]
        shutil.copytree(inside, folder)
        return done
