"""The loop that a user would write: DataLoader with workers, torchvision's transforms, float32, all cores."""

import time

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from lt_core.models import MODELS

WORKERS = 2
NORMALISE = [transforms.ToTensor(), transforms.Normalize((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616))]
TRAIN = transforms.Compose(
    [transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip(), *NORMALISE]
)
TEST = transforms.Compose(NORMALISE)


class Images(Dataset):
    """uint8 images [N, 32, 32, 3] and labels [N] through a transform, one by one."""

    def __init__(self, images: Tensor, labels: Tensor, transform: transforms.Compose):
        self.images, self.labels, self.transform = images, labels, transform

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.images[i].numpy())), int(self.labels[i])


def seconds_per_image(
    model_name: str, batch_size: int, train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor]
) -> tuple[float, float]:
    """Time one epoch over ``train`` and one evaluation on ``test``; return seconds an image of each."""
    model = MODELS[model_name](10, 3, 32)
    optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9, weight_decay=5e-4)
    loader = DataLoader(Images(*train, TRAIN), batch_size, shuffle=True, num_workers=WORKERS, drop_last=True)
    times = []
    model.train()
    for step, (images, labels) in enumerate(loader):
        if step == 1:  # the workers have started
            started = time.perf_counter()
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()
    times.append((time.perf_counter() - started) / (step * batch_size))
    times.append(_evaluation(model, DataLoader(Images(*test, TEST), batch_size, num_workers=WORKERS)))
    return times[0], times[1]


@torch.no_grad()
def _evaluation(model: nn.Module, loader: DataLoader) -> float:
    model.eval()
    correct = seen = 0
    for step, (images, labels) in enumerate(loader):
        if step == 1:
            started = time.perf_counter()
        correct += int((model(images).argmax(dim=1) == labels).sum())
        seen += len(labels) if step else 0
    return (time.perf_counter() - started) / seen
