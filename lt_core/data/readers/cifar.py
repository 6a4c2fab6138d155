"""CIFAR-10 and CIFAR-100 as torchvision has them."""

import pickle
import socket
from pathlib import Path
from urllib.error import URLError

import numpy as np

from lt_core.data.images import Progress, resize
from lt_core.data.sources import SOURCES, Decoded
from lt_core.errors import Unavailable

DOWNLOAD_TIMEOUT = 20  # seconds without a byte


@SOURCES.register("cifar10")
def cifar10(root: Path, image_size: int | None, progress: Progress | None = None) -> Decoded:
    """CIFAR-10: 500 validation images a class."""
    return _cifar("CIFAR10", "CIFAR-10", 500, root, image_size)


@SOURCES.register("cifar100")
def cifar100(root: Path, image_size: int | None, progress: Progress | None = None) -> Decoded:
    """CIFAR-100: 50 validation images a class."""
    return _cifar("CIFAR100", "CIFAR-100", 50, root, image_size)


def _cifar(kind: str, name: str, val_per_class: int, root: Path, image_size: int | None) -> Decoded:
    """torchvision's copy: from ``root`` when it is there and whole, else downloaded and checked."""
    from torchvision import datasets

    cls = getattr(datasets, kind)
    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(DOWNLOAD_TIMEOUT)  # torchvision sets none, and would wait for ever
    try:
        root.mkdir(parents=True, exist_ok=True)
        train, test = cls(root, train=True, download=True), cls(root, train=False)
    except (URLError, OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise Unavailable(
            f"{name} is not whole under {root} and cannot be fetched ({error}): put the archive there, "
            "or use --dataset parquet:DIR, folder:DIR or digits"
        ) from None
    finally:
        socket.setdefaulttimeout(timeout)
    return Decoded(
        name=name,
        train_images=resize(train.data, image_size),
        train_labels=np.asarray(train.targets, dtype=np.int64),
        test_images=resize(test.data, image_size),
        test_labels=np.asarray(test.targets, dtype=np.int64),
        class_names=train.classes,
        benchmark=name,
        val_per_class=val_per_class,
    )
