"""Convert the colours of photos to sRGB, which the networks were trained on.

Images say what their colours mean with an ICC profile or with code points. The conversion follows
resizing, so its cost does not depend on the size of the image. Source: ICC.1:2022.
"""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mnv2cli.images.code_points import (
    ADOBE_RGB,
    code_points,
    conversion_by_code_points,
    is_adobe_rgb,
)
from mnv2cli.images.colour_table import SAME, Conversion, changes_colours, conversion_by

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

MAX_PROFILE_BYTES = 4 << 20
"""Larger profiles are ignored; those of printing presses have up to 3 MB."""

CACHED_PROFILES = 16
"""Profiles whose conversions are kept, with a megabyte or two each."""

_SPACES = {"RGB": b"RGB ", "L": b"GRAY", "CMYK": b"CMYK"}
_GREY_MODES = ("1", "L", "LA", "La")
_OTHER_MODES = ("LAB", "I", "F")


def conversion(image: Image.Image) -> Conversion | None:
    """Return what converts the colours of an image to sRGB; None if they stay as they are.

    Damaged, unsuitable and very large profiles are ignored.

    Args:
        image: As opened from a file. Only CMYK must be converted in its own mode, all others as
            :func:`~mnv2cli.images.colours.to_8_bit` returns them.
    """
    mode = image.mode
    if mode in _OTHER_MODES:
        return None
    mode = (
        "L" if mode in _GREY_MODES or mode.startswith("I;16") else "CMYK" if mode == "CMYK"
        else "RGB"
    )  # fmt: skip
    if mode == "RGB" and (points := code_points(image)):
        return conversion_by_code_points(points)
    profile: Any = image.info.get("icc_profile")
    if profile:
        if not isinstance(profile, bytes) or not 128 < len(profile) <= MAX_PROFILE_BYTES:
            return None
        return _by_profile(profile, mode)
    if mode == "RGB" and is_adobe_rgb(image):
        return conversion_by_code_points(ADOBE_RGB)
    return None


@lru_cache(CACHED_PROFILES)
def _by_profile(profile: bytes, mode: str) -> Conversion | None:
    # Multi-process elements may number thousands, and evaluating them would take minutes.
    if profile[16:20] != _SPACES[mode] or b"mpet" in profile:
        return None
    from PIL import Image, ImageCms

    try:
        transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.NOCACHE,  # shared by threads
        )
    except MemoryError:
        raise  # another attempt may succeed
    except Exception:  # profiles may be damaged in any way; the pixels are still good
        return None

    def formula(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.asarray(transform.apply(Image.fromarray(colours)))

    import numpy as np

    ends = Image.frombytes(mode, (2, 1), bytes(len(mode)) + b"\xff" * len(mode))
    dark, light = np.asarray(transform.apply(ends).convert("L")).ravel().tolist()
    if mode == "CMYK":
        dark, light = light, dark
    if dark > 127 or light < 128:  # damaged: black is not dark, or white not light
        return None
    if mode == "CMYK":
        return transform.apply
    if mode == "L":
        return _grey(formula(np.arange(256, dtype=np.uint8)[None])[0, :, 1])
    return conversion_by(formula) if changes_colours(formula) else None


def _grey(curve: NDArray[np.uint8]) -> Conversion | None:
    """Return the conversion by a curve of 256 levels; None if it changes nothing visibly."""
    levels = curve.tolist()
    if all(abs(level - i) <= SAME for i, level in enumerate(levels)):
        return None
    alpha = list(range(256))

    def convert(image: Image.Image) -> Image.Image:
        return image.point(levels if image.mode == "L" else levels * 3 + alpha)

    return convert
