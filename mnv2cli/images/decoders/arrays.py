"""Images that imagecodecs decodes, an optional library that returns arrays of any depth."""

from __future__ import annotations

from typing import Any

from PIL import Image

from mnv2cli.images.unsupported import unsupported


def require_imagecodecs(kind: str) -> None:
    """Check that imagecodecs is installed.

    Raises:
        ImageError: It is not; the detail begins with ``kind``.
    """
    try:
        import imagecodecs  # noqa: F401
    except ImportError as error:
        is_missing = isinstance(error, ModuleNotFoundError) and error.name == "imagecodecs"
        advice = (
            "install its decoder: pip install 'mnv2cli[jxl]'"
            if is_missing
            else f"its decoder cannot be imported, see mnv2 doctor ({error})"
        )
        raise unsupported(kind, advice) from error


def image_of(pixels: Any, white: int = 0) -> Image.Image:
    """Return an array as an image of mode L, LA, RGB or RGBA.

    Args:
        pixels: uint8, uint16 or float [height, width] or [height, width, channels]; white is 1.0
            in floats.
        white: The largest value of uint16.
    """
    import numpy as np

    if pixels.dtype == np.uint16:
        scale = (np.minimum(np.arange(65536), white) * 255 + white // 2) // white
        pixels = scale.astype(np.uint8)[pixels]
    elif pixels.dtype != np.uint8:
        values = np.nan_to_num(pixels.astype(np.float32), copy=False, nan=0.0)
        np.clip(values, 0, 1, out=values)
        values *= 255
        pixels = np.rint(values, out=values).astype(np.uint8)
    if pixels.ndim == 3 and pixels.shape[2] not in (2, 3, 4):
        pixels = pixels[:, :, 0] if pixels.shape[2] == 1 else pixels[:, :, :3]
    return Image.fromarray(np.ascontiguousarray(pixels))
