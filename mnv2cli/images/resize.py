"""Resize a decoded image to upright sRGB: to a square of the network's size, or to any size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnv2cli.images.colours import over_white, to_8_bit
from mnv2cli.images.exif import upright_turn
from mnv2cli.images.options import ImageOptions
from mnv2cli.images.profiles import conversion

if TYPE_CHECKING:
    from PIL import Image

    from mnv2cli.images.colour_table import Conversion

Box = tuple[float, float, float, float]
"""Left, top, right and bottom of a part of an image."""

GAP = 3.0
"""The network's input is visibly the same as of the whole image; Pillow advises 3.0."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A decoded image in a mode that resizes correctly; what else is due costs less afterwards.

    Attributes:
        image: RGB, L or RGBA; CMYK if it has a profile.
        to_srgb: Converts its colours; None if they stay as they are.
        turn: Turns it upright; None if it is.
    """

    image: Image.Image
    to_srgb: Conversion | None
    turn: Image.Transpose | None

    def resized(
        self,
        target: tuple[int, int],
        box: Box | None = None,
        resample: Image.Resampling | None = None,
        gap: float = GAP,
    ) -> Image.Image:
        """Return the image, or the part of it in a box, at another size: RGB in sRGB, not turned.

        Args:
            target: The new width and height.
            box: The part of the image; None for all of it.
            resample: The method; None for bilinear. All but nearest are antialiased.
            gap: The image is first reduced by averaging whole pixels, to at least this many times
                the target.
        """
        from PIL.Image import Resampling

        resample = Resampling.BILINEAR if resample is None else resample
        reduced = None if resample is Resampling.NEAREST else gap
        image = self.image.resize(target, resample, box, reducing_gap=reduced)
        return over_white(self.to_srgb(image) if self.to_srgb else image)

    def turned(self, image: Image.Image) -> Image.Image:
        """Return a result of :meth:`resized` upright."""
        return image if self.turn is None else image.transpose(self.turn)


def prepare(image: Image.Image, *, by_profile: bool = True) -> Prepared:
    """Prepare a decoded image for resizing.

    Args:
        image: As loaded from a file.
        by_profile: Convert its colours to sRGB, as its profile says.

    Raises:
        ImageError: Its colours would be wrong.
    """
    turn = upright_turn(image)
    to_srgb = conversion(image) if by_profile else None
    if not (to_srgb and image.mode == "CMYK"):
        image = to_8_bit(image)
    return Prepared(image, to_srgb, turn)


def is_tutorial(options: ImageOptions) -> bool:
    """Check for the options whose pixels are those of ``load_img``, which ignores profiles."""
    return options.fit == "stretch" and options.interpolation == "nearest"


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
    does.
    """
    return input_of(prepare(image, by_profile=not is_tutorial(options)), size, options)


def input_of(prepared: Prepared, size: int, options: ImageOptions) -> Image.Image:
    """Resize a prepared image to the network's input, as :func:`to_input` does.

    The box is symmetric, so the small result is turned instead of the image, at no cost.
    """
    from PIL import Image

    width, height = prepared.image.size
    square = (size, size)
    target = square
    box: Box = (0, 0, width, height)
    if options.fit == "crop":
        half = min(width, height) / options.crop_ratio / 2
        box = (width / 2 - half, height / 2 - half, width / 2 + half, height / 2 + half)
    elif options.fit == "pad":
        scale = size / max(width, height)
        target = (max(1, round(width * scale)), max(1, round(height * scale)))
    image = prepared.resized(target, box, Image.Resampling[options.interpolation.upper()])
    if target != square:
        padded = Image.new("RGB", square, (128, 128, 128))
        padded.paste(image, ((size - target[0]) // 2, (size - target[1]) // 2))
        image = padded
    return prepared.turned(image)
