"""Who has no token gets in nowhere: the cluster's control store, its jobs, its dashboard."""

import pytest

from benchmarks.hosts import HOME, hosts, why_not

pytestmark = [pytest.mark.slow, pytest.mark.skipif(why_not() is not None, reason=str(why_not()))]
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0123456789abcdef" * 4}
ASK = """
import sys, urllib.error, urllib.request
request = urllib.request.Request(sys.argv[1], headers=dict(arg.split('=') for arg in sys.argv[2:]))
try:
    print(urllib.request.urlopen(request, timeout=20).status)
except urllib.error.HTTPError as error:
    print(error.code)
except urllib.error.URLError as error:
    print(error.reason)
"""
LOCAL = """
import ray
from pathlib import Path
from sweeps.engine.connection import connected
with connected(None):
    print(Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text())
"""
LISTENS = "0A"  # in the column of states
LOOPBACK = ("0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F")


def asked(host, address, path, *headers):
    return host.run("python", "-c", ASK, f"http://{address}:8265{path}", *headers).stdout.strip()


def sweep(host, head, **environment):
    """What the command says where it is started on a host that is a node of the cluster."""
    options = ["--dataset", "digits", "--dry-run", "--address", f"{head.address}:6379"]
    line = f"cd {HOME} && python -m sweeps.run tta {' '.join(options)} 2>&1 || true"
    return host.run("sh", "-c", line, **environment).stdout


def test_a_client_without_the_token_is_refused_and_one_with_it_is_not():
    with hosts() as there:
        head, other = there.add(bare=False), there.add(bare=False)
        start = ["ray", "start", "--disable-usage-stats", "--num-cpus=1"]
        bound = ["--dashboard-host=127.0.0.1", f"--node-ip-address={head.address}"]
        head.run(*start, "--head", "--port=6379", *bound, **TOKEN)
        # the dashboard, and the jobs behind it
        assert "refused" in asked(other, head.address, "/api/version")
        for path in ("/api/jobs/", "/nodes?view=summary"):
            assert asked(head, "127.0.0.1", path) == "401"
            assert asked(head, "127.0.0.1", path, "Authorization=Bearer wrong") == "403"
            bearer = f"Authorization=Bearer {TOKEN['RAY_AUTH_TOKEN']}"
            assert asked(head, "127.0.0.1", path, bearer) == "200"
        # the control store
        said = sweep(head, head)
        told = [line for line in said.splitlines() if line.startswith("error: ")]
        assert told == [said.splitlines()[-1]]
        assert "one that asks for a token needs RAY_AUTH_MODE=token" in told[0], said
        line = [
            "python",
            "-m",
            "sweeps.run",
            "tta",
            "--dataset",
            "digits",
            "--data-dir",
            "/tmp/data",
            "--dry-run",
        ]
        submit = ["ray", "job", "submit", "--address", "http://127.0.0.1:8265", "--", *line]
        assert (
            "at once: 1 trial" in head.run(*submit, **TOKEN).stdout
        )  # a job has a Ray environment of its own
        nodes = "import ray; ray.init(logging_level='ERROR'); print(len(ray.nodes()))"
        with_token = {"RAY_ADDRESS": f"{head.address}:6379", **TOKEN}
        assert head.run("python", "-c", nodes, **with_token).stdout.split()[-1] == "1"


def test_a_sweep_on_one_machine_listens_on_loopback_alone():
    with hosts() as there:
        host = there.add(bare=False)
        rows = [line.split() for line in host.run("python", "-c", LOCAL).stdout.splitlines()]
    listening = [row[1].partition(":")[0] for row in rows if len(row) > 3 and row[3] == LISTENS]
    assert len(listening) > 5
    assert set(listening) <= set(LOOPBACK)
