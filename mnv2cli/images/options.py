"""Options for turning images into the network's input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from mnv2cli.errors import InputError
from mnv2cli.system.messages import one_of

Fit = Literal["crop", "pad", "stretch"]
Interpolation = Literal["bilinear", "bicubic", "nearest", "lanczos"]

DEFAULT_MAX_PIXELS = 256_000_000
"""More than any camera's photo (200 megapixels); 0.8 GB as RGB."""

CROP_RATIO = 256 / 224
"""Shorter side to input side before the centre crop: 256 to 224, as usual for ImageNet."""

LONGEST_TIMEOUT = 86_400
"""Largest limit of seconds for one image: a day."""


@dataclass(frozen=True, slots=True)
class ImageOptions:
    """How an image becomes the network's input.

    Attributes:
        fit: ``crop``: shorter side to ``crop_ratio`` of the size, then the centre; ``pad``: longer
            side to the size, grey around; ``stretch``: both sides to the size.
        interpolation: All but ``nearest`` are antialiased when shrinking.
        max_pixels: Larger images (width times height) are refused before they are decoded. From
            Python, twice Pillow's own ``PIL.Image.MAX_IMAGE_PIXELS`` is a limit as well.
        allow_truncated: Accept a JPEG, PNG, GIF, BMP or plain TIFF that ends early.
        isolate: Decode in separate processes, so a crash loses one image, not the run.
        timeout: Maximum seconds for decoding one image; 0 for no limit.
        crop_ratio: See ``fit``; at least 1, which is the largest square in the image.

    Raises:
        InputError: A value is invalid.
    """

    fit: Fit = "crop"
    interpolation: Interpolation = "bilinear"
    max_pixels: int = DEFAULT_MAX_PIXELS
    allow_truncated: bool = False
    isolate: bool = False
    timeout: float = 60.0
    crop_ratio: float = CROP_RATIO

    def __post_init__(self) -> None:
        if self.fit not in get_args(Fit):
            raise InputError(f"fit must be {one_of(get_args(Fit))}, not {self.fit!r}")
        if self.interpolation not in get_args(Interpolation):
            choices = one_of(get_args(Interpolation))
            raise InputError(f"interpolation must be {choices}, not {self.interpolation!r}")
        if self.max_pixels < 1:
            raise InputError(f"max_pixels must be at least 1, not {self.max_pixels}")
        if not 0 <= self.timeout <= LONGEST_TIMEOUT:
            raise InputError(
                f"timeout must be 0 to {LONGEST_TIMEOUT:,} seconds, not {self.timeout}"
            )
        if not self.crop_ratio >= 1:
            raise InputError(f"crop_ratio must be at least 1, not {self.crop_ratio}")

    def pixels_key(self, size: int) -> str:
        """Return a text with all options that determine the pixels of an image.

        Its digest is part of the key of compiled int8 models and is stored in run logs. Neither the
        text nor the name in it may change: calibrated models would be compiled again, and runs
        would not be resumable.

        Args:
            size: Side of the network's input in pixels.
        """
        more = "" if self.crop_ratio == CROP_RATIO else f", crop_ratio={self.crop_ratio!r}"
        return (
            f"DecodeOptions(size={size!r}, fit={self.fit!r}, "
            f"interpolation={self.interpolation!r}, max_pixels={self.max_pixels!r}, "
            f"allow_truncated={self.allow_truncated!r}{more})"
        )
