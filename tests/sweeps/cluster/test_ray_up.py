"""The real path: `ray up` over a real sshd, `ray submit`, results back, `ray down`."""

import sys
import time

import pytest
import yaml

from benchmarks import ssh
from benchmarks.faults.campaign import Count, compare, read
from benchmarks.hosts import HOME, ROOT, hosts, why_not
from tests.conftest import command
from tests.sweeps.cluster.test_files import FOLDER

WHY_NOT = why_not() or ssh.why_not()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT)),
]
OPTIONS = ["--dataset", "digits", "--trials", "1", "--seeds", "1", "--epochs", "2", "--max-concurrent", "1"]


def cluster_file(head, worker):
    """The file for machines that one has, with their names in it. The environment takes minutes to make: it
    is linked to instead, and has the checkout that the launcher copies."""
    about = yaml.safe_load((FOLDER / "local.yaml").read_text())
    about["provider"] |= {"head_ip": head.address, "worker_ips": [worker.address]}
    about["auth"] = {"ssh_user": "root", "ssh_private_key": ssh.KEY}
    about["file_mounts"]["~/longtail-sweeps"] = str(ROOT)
    make, install, shell = about["setup_commands"]
    assert 'pip install -q -e "$HOME/longtail-sweeps[cluster]"' in install
    about["setup_commands"] = [
        make.replace("python3 -m venv ~/.venv", f"ln -s {sys.prefix} ~/.venv"),
        shell.replace("PATH=", "PYTHONPATH=$HOME/longtail-sweeps PATH=", 1),
    ]
    return yaml.safe_dump(about)


def test_the_cluster_gives_the_table_of_this_machine(tmp_path, data_dir):
    local = command("sweeps.run", "cb_focal", *OPTIONS, "--data-dir", data_dir, cwd=tmp_path)
    assert local.returncode == 0, local.stderr
    with hosts() as there:
        desk, head, worker = there.add(bare=False), there.add(), there.add()
        ssh.let_in(desk, head, worker)
        desk.run("ray", "get-auth-token", "--generate")
        (desk.home / "cluster.yaml").write_text(cluster_file(head, worker))
        desk.run("ray", "up", "-y", "cluster.yaml")
        while "/4.0 CPU" not in desk.run("ray", "exec", "cluster.yaml", "ray status").stdout:
            time.sleep(2)
        submitted = desk.run(
            "ray", "submit", "cluster.yaml", ROOT / "sweeps/run.py", "cb_focal", "--", *OPTIONS
        )
        desk.run("ray", "rsync-down", "cluster.yaml", "~/results/", f"{HOME}/results")
        count = Count()
        compare(read(tmp_path / "results/cb_focal"), read(desk.home / "results/cb_focal"), count)
        desk.run("ray", "down", "-y", "cluster.yaml")
        for host in (head, worker):
            while any("ray" in name for name in programs(host)):
                time.sleep(1)
    assert (count.missing, count.duplicates, count.differing) == (0, 0, 0)
    table = local.stdout[local.stdout.index("Test macro recall, percent") : local.stdout.index("full report")]
    assert table in submitted.stdout.replace("\r", "")


def programs(host):
    """The names of what runs on a host."""
    return host.run("ps", "-e", "-o", "comm=").stdout.split()
