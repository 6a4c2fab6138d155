"""Random streams derived by name, so that adding one random draw shifts no other."""

import hashlib

import torch


def derive(seed: int, *names: str | int) -> int:
    """Return a 31-bit seed that depends on ``seed`` and on every name, and on nothing else."""
    text = "/".join(str(part) for part in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


def generator(seed: int, *names: str | int) -> torch.Generator:
    """Return a CPU generator for the named stream (CPU, so that devices draw the same numbers)."""
    return torch.Generator().manual_seed(derive(seed, *names))
