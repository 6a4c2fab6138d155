"""Opening --dataset, with a word on how far it is."""

from argparse import Namespace
from collections.abc import Callable
from typing import Any

from lt_core.config import TrainConfig
from lt_core.data import Dataset, load_dataset
from lt_core.errors import InputError, Unavailable
from sweeps.terminal.options import DEFAULT_DATA


def open_data(
    options: Namespace, settings: dict[str, Any], tell: Callable[[int, int], None]
) -> tuple[str, Dataset]:
    """Load --dataset; without it CIFAR-10 where it can be had, else digits, and say so.

    ``tell``: is told how many of how many images are decoded. Returns what was opened, as --dataset names it,
    and the data.
    """
    image_size = TrainConfig.parse({k: v for k, v in settings.items() if k == "image_size"}).image_size
    first, second = DEFAULT_DATA
    spec = options.dataset or first
    try:
        data = load_dataset(spec, options.data_dir, image_size, tell)
    except Unavailable as error:
        if options.dataset:
            if options.resume and ":" in spec:
                raise InputError(f"{error}; if it has moved, say where to with --dataset") from None
            raise
        print(f"{error}\nusing the bundled digits instead\n")
        spec = second
        data = load_dataset(spec, options.data_dir, image_size)
    return spec, data
