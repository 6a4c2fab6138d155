"""EfficientNet-B0 for small images."""

from torch import nn

from lt_core.models.registry import MODELS
from lt_core.models.resnet import WithClassifier

SMALL = 64  # pixels; ImageNet's stem halves 224


@MODELS.register("efficientnet_b0")
def small_efficientnet_b0(num_classes: int, in_channels: int, image_size: int) -> nn.Module:
    """torchvision's EfficientNet-B0 (Tan and Le 2019) with a stem of stride 1 for images up to 64 pixels.

    Without dropout and stochastic depth: they would draw from the global stream.
    """
    from torchvision.models import efficientnet_b0

    body = efficientnet_b0(stochastic_depth_prob=0.0)
    stem = body.features[0][0]
    stride = 1 if image_size <= SMALL else 2
    if in_channels == 3:
        stem.stride = (stride, stride)
    else:
        body.features[0][0] = nn.Conv2d(in_channels, 32, 3, stride=stride, padding=1, bias=False)
    body.classifier = nn.Identity()
    return WithClassifier(body, nn.Linear(1280, num_classes))
