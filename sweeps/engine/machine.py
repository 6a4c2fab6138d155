"""A machine that trials run on: what it lends, and what moves the numbers there. Knows no Ray."""

import platform
import socket
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

DECISIVE = ("torch", "torchvision", "numpy")  # packages whose version moves a trial's numbers


@dataclass(frozen=True)
class Machine:
    """Its address, and the cores and the GPUs that it lends."""

    address: str
    cpus: float
    gpus: float


def this_machine() -> Machine:
    """Return the machine that this process runs on."""
    import torch
    from joblib import cpu_count

    return Machine("this machine", cpu_count(), torch.cuda.device_count())


@cache
def versions() -> dict[str, str]:
    """Return the versions here of the packages that move a trial's numbers."""
    return {package: metadata.version(package) for package in DECISIVE}


def unfit(expected: dict[str, str]) -> str | None:
    """Say what makes this machine unfit for trials of a sweep with these versions; None: nothing."""
    for package, here in versions().items():
        if here != expected[package]:
            had = f"where the sweep was started it is {expected[package]}"
            return f"{socket.gethostname()} has {package} {here}, {had}: install the same"
    return None


@cache
def processor() -> str:
    """Return the model of this machine's processor: another one may round otherwise."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or platform.machine())
