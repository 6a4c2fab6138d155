"""Last layers: other kinds than the linear one, and how one takes another's place."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lt_core.errors import InputError


def name_classifier(model: nn.Module, name: str) -> nn.Linear:
    """Say where a new model has its last layer, and return it.

    Raises:
        InputError: there is no linear layer of that name.
    """
    last = dict(model.named_modules()).get(name)
    if not isinstance(last, nn.Linear):
        kind = type(model).__name__
        raise InputError(f"{kind} has no linear layer {name!r}: register it with classifier=NAME of its last")
    model.classifier_name = name  # type: ignore[assignment]
    return last


def classifier_of(model: nn.Module) -> nn.Module:
    """Return the last layer of a model that `build` made."""
    return model.get_submodule(str(model.classifier_name))


def replace_classifier(model: nn.Module, new: nn.Module) -> None:
    """Put another last layer in its place."""
    model.set_submodule(str(model.classifier_name), new)


class CosineLinear(nn.Module):
    """scale * cos(w_k, x): features [B, D] to logits [B, C] (Cao et al. 2019, their code for LDAM)."""

    def __init__(self, in_features: int, out_features: int, scale: float):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_features, in_features))
        self.scale = scale
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.xavier_uniform_(self.weight)

    def forward(self, features: Tensor) -> Tensor:
        return self.scale * F.linear(F.normalize(features), F.normalize(self.weight))


class ScaledLinear(nn.Module):
    """A fixed classifier times a learned scale a class, from 1 (Kang et al. 2020, section 4.1, LWS)."""

    def __init__(self, fixed: nn.Module):
        super().__init__()
        self.fixed = fixed
        weight = fixed.get_parameter("weight")
        self.scale = nn.Parameter(torch.ones(len(weight), device=weight.device))

    def forward(self, features: Tensor) -> Tensor:
        return self.scale * self.fixed(features)


def tau_normalised(classifier: nn.Module, tau: float) -> nn.Linear:
    """Return a copy of a linear layer with w_k / |w_k|^tau and no bias (Kang et al. 2020, eq. 7)."""
    assert isinstance(classifier, nn.Linear)
    copy = nn.Linear(classifier.in_features, classifier.out_features, bias=False)
    weight = classifier.weight.detach()
    copy.weight = nn.Parameter(weight / weight.norm(dim=1, keepdim=True) ** tau)
    return copy
