"""The airbench family (Jordan 2024, arXiv:2404.00498, section 3): small networks that learn CIFAR-10 fast."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lt_core.models.registry import MODELS

EPSILON = 5e-4  # added to eigenvalues: what hardly varies is not blown up
PATCH = 2  # pixels: the side of what is whitened


class Airbench(nn.Module):
    """A 2x2 whitening convolution, three groups of (conv, pool, norm, GELU, conv, norm, GELU), the maximum
    over what is left, and a scaled linear layer. Images [B, in_channels, S, S] to logits [B, num_classes].
    """

    def __init__(self, widths: tuple[int, int, int], num_classes: int, in_channels: int, image_size: int):
        super().__init__()
        first = 2 * in_channels * PATCH**2  # each direction, and its opposite
        self.whiten = nn.Conv2d(in_channels, first, PATCH)
        self.whiten.weight.requires_grad_(False)
        groups, width, side = list[nn.Module](), first, image_size - PATCH + 1
        for wider in widths:
            groups.append(_group(width, wider, pool=side > 1))
            width, side = wider, max(1, side // 2)
        self.features = nn.Sequential(self.whiten, nn.GELU(), *groups)
        self.classifier = nn.Linear(width, num_classes, bias=False)
        nn.init.zeros_(self.whiten.bias)  # type: ignore[arg-type]

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.features(images).amax(dim=(2, 3))) / 9


def _group(in_width: int, width: int, pool: bool) -> nn.Sequential:
    layers = [_conv(in_width, width), nn.MaxPool2d(2)] if pool else [_conv(in_width, width)]
    layers += [_norm(width), nn.GELU(), _conv(width, width), _norm(width), nn.GELU()]
    return nn.Sequential(*layers)


def _conv(in_width: int, width: int) -> nn.Conv2d:
    """A 3x3 convolution whose first filters pass their channel on."""
    conv = nn.Conv2d(in_width, width, 3, padding=1, bias=False)
    nn.init.dirac_(conv.weight[:in_width])
    return conv


def _norm(width: int) -> nn.BatchNorm2d:
    """Batch norm without a factor, which the next layer has; it follows the batches fast."""
    norm = nn.BatchNorm2d(width, momentum=0.4, eps=1e-5)
    norm.weight.requires_grad_(False)
    return norm


@torch.no_grad()
def whiten(model: nn.Module, images: Tensor) -> None:
    """Let the first layer whiten patches: its filters are their covariance's eigenvectors over the roots of
    the eigenvalues, and the opposites. ``images``: float32 [N, channels, S, S]."""
    assert isinstance(model, Airbench)
    patches = F.unfold(images, PATCH).transpose(1, 2).flatten(0, 1).double()  # [patches, channels * 4]
    covariance = patches.T @ patches / len(patches)
    values, vectors = torch.linalg.eigh(covariance)
    filters = (vectors / (values + EPSILON).sqrt()).T.reshape(-1, *model.whiten.weight.shape[1:])
    model.whiten.weight.copy_(torch.cat([filters, -filters]))


@MODELS.register("airbench", start=whiten)
def airbench(num_classes: int, in_channels: int, image_size: int) -> nn.Module:
    """Widths 64, 256, 256: 2.0 million parameters."""
    return Airbench((64, 256, 256), num_classes, in_channels, image_size)


@MODELS.register("airbench_half", start=whiten)
def airbench_half(num_classes: int, in_channels: int, image_size: int) -> nn.Module:
    """Widths 32, 128, 128: 0.5 million parameters."""
    return Airbench((32, 128, 128), num_classes, in_channels, image_size)
