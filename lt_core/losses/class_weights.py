"""Weights by class from the class counts. Every weighting is scaled to sum to the number of classes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field

from lt_core.knobs import Knobs
from lt_core.registry import Registry


@dataclass(frozen=True)
class Weighting:
    """Class weights [C] from class counts [C] and beta; ``balances``: they favour rare classes."""

    weigh: Callable[[np.ndarray, float], np.ndarray]
    balances: bool = True


WEIGHTINGS: Registry[Weighting] = Registry(Weighting)
WeightingName = Annotated[str, AfterValidator(WEIGHTINGS.known)]


class WeightKnobs(Knobs):
    """Class weights, and when they act."""

    weighting: WeightingName = Field("none", description="class weights")
    beta: float = Field(0.9999, ge=0, lt=1, description="of the effective number of samples")
    reweight_after: float = Field(
        0.0, ge=0, lt=1, description="share of the epochs after which class weights act (DRW)"
    )


def class_weights(name: str, counts: np.ndarray, beta: float) -> np.ndarray:
    """Return float64 weights [C] for class counts [C] >= 1; they sum to C."""
    raw = WEIGHTINGS[name].weigh(np.asarray(counts, dtype=np.float64), beta)
    return raw * len(raw) / raw.sum()


@WEIGHTINGS.register("none", balances=False)
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
