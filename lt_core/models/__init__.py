"""Models by name. Each builder takes (num_classes, in_channels, image_size) and returns a module
whose last layer is ``model.classifier``, an ``nn.Linear``; the rest of it is ``model.features``."""

from collections.abc import Callable

from torch import nn

from lt_core.registry import Registry

Builder = Callable[[int, int, int], nn.Module]
MODELS: Registry[Builder] = Registry()

from lt_core.models import convnet, efficientnet, resnet  # noqa: E402, F401  (each enters its models above)
