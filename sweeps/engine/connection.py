"""Ray: started on this machine in a folder of its own, or connected to."""

import logging
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ray
from joblib import cpu_count

import lt_core
import sweeps
from lt_core.errors import InputError
from sweeps.engine import patches
from sweeps.terminal.signals import Interrupted

QUIET = {
    "RAY_AIR_NEW_OUTPUT": "0",  # its output engine prints whatever verbose says
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # thousands of files; ours is the record
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # see sweeps.terminal.signals
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",  # final runs report no validation metric
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000000",  # Ray's own state is never read
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    "TUNE_WARN_THRESHOLD_S": "60",
}
TOKEN = "; one that asks for a token needs RAY_AUTH_MODE=token, and it in RAY_AUTH_TOKEN or ~/.ray/auth_token"
# Ray's sockets lie in its folder, below a name of 40 characters, and a socket's path may have 107.
LONGEST_FOLDER = 36
SHORT_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")


@contextmanager
def connected(address: str | None) -> Iterator[None]:
    """Start Ray on this machine, or connect to ``address``: the nodes there get this very code.

    Raises:
        InputError: there is no cluster at the address; Ray does not start, or runs in this process already.
    """
    os.environ.update(QUIET)
    patches.keep_signals_from_ray()
    patches.listen_on_loopback(alone=address is None)
    patches.say_nothing_of_dead_workers()
    patches.say_nothing_of_failed_trials()
    patches.wait_for_workers()
    if ray.is_initialized():
        raise InputError("Ray runs in this process already: call ray.shutdown() first")
    folder = None if address else _own_folder()
    try:
        _start(address, folder)
        yield
    finally:
        ray.shutdown()
        if folder:
            shutil.rmtree(folder, ignore_errors=True)  # its processes may still write as they end


def _start(address: str | None, folder: str | None) -> None:
    try:
        ray.init(
            address=address or "local",
            num_cpus=None if address else cpu_count(),
            include_dashboard=None if address else False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            runtime_env={"py_modules": _packages()} if address else None,
            _temp_dir=folder,
        )
    except SystemExit:  # Ray's way with SIGTERM while it starts
        raise Interrupted(signal.SIGTERM) from None
    except Exception as error:
        line = " ".join(str(error).split()) or type(error).__name__
        what = f"no Ray cluster at {address}" if address else f"Ray does not start in {folder}"
        raise InputError(f"{what}: {line}{TOKEN if address else ''}") from error


def _packages() -> list[str]:
    """Return the folders of the code that trials need; as modules they cannot be joined with a job's own."""
    return [str(Path(str(package.__file__)).parent) for package in (lt_core, sweeps)]


def _own_folder() -> str:
    """Return a new folder for a Ray of our own, which only this user sees, and give it a token of its own:
    Ray would leave one in the home folder, which may not be there, and which other clusters would ask for."""
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    tried = dict.fromkeys((tempfile.gettempdir(), *SHORT_FOLDERS))
    for parent in tried:
        if Path(parent).is_dir() and os.access(parent, os.W_OK) and len(parent) < LONGEST_FOLDER - 14:
            return tempfile.mkdtemp(prefix="ray-", dir=parent)
    none = f"none of {', '.join(tried)} is one: set TMPDIR"
    raise InputError(f"Ray needs a folder with a short name that it may write to, and {none}")
