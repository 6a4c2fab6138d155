"""Weights by class from the class counts. Every weighting is scaled to sum to the number of classes."""

from collections.abc import Callable

import numpy as np

from lt_core.registry import Registry

Weighting = Callable[..., np.ndarray]
WEIGHTINGS: Registry[Weighting] = Registry()


def class_weights(name: str, counts: np.ndarray, beta: float) -> np.ndarray:
    """Return float64 weights [C] for class counts [C] >= 1; they sum to C."""
    raw = WEIGHTINGS[name](np.asarray(counts, dtype=np.float64), beta)
    return raw * len(raw) / raw.sum()


@WEIGHTINGS.register("none")
def uniform(counts: np.ndarray, beta: float) -> np.ndarray:
    """w_k = 1."""
    return np.ones_like(counts)


@WEIGHTINGS.register("inverse")
def inverse(counts: np.ndarray, beta: float) -> np.ndarray:
    """w_k = 1 / n_k."""
    return 1 / counts


@WEIGHTINGS.register("inverse_sqrt")
def inverse_sqrt(counts: np.ndarray, beta: float) -> np.ndarray:
    """w_k = 1 / sqrt(n_k)."""
    return 1 / np.sqrt(counts)


@WEIGHTINGS.register("effective_number")
def effective_number(counts: np.ndarray, beta: float) -> np.ndarray:
    """w_k = (1 - beta) / (1 - beta^n_k): Cui et al. 2019, "Class-Balanced Loss", eq. 6.

    beta = 0 weights every class alike; beta -> 1 tends to the inverse class frequency.
    """
    return (1 - beta) / (1 - np.power(beta, counts))
