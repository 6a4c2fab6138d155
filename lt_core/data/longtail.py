"""Long-tailed class counts by the field's formulas, and the subsets that have them."""

import math
from collections.abc import Sequence
from typing import Literal, Self

import numpy as np
import torch
from pydantic import Field, model_validator

from lt_core.errors import InputError
from lt_core.knobs import Knobs, refuse
from lt_core.words import count


class LongTailKnobs(Knobs):
    """How many images of each class a run trains on."""

    profile: Literal["exponential", "linear", "step", "step_head_last", "counts", "none"] = Field(
        "exponential", description="class counts of the training set; step_head_last: scarce half first"
    )
    imbalance_ratio: float = Field(100.0, ge=1, description="largest class over smallest class")
    n_max: int | None = Field(None, ge=1, description="images of the largest class; None: all there are")
    counts: tuple[int, ...] | None = Field(None, description="images by class, for profile=counts")

    @model_validator(mode="after")
    def _counts_go_with_their_profile(self) -> Self:
        refuse((self.profile == "counts") != (self.counts is not None), "counts", "goes with profile=counts")
        return self


def class_counts(
    profile: str,
    available: np.ndarray,
    imbalance_ratio: float = 1.0,
    n_max: int | None = None,
    counts: tuple[int, ...] | None = None,
    names: Sequence[str] | None = None,
) -> np.ndarray:
    """Return the images to draw of each class, int64 [C].

    exponential     n_k = int(n_max * IR^(-k / (C-1)))          (Cui et al. 2019; Cao et al. 2019)
    linear          n_k = int(n_max * (1 - (1 - 1/IR) k / (C-1)))
    step            n_max for the first half of the classes, int(n_max / IR) for the second
    step_head_last  the other way round (with C odd, the middle class counts to the second half)
    counts          as given
    none            all that there are

    ``n_max`` defaults to the smallest of ``available`` [C], the images that exist of each class; ``names``:
    what the classes are called.

    Raises:
        InputError: where a class would have more images than exist, or none.
    """
    C = len(available)
    if profile == "counts":
        wanted = np.asarray(counts, dtype=np.int64)
        if len(wanted) != C:
            raise InputError(f"counts={list(wanted)} has {len(wanted)} entries, the data has {C} classes")
    elif profile == "none":
        wanted = np.asarray(available, dtype=np.int64)
    else:
        wanted = _thinned(profile, C, imbalance_ratio, int(min(available)) if n_max is None else n_max)
    where = f"profile={profile}, imbalance_ratio={imbalance_ratio:g}"
    for k, (n, there) in enumerate(zip(wanted, available, strict=True)):
        if n > there:
            lower = "counts" if profile == "counts" else "n_max"
            has = f"class {_called(k, names)} has {count(there, 'image')} to draw from"
            raise InputError(f"{has}, {where} asks for {n:,}: lower {lower}")
        if n < 1:
            remedy = _remedy(profile, available, imbalance_ratio, n_max)
            raise InputError(f"class {_called(k, names)} is left with no image ({where}): {remedy}")
    return wanted


def _called(k: int, names: Sequence[str] | None) -> str:
    return repr(names[k]) if names else str(k)


def _thinned(profile: str, C: int, imbalance_ratio: float, largest: int) -> np.ndarray:
    # The field truncates; the small term keeps 4499.9999... at the 4500 that it stands for.
    fractions = _fractions(profile, C, imbalance_ratio)
    return np.array([int(largest * fraction + 1e-9) for fraction in fractions], dtype=np.int64)


def _fractions(profile: str, C: int, imbalance_ratio: float) -> np.ndarray:
    position = np.arange(C) / max(C - 1, 1)
    if profile == "exponential":
        return (1 / imbalance_ratio) ** position
    if profile == "linear":
        return 1 - (1 - 1 / imbalance_ratio) * position
    head = np.arange(C) < C // 2
    return np.where(head == (profile == "step"), 1.0, 1 / imbalance_ratio)


def _remedy(profile: str, available: np.ndarray, imbalance_ratio: float, n_max: int | None) -> str:
    """Say what gives every class an image; a larger n_max only where there are as many images."""
    if profile == "none":
        return "add some"
    if profile == "counts":
        return "counts must be 1 or more"
    remedy = f"imbalance_ratio can be {int(min(available)) if n_max is None else n_max} at most"
    enough = math.ceil(imbalance_ratio)  # of which the smallest class keeps one
    if (_thinned(profile, len(available), imbalance_ratio, enough) <= available).all():
        remedy += f", or n_max {enough} at least"
    return remedy


def validation_sizes(counts: np.ndarray, per_class: int | None) -> np.ndarray:
    """Return how many images of each class to hold out for validation, int64 [C], from their counts [C].

    ``per_class``, or None: a fifth of each class, at least 5 and at most 500, never more than half.
    """
    if per_class is not None:
        return np.full(len(counts), per_class)
    return np.minimum(np.clip(counts // 5, 5, 500), counts // 2)


def hold_out(
    labels: np.ndarray, sizes: np.ndarray, stream: torch.Generator, names: Sequence[str] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Split indices into (held out, rest), both sorted: ``sizes[k]`` images of class k are held out.

    A class keeps at least one image in the rest, or InputError is raised.
    """
    held = []
    for k, (members, n) in enumerate(zip(_members(labels, len(sizes)), sizes, strict=True)):
        if n >= len(members):
            has = f"class {_called(k, names)} has {count(len(members), 'image')}"
            raise InputError(f"{has}, holding out {n} leaves none: add some")
        held.append(_choose(members, int(n), stream))
    taken = np.sort(np.concatenate(held))
    return taken, np.setdiff1d(np.arange(len(labels)), taken)


def draw(labels: np.ndarray, pool: np.ndarray, counts: np.ndarray, stream: torch.Generator) -> np.ndarray:
    """Return sorted indices: ``counts[k]`` of class k, drawn from ``pool`` without replacement."""
    members = _members(labels[pool], len(counts))
    chosen = [pool[_choose(m, int(n), stream)] for m, n in zip(members, counts, strict=True)]
    return np.sort(np.concatenate(chosen))


def _members(labels: np.ndarray, num_classes: int) -> list[np.ndarray]:
    return [np.flatnonzero(labels == k) for k in range(num_classes)]


def _choose(members: np.ndarray, n: int, stream: torch.Generator) -> np.ndarray:
    return members[torch.randperm(len(members), generator=stream).numpy()[:n]]
