"""Image files to arrays: decoding, resizing, stacking, with every complaint about bad files."""

import os
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from lt_core.errors import InputError
from lt_core.words import count

EIGHT_BIT_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV", "LAB")
BACKGROUND = (255, 255, 255)  # white, behind what is transparent
MOST_NAMED = 4  # sizes, modes
Progress = Callable[[int, int], None]  # is told how many of how many images are decoded


class Decoder:
    """Decodes image files to uint8 [H, W, 3] and keeps count of what it had to do to them."""

    def __init__(self, image_size: int | None, total: int, progress: Progress | None = None):
        """``image_size``: the side to resize to, in pixels; None: images stay as they are."""
        check_memory(total, image_size or 1)
        self.image_size, self.total, self.progress = image_size, total, progress
        self.sizes: Counter[tuple[int, int]] = Counter()
        self.modes: Counter[str] = Counter()
        self.done_to: Counter[str] = Counter()
        self.decoded = 0

    def decode(self, file: Any, where: str) -> np.ndarray:
        """Decode a file or a path; ``where``: what it is called in complaints."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of what is decided here
            try:
                with Image.open(file) as image:
                    rgb = self._rgb(image, where)
            except InputError:
                raise
            except Image.DecompressionBombError:
                most = f"more than the {2 * (Image.MAX_IMAGE_PIXELS or 0):,} pixels that are read"
                raise InputError(f"{where}: has {most}: shrink it") from None
            except Exception as error:  # whatever a decoder makes of bytes from outside
                raise InputError(f"{where}: not a readable image ({type(error).__name__})") from None
        self.decoded += 1
        if self.progress:
            self.progress(self.decoded, self.total)
        return np.asarray(rgb)

    def _rgb(self, image: Image.Image, where: str) -> Image.Image:
        if image.mode not in EIGHT_BIT_MODES:
            raise InputError(f"{where}: image mode {image.mode}: convert it to 8 bits a channel")
        self.modes[image.mode] += 1
        if getattr(image, "n_frames", 1) > 1:
            self.done_to["several frames, of which the first is read"] += 1
        upright = ImageOps.exif_transpose(image)
        if image.getexif().get(0x0112, 1) != 1:
            self.done_to["turned as their EXIF orientation says"] += 1
        self.sizes[upright.size] += 1
        rgb = self._opaque(upright)
        if self.image_size:
            if upright.width != upright.height:
                self.done_to["not square, and stretched"] += 1
            rgb = rgb.resize((self.image_size, self.image_size), Image.Resampling.BILINEAR)
        return rgb

    def _opaque(self, image: Image.Image) -> Image.Image:
        """Lay what is transparent on the background."""
        if not image.has_transparency_data:
            return image.convert("RGB")
        layered = image.convert("RGBA")
        if layered.getchannel("A").getextrema()[0] == 255:
            return layered.convert("RGB")
        self.done_to["transparent in parts, laid on white"] += 1
        flat = Image.new("RGBA", layered.size, (*BACKGROUND, 255))
        return Image.alpha_composite(flat, layered).convert("RGB")

    def notes(self) -> list[str]:
        """Return what a person must know of the images, a line each."""
        if not self.decoded:
            return []
        resized = f", read as {self.image_size}x{self.image_size}" if self.image_size else ""
        sizes = {f"{width}x{height}": n for (width, height), n in sorted(self.sizes.items())}
        lines = [f"image sizes {_shown(sizes)}{resized}; modes {_shown(dict(self.modes))}"]
        return [*lines, *(f"{what}: {count(n, 'image')}" for what, n in sorted(self.done_to.items()))]


def _shown(counts: dict[str, int]) -> str:
    """Return names with their numbers; of many, the most frequent and how many more there are."""
    if len(counts) == 1:
        return next(iter(counts))
    most = sorted(counts.items(), key=lambda item: -item[1])[:MOST_NAMED]
    more = f" and {len(counts) - MOST_NAMED} others" if len(counts) > MOST_NAMED else ""
    return ", ".join(f"{name} ({n:,})" for name, n in most) + more


def check_memory(images: int, image_size: int) -> None:
    """Refuse what does not fit into the memory of this machine, which holds every image twice for a while."""
    needed = 2 * images * image_size**2 * 3
    there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if needed > there:
        what = f"{count(images, 'image')} of {image_size}x{image_size} pixels take {needed / 1e9:,.0f} GB"
        raise InputError(f"{what}, this machine has {there / 1e9:,.0f} GB: give a smaller image_size")


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
    check_memory(len(images), image_size)
    square = (image_size, image_size)
    return np.stack(
        [np.asarray(Image.fromarray(i).resize(square, Image.Resampling.BILINEAR)) for i in images]
    )
