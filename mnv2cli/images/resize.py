"""Make a square of the network's size from a decoded image: crop, pad or stretch, upright."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mnv2cli.images.colours import over_white, to_8_bit
from mnv2cli.images.exif import upright_turn
from mnv2cli.images.options import ImageOptions
from mnv2cli.images.profiles import conversion

if TYPE_CHECKING:
    from PIL import Image


def least_size(image_size: tuple[int, int], size: int, options: ImageOptions) -> tuple[int, int]:
    """Return the smallest image size that still has all the pixels that the fit requires."""
    width, height = image_size
    if options.fit == "stretch":
        return size, size
    if options.fit == "pad":
        scale = size / max(width, height)
    else:
        scale = size * options.crop_ratio / min(width, height)
    return max(1, int(width * scale)), max(1, int(height * scale))


def to_input(image: Image.Image, size: int, options: ImageOptions) -> Image.Image:
    """Resize to the network's input: sRGB, upright, ``size`` pixels wide and high.

    With ``fit="stretch"`` and ``interpolation="nearest"`` profiles are ignored, as ``load_img``
    does. The box is symmetric, so the small result is turned instead of the image, at no cost.
    """
    from PIL import Image

    turn = upright_turn(image)
    is_tutorial = options.fit == "stretch" and options.interpolation == "nearest"
    to_srgb = None if is_tutorial else conversion(image)  # load_img ignores profiles
    if not (to_srgb and image.mode == "CMYK"):
        image = to_8_bit(image)
    width, height = image.size
    square = (size, size)
    target = square
    box: tuple[float, float, float, float] = (0, 0, width, height)
    if options.fit == "crop":
        half = min(width, height) / options.crop_ratio / 2
        box = (width / 2 - half, height / 2 - half, width / 2 + half, height / 2 + half)
    elif options.fit == "pad":
        scale = size / max(width, height)
        target = (max(1, round(width * scale)), max(1, round(height * scale)))
    resample = Image.Resampling[options.interpolation.upper()]
    gap = None if options.interpolation == "nearest" else 3.0
    image = image.resize(target, resample, box, reducing_gap=gap)
    image = over_white(to_srgb(image) if to_srgb else image)
    if target != square:
        padded = Image.new("RGB", square, (128, 128, 128))
        padded.paste(image, ((size - target[0]) // 2, (size - target[1]) // 2))
        image = padded
    return image if turn is None else image.transpose(turn)
