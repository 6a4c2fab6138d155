"""The small ConvNet: (3x3 conv, batch norm, max pool, ReLU) twice, then a linear layer.

ReLU after the pool is the same as before it, on a quarter of the values.
"""

from torch import Tensor, nn

from lt_core.models.registry import MODELS


class ConvNet(nn.Module):
    """Widths 32 and 64. Images [B, in_channels, S, S] with S >= 4 to logits [B, num_classes]."""

    def __init__(self, num_classes: int, in_channels: int, image_size: int):
        super().__init__()
        self.features = nn.Sequential(_block(in_channels, 32), _block(32, 64), nn.Flatten())
        self.classifier = nn.Linear(64 * (image_size // 4) ** 2, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.features(images))


def _block(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.MaxPool2d(2),
        nn.ReLU(inplace=True),
    )


@MODELS.register("convnet")
def convnet(num_classes: int, in_channels: int, image_size: int) -> nn.Module:
    """Build the ConvNet."""
    return ConvNet(num_classes, in_channels, image_size)
