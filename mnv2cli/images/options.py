"""Options for turning images into the network's input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from mnv2cli.errors import InputError

Fit = Literal["crop", "pad", "stretch"]
Interpolation = Literal["bilinear", "bicubic", "nearest", "lanczos"]

DEFAULT_MAX_PIXELS = 256_000_000
"""More than any camera's photo (200 megapixels); 0.8 GB as RGB."""

LONGEST_TIMEOUT = 86_400
"""Largest limit of seconds for one image: a day."""


@dataclass(frozen=True, slots=True)
class ImageOptions:
    """How an image becomes the network's input.

    Attributes:
        fit: ``crop``: shorter side to 256/224 of the size, then the centre; ``pad``: longer side
            to the size, grey around; ``stretch``: both sides to the size.
        interpolation: All but ``nearest`` are antialiased when shrinking.
        max_pixels: Larger images (width times height) are refused before they are decoded. From
            Python, twice Pillow's own ``PIL.Image.MAX_IMAGE_PIXELS`` is a limit as well.
        allow_truncated: Accept a JPEG, PNG, GIF, BMP or plain TIFF that ends early.
        isolate: Decode in separate processes, so that a crash loses one image, not the run.
        timeout: Seconds for decoding one image, after which it is an error; 0 for no limit.

    Raises:
        InputError: A value is not allowed.
    """

    fit: Fit = "crop"
    interpolation: Interpolation = "bilinear"
    max_pixels: int = DEFAULT_MAX_PIXELS
    allow_truncated: bool = False
    isolate: bool = False
    timeout: float = 60.0

    def __post_init__(self) -> None:
        if self.fit not in get_args(Fit):
            raise InputError(f"fit is {self.fit!r}, but must be one of {get_args(Fit)}")
        if self.interpolation not in get_args(Interpolation):
            raise InputError(
                f"interpolation is {self.interpolation!r}, but must be one of "
                f"{get_args(Interpolation)}"
            )
        if self.max_pixels < 1:
            raise InputError(f"max_pixels is {self.max_pixels}, but must be at least 1")
        if not 0 <= self.timeout <= LONGEST_TIMEOUT:
            raise InputError(
                f"timeout is {self.timeout}, but must be 0 to {LONGEST_TIMEOUT:,} seconds"
            )

    def pixels_key(self, size: int) -> str:
        """Return a text of all options that decide the pixels of an image.

        Its digest is part of the key of compiled int8 models and is stored in run logs. The text
        must never change, nor the name in it: calibrated models would be compiled again, and
        runs would not be resumable.

        Args:
            size: Side of the network's input in pixels.
        """
        return (
            f"DecodeOptions(size={size!r}, fit={self.fit!r}, "
            f"interpolation={self.interpolation!r}, max_pixels={self.max_pixels!r}, "
            f"allow_truncated={self.allow_truncated!r})"
        )
