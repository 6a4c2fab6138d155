"""What the machine gains from: device, precision and memory format where a config leaves them open."""

from typing import Any, Literal, TypeVar

import torch
from pydantic import Field

from lt_core.errors import InputError
from lt_core.knobs import Knobs


class HardwareKnobs(Knobs):
    """What a run computes with."""

    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: cuda where there is one")
    precision: Literal["auto", "fp32", "bf16"] = Field("auto", description="autocast of the forward pass")
    channels_last: bool | None = Field(None, description="memory format; None: where it gains")
    threads: int = Field(1, ge=1, description="torch threads of the run; keep to its share of the cores")


K = TypeVar("K", bound=HardwareKnobs)


def on_this_machine(config: K) -> K:
    """Return the config with device, precision and memory format decided."""
    return config.model_copy(update=resolve(config.device, config.precision, config.channels_last))


def resolve(device: str, precision: str, channels_last: bool | None) -> dict[str, Any]:
    """Return concrete values for the three knobs, so that results record what really ran.

    bf16 autocast gains 1.4x to 2x where the processor multiplies bf16 in hardware, and costs time where
    it does not; channels_last gains on processors and in bf16 on GPUs.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("device=cuda, but torch finds no GPU here: use device=cpu")
    if precision == "auto":
        precision = "bf16" if _multiplies_bf16(device) else "fp32"
    if channels_last is None:
        channels_last = device == "cpu" or precision == "bf16"
    return {"device": device, "precision": precision, "channels_last": channels_last}


def _multiplies_bf16(device: str) -> bool:
    if device == "cuda":
        return torch.cuda.get_device_capability()[0] >= 8
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
