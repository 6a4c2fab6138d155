"""The models' registry, and the knobs that choose a network."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from torch import Tensor, nn

from lt_core.knobs import Knobs
from lt_core.registry import Registry


@dataclass(frozen=True)
class Model:
    """A builder, and where its networks have their last layer.

    Attributes:
        build: takes (num_classes, in_channels, image_size) and returns a module.
        classifier: the name in it of the last layer, an ``nn.Linear``.
        start: sets, in place, what starts from the training images, float32 [N, channels, S, S], normalised.
    """

    build: Callable[[int, int, int], nn.Module]
    classifier: str = "classifier"
    start: Callable[[nn.Module, Tensor], None] | None = None

    def __call__(self, num_classes: int, in_channels: int, image_size: int) -> nn.Module:
        return self.build(num_classes, in_channels, image_size)


MODELS: Registry[Model] = Registry(Model)


class ModelKnobs(Knobs):
    """The network, what it starts from, and its last layer."""

    model: Annotated[str, AfterValidator(MODELS.known)] = Field("convnet", description="the network")
    pretrained: str | None = Field(
        None, description="imagenet, a file of torchvision's weights, or one that a run has kept; None: drawn"
    )
    classifier: Literal["linear", "cosine"] = Field("linear", description="cosine: scale * cos(w_k, x)")
    cosine_scale: float = Field(30.0, gt=0, description="scale of the cosine classifier")
