"""Image files to arrays: decoding, resizing, stacking, with every complaint about bad files."""

from typing import Any

import numpy as np
from PIL import Image

from lt_core.errors import InputError

EIGHT_BIT_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV", "LAB")


def decode(file: Any, where: str, image_size: int | None) -> np.ndarray:
    """Decode an image file to uint8 [H, W, 3]; ``where``: what it is called in complaints."""
    try:
        with Image.open(file) as image:
            if image.mode not in EIGHT_BIT_MODES:
                raise InputError(f"{where}: image mode {image.mode}: convert it to 8 bits a channel")
            rgb = image.convert("RGB")
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:  # what Pillow raises
        raise InputError(f"{where}: not a readable image ({type(error).__name__})") from None
    if image_size:
        rgb = rgb.resize((image_size, image_size), Image.Resampling.BILINEAR)
    return np.asarray(rgb)


def stack(images: list[np.ndarray], where: str) -> np.ndarray:
    """Stack images of one square size to [N, S, S, 3]."""
    if not images:
        raise InputError(f"{where} holds no image")
    shapes = {image.shape for image in images}
    if len(shapes) > 1 or images[0].shape[0] != images[0].shape[1]:
        raise InputError(f"{where}: images are not all of one square size: give --set image_size=32")
    return np.stack(images)


def resize(images: np.ndarray, image_size: int | None) -> np.ndarray:
    """Resize uint8 [N, S, S] or [N, S, S, 3] to ``image_size`` pixels."""
    if image_size is None or image_size == images.shape[1]:
        return images
    square = (image_size, image_size)
    return np.stack(
        [np.asarray(Image.fromarray(i).resize(square, Image.Resampling.BILINEAR)) for i in images]
    )
