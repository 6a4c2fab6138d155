"""Hosts that let one in by SSH, and a host to sit at: what Ray's cluster launcher needs."""

import shutil
from pathlib import Path

from benchmarks.hosts import HOME, Host

PROGRAMS = ("ssh", "ssh-keygen", "rsync")
SSHD = Path("/usr/sbin/sshd")
KEY = f"{HOME}/.ssh/key"
CONFIG = f"""Port 22
HostKey {HOME}/.ssh/host_key
AuthorizedKeysFile {HOME}/.ssh/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
"""


def why_not() -> str | None:
    """Return what is missing here for SSH; None: nothing."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing or not SSHD.exists():
        return f"no {missing[0] if missing else SSHD}: install openssh-server and rsync"
    return None


def let_in(user: Host, *others: Host) -> None:
    """Give a host's user a key that the others take."""
    _make_key(user, KEY)
    for host in others:
        _make_key(host, f"{HOME}/.ssh/host_key")
        (host.home / ".ssh/authorized_keys").write_text((user.home / ".ssh/key.pub").read_text())
        (host.home / "sshd_config").write_text(CONFIG)
        host.run(SSHD, "-f", f"{HOME}/sshd_config")


def _make_key(host: Host, path: str) -> None:
    (host.home / ".ssh").mkdir(exist_ok=True)
    host.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path)
