"""Residual networks for small images."""

import torch.nn.functional as F
from torch import Tensor, nn

from lt_core.models.registry import MODELS


class CifarResNet(nn.Module):
    """He et al. 2016, section 4.2: three stages of widths 16, 32, 64, 6n + 2 layers, identity shortcuts
    (option A: strided, zero-padded channels). Images [B, in_channels, S, S] to logits [B, num_classes].
    """

    def __init__(self, blocks_per_stage: int, num_classes: int, in_channels: int):
        super().__init__()
        layers: list[nn.Module] = [
            nn.Conv2d(in_channels, 16, 3, padding=1, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(inplace=True),
        ]
        width = 16
        for stage_width in (16, 32, 64):
            for _ in range(blocks_per_stage):
                layers.append(_Block(width, stage_width))
                width = stage_width
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(64, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.features(images).mean(dim=(2, 3)))


class _Block(nn.Module):
    def __init__(self, in_width: int, width: int):
        super().__init__()
        self.widen = width - in_width
        self.stride = 2 if self.widen else 1
        self.conv1 = nn.Conv2d(in_width, width, 3, stride=self.stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        residual = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)), inplace=True)))
        if self.widen:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.widen // 2, self.widen // 2))
        return F.relu(residual + x, inplace=True)


@MODELS.register("resnet32")
def resnet32(num_classes: int, in_channels: int, image_size: int) -> nn.Module:
    """Build the 32-layer network: five blocks a stage."""
    return CifarResNet(5, num_classes, in_channels)


@MODELS.register("resnet18")
def cifar_resnet18(num_classes: int, in_channels: int, image_size: int) -> nn.Module:
    """torchvision's ResNet-18 with a CIFAR stem: a 3x3 convolution of stride 1 and no max pool."""
    from torchvision.models import resnet18  # a second and more, which most runs need not wait

    body = resnet18()
    body.conv1 = nn.Conv2d(in_channels, 64, 3, padding=1, bias=False)
    body.maxpool = nn.Identity()
    body.fc = nn.Identity()
    return WithClassifier(body, nn.Linear(512, num_classes))


class WithClassifier(nn.Module):
    """A body whose own last layer is gone, and a classifier."""

    def __init__(self, features: nn.Module, classifier: nn.Linear):
        super().__init__()
        self.features = features
        self.classifier = classifier

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.features(images))
