"""Weights from elsewhere: torchvision's for ImageNet, a file of the same layout, or what a run has kept."""

import os
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lt_core.errors import InputError

IMAGENET = {"efficientnet_b0": "EfficientNet_B0_Weights.IMAGENET1K_V1"}  # torchvision's names of weights


def load(model: nn.Module, name: str, source: str) -> None:
    """Load ``source`` into a model in place.

    Args: name of the model; source: "imagenet" (from torchvision's cache, else downloaded) or a file that
        holds a state dict as torchvision saves it: they go into the features, the classifier stays new; or a
        file that a run with keep_weights has left: the whole network starts from it.

    Raises:
        InputError: neither reachable nor fitting; the line says what to do.
    """
    found = _imagenet(name) if source == "imagenet" else _file(Path(os.path.expanduser(source)))
    kept = found.keys() == {"model", "weights"}
    if kept and found["model"] != name:
        raise InputError(f"pretrained={source} was kept by a run with model={found['model']}, not {name}")
    try:
        if kept:
            model.load_state_dict(found["weights"])
        else:
            last = (
                "classifier.",
                "fc.",
                f"{model.classifier_name}.",
            )  # torchvision's names, and the model's own
            own = {key: value for key, value in found.items() if not key.startswith(last)}
            model.get_submodule("features").load_state_dict(own)
    except (RuntimeError, AttributeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"pretrained={source} does not fit model={name} on this data: {reason}") from None


def _imagenet(name: str) -> dict[str, Any]:
    if name not in IMAGENET:
        known = ", ".join(IMAGENET)
        raise InputError(f"pretrained=imagenet: there are weights for {known}, not for {name}; give a file")
    from torchvision.models import get_weight

    weights = get_weight(IMAGENET[name])
    file = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
    if file.exists():
        return _file(file)
    try:
        return dict(weights.get_state_dict(progress=False, check_hash=True))
    except (OSError, RuntimeError) as error:  # urllib's errors among the first, a wrong hash is the second
        raise InputError(
            f"pretrained=imagenet: the weights are not at {file} and cannot be fetched ({error}): "
            "put the file there, or give its path, --set pretrained=FILE"
        ) from None


def _file(path: Path) -> dict[str, Any]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise InputError(f"pretrained={path}: no such file; imagenet fetches torchvision's weights") from None
    except Exception as error:  # torch raises many kinds for what is no file of its own
        raise InputError(
            f"pretrained={path} is no file of weights that torch can read ({type(error).__name__})"
        ) from None
    weights = state.get("weights", state) if isinstance(state, dict) else None
    if not isinstance(weights, dict) or not all(
        isinstance(value, torch.Tensor) for value in weights.values()
    ):
        raise InputError(f"pretrained={path}: holds no state dict as torchvision saves it")
    return state
