"""Samplers: from the labels of the training images to one epoch of them.

A sampler takes labels [N] int64, class counts [C] and a stream, and returns the indices of one epoch, in
order.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import AfterValidator, Field
from torch import Tensor

from lt_core.knobs import Knobs
from lt_core.registry import Registry


@dataclass(frozen=True)
class Sampler:
    """A sampler, and what others must know of it.

    Attributes:
        balances: rare classes are drawn as often as others, or more, so that class weights would balance a
            second time.
    """

    draw: Callable[[Tensor, Tensor, torch.Generator], Tensor]
    balances: bool = False

    def __call__(self, labels: Tensor, counts: Tensor, stream: torch.Generator) -> Tensor:
        return self.draw(labels, counts, stream)


SAMPLERS: Registry[Sampler] = Registry(Sampler)
SamplerName = Annotated[str, AfterValidator(SAMPLERS.known)]


class SamplerKnobs(Knobs):
    """Which images an epoch draws."""

    sampler: SamplerName = Field("instance", description="which images an epoch draws")


@SAMPLERS.register("instance")
def instance(labels: Tensor, counts: Tensor, stream: torch.Generator) -> Tensor:
    """Every image once."""
    return torch.randperm(len(labels), generator=stream)


@SAMPLERS.register("class_balanced", balances=True)
def class_balanced(labels: Tensor, counts: Tensor, stream: torch.Generator) -> Tensor:
    """With replacement, all classes as often: weight 1 / n_k an image (Kang et al. 2020, eq. 1, q = 0)."""
    return draw_balanced(labels, counts, len(labels), stream)


@SAMPLERS.register("square_root")
def square_root(labels: Tensor, counts: Tensor, stream: torch.Generator) -> Tensor:
    """With replacement, a class by sqrt(n_k): weight 1 / sqrt(n_k) an image (the same, q = 1/2)."""
    return torch.multinomial(counts.double().rsqrt()[labels], len(labels), replacement=True, generator=stream)


@SAMPLERS.register("under", balances=True)
def under(labels: Tensor, counts: Tensor, stream: torch.Generator) -> Tensor:
    """As many of each class as the smallest has, drawn anew each epoch, without replacement."""
    return _of_each_class(labels, int(counts.min()), len(counts), stream)


@SAMPLERS.register("over", balances=True)
def over(labels: Tensor, counts: Tensor, stream: torch.Generator) -> Tensor:
    """As many of each class as the largest has: every image as often as it goes, the rest drawn."""
    return _of_each_class(labels, int(counts.max()), len(counts), stream)


def draw_balanced(labels: Tensor, counts: Tensor, n: int, stream: torch.Generator) -> Tensor:
    """Draw ``n`` images with replacement, all classes as often."""
    return torch.multinomial((1 / counts.double())[labels], n, replacement=True, generator=stream)


def _of_each_class(labels: Tensor, n: int, num_classes: int, stream: torch.Generator) -> Tensor:
    drawn = []
    for k in range(num_classes):
        members = torch.nonzero(labels == k).flatten()
        rounds = [torch.randperm(len(members), generator=stream) for _ in range(-(-n // len(members)))]
        drawn.append(members[torch.cat(rounds)[:n]])
    everything = torch.cat(drawn)
    return everything[torch.randperm(len(everything), generator=stream)]
