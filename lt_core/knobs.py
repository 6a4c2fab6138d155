"""What every group of knobs is made from. A group stands beside the code that it steers."""

from pydantic import BaseModel, ConfigDict, Field


class Knobs(BaseModel):
    """A group of knobs, frozen and validated; TrainConfig is all of them. Whatever draws needs the seed.

    A knob that may be None has None as its default, and one meaning for it: None is never one choice of many.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    seed: int = Field(0, ge=0, description="moves the subset, the initialisation and the batch order")


def refuse(wrong: bool, knob: str, why: str) -> None:
    """Raise ValueError, one line that names the knob, where something is wrong. For validators."""
    if wrong:
        raise ValueError(f"{knob}: {why}")
