"""Hosts on one machine: each with an address, a home, temporary folders and processes of its own.

Linux namespaces (network, mounts, processes, names) joined by a bridge. What hosts share is the kernel, the
code and the Python environment; no folder that one writes is seen by another.
"""

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROGRAMS = ("ip", "setpriv", "unshare", "nsenter", "mount")
OWN = ("/tmp", "/run", "/dev/shm", "/home")  # folders that a host has for itself, empty
HOME = "/home/user"
USERS = f"root:x:0:0::{HOME}:/bin/bash\nsshd:x:101:65534::/run/sshd:/usr/sbin/nologin"
SHARED = (ROOT, sys.prefix, sys.base_prefix)  # the code and the Python environment
NETWORK = "10.86.0"
HEALTH = {  # a host that is cut off is missed after 3 s, not half a minute
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
}
NAMESPACES = (
    "setpriv",
    "--pdeathsig",
    "KILL",
    "unshare",
    "--net",
    "--mount",
    "--pid",
    "--uts",
    "--fork",
    "--kill-child",
)
PACKAGES = ("lt_core", "sweeps", "analysis")


def why_not() -> str | None:
    """Return what is missing here for hosts; None: nothing."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "hosts need Linux and root"
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        return f"hosts need {missing[0]}"
    tried = subprocess.run(
        ["unshare", "--net", "--mount", "--pid", "--fork", "mount", "-t", "tmpfs", "x", "/mnt"]
    )
    return None if tried.returncode == 0 else "namespaces are not allowed here"


class Host:
    """A host.

    Attributes:
        address: on the bridge that joins the hosts.
        home: its home folder, as this process sees it.
    """

    def __init__(self, bridge: str, number: int, bare: bool):
        """``bare``: the packages under test are not installed."""
        self.address, self.link = f"{NETWORK}.{number + 1}", f"{bridge}-{number}"
        steps = ["mount --make-rprivate /", "mount -t proc proc /proc", "mount -t tmpfs tmpfs /mnt"]
        kept = {f"/mnt/{i}": path for i, path in enumerate(SHARED)}
        steps += [f"mkdir {aside} && mount --rbind {path} {aside}" for aside, path in kept.items()]
        steps += [f"mount -t tmpfs tmpfs {folder}" for folder in OWN if Path(folder).is_dir()]
        steps += [f"mkdir -p {path} && mount --rbind {aside} {path}" for aside, path in kept.items()]
        if bare:
            steps += [
                f"mount -t tmpfs tmpfs {ROOT / package}" for package in ("lt_core", "sweeps", "analysis")
            ]
        steps += [f"mkdir -p {HOME} /run/sshd", f"echo '{USERS}' > /run/passwd"]
        steps += ["mount --bind /run/passwd /etc/passwd", f"hostname host-{number}"]
        # The first process of a host takes in those whose parent has ended, as an init does.
        script = " && ".join([*steps, "echo up", "while :; do sleep 1; done"])
        self._unshare = subprocess.Popen(
            [*NAMESPACES, "sh", "-c", script], stdout=subprocess.PIPE, text=True, cwd="/"
        )
        assert self._unshare.stdout
        assert self._unshare.stdout.readline() == "up\n"
        children = Path(f"/proc/{self._unshare.pid}/task/{self._unshare.pid}/children")
        self.pid = children.read_text().split()[0]
        self.home = Path(f"/proc/{self.pid}/root{HOME}")
        _ip(f"link add {self.link} type veth peer name eth0 netns {self.pid}")
        _ip(f"link set {self.link} master {bridge} up")
        # A program asks for its own address by the way out, so there is one.
        addresses = (f"addr add {self.address}/24 dev eth0", "link set eth0 up", "link set lo up")
        for command in (*addresses, "route add default dev eth0"):
            self.run("ip", *command.split())

    def command(self, *command: str | Path, **environment: str) -> list[str]:
        """Return the command line that runs a command here, in the home folder."""
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        known = {"HOME": HOME, "PATH": path, "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1", **environment}
        inside = ["nsenter", "-t", self.pid, "--net", "--mount", "--pid", "--uts", f"--wdns={HOME}"]
        return [*inside, "env", "-i", *(f"{k}={v}" for k, v in known.items()), *map(str, command)]

    def run(self, *command: str | Path, **environment: str) -> subprocess.CompletedProcess:
        """Run a command here to its end, which must be a good one."""
        line = self.command(*command, **environment)
        done = subprocess.run(line, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}"
        return done

    def start(self, *command: str | Path, log: Path, **environment: str) -> subprocess.Popen:
        """Start a command here; what it prints goes to a file."""
        with open(log, "a") as output:
            return subprocess.Popen(self.command(*command, **environment), stdout=output, stderr=output)

    def cut(self) -> None:
        """Take it off the network; its processes go on."""
        _ip(f"link set {self.link} down")

    def end(self) -> None:
        """Switch it off."""
        self._unshare.kill()
        self._unshare.wait()
        assert self._unshare.stdout
        self._unshare.stdout.close()


class Hosts(list[Host]):
    """Hosts on one bridge; more can be added."""

    def __init__(self, bridge: str):
        super().__init__()
        self.bridge = bridge

    def add(self, bare: bool = True) -> Host:
        """Add a host; without the packages under test, unless it is not ``bare``."""
        self.append(Host(self.bridge, len(self), bare))
        return self[-1]


@contextmanager
def hosts() -> Iterator[Hosts]:
    """Yield hosts, none as yet, and leave nothing of them behind."""
    bridge = f"lt{secrets.token_hex(3)}"
    _ip(f"link add {bridge} type bridge")
    there = Hosts(bridge)
    try:
        _ip(f"link set {bridge} up")
        yield there
    finally:
        for host in there:
            host.end()
        _ip(f"link del {bridge}")


def start_ray(head: Host, *others: Host) -> None:
    """Make one Ray cluster of hosts; the head lends no core, each other one."""
    _ray(head, "--head", "--port=6379", "--num-cpus=0", "--include-dashboard=false")
    for host in others:
        join(head, host)


def join(head: Host, host: Host) -> None:
    """Let a host join the head's cluster, with one core."""
    _ray(host, f"--address={head.address}:6379", "--num-cpus=1")


def _ray(host: Host, *options: str) -> None:
    line = ["ray", "start", f"--node-ip-address={host.address}", "--disable-usage-stats", *options]
    host.run(*line, **HEALTH)


def _ip(arguments: str) -> None:
    subprocess.run(["ip", *arguments.split()], check=True)
