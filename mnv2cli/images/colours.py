"""Every colour mode becomes 8-bit RGB: deep and float grey, LAB, CMYK, palettes, transparency."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mnv2cli.errors import ImageError

if TYPE_CHECKING:
    from PIL import Image


def to_8_bit(image: Image.Image) -> Image.Image:
    """Convert an image to RGB or L, or to RGBA if it has alpha: the modes that resize correctly.

    Raises:
        ImageError: Its colours would be wrong.
    """
    mode = image.mode
    tags: Any = getattr(image, "tag_v2", {})
    if mode == "RGB" and tags.get(284) == 2 and 16 in tags.get(258, ()):
        raise ImageError("not supported", "TIFF with 16-bit colours in planes")
    if mode.startswith("I;16") or mode in ("I", "F"):
        return _scaled(image)
    if mode == "LAB":
        return _from_lab(image)
    if mode in ("LA", "La", "PA", "RGBa") or "transparency" in image.info:
        return image.convert("RGBA")
    if mode in ("L", "RGB", "RGBA"):
        return image
    return image.convert("L" if mode == "1" else "RGB")


def over_white(image: Image.Image) -> Image.Image:
    """Convert an RGB, L or RGBA image to RGB, composed over white where it is transparent."""
    if image.mode != "RGBA":
        return image.convert("RGB")
    from PIL import Image

    white = Image.new("RGB", image.size, (255, 255, 255))
    white.paste(image, mask=image.getchannel("A"))
    return white


def _scaled(image: Image.Image) -> Image.Image:
    """Scale 16-bit, 32-bit and float grey to 8 bits.

    In 16-bit files white is 65535. Other files do not define white. Their range is the smallest of
    [0, 1] (floats only), [0, 255] and [0, 65535] that contains all values except outliers, because
    floats overshoot; otherwise it extends from the lowest value to the highest.
    """
    import numpy as np
    from PIL import Image

    tags: Any = getattr(image, "tag_v2", {})
    pixels = np.asarray(image)
    if image.mode == "I" and tags.get(258) == (32,) and tags.get(339, (1,)) == (1,):
        pixels = pixels.view(np.uint32)  # Pillow has no unsigned 32-bit mode
    if image.mode.startswith("I;16"):
        grey = (np.minimum(pixels, 65535 - 128) + 128) // 257  # rounds, and stays within 16 bits
        key = image.info.get("transparency")
        if isinstance(key, int):
            grey = np.where(pixels == key, 255, grey)
    else:
        pixels = np.nan_to_num(pixels.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
        step = max(1, pixels.size // 1_000_000)
        low, high = np.percentile(pixels.ravel()[::step], (1, 99)).tolist()
        slack = 0.05
        whites = (1.0, 255.0, 65535.0) if image.mode == "F" else (255.0, 65535.0)
        for white in whites:
            if low >= -slack * white and high <= (1 + slack) * white:
                break
        else:
            pixels = pixels - low
            white = max(high - low, 1e-12)
        grey = np.rint(np.clip(pixels * (255.0 / white), 0, 255))
    if tags.get(262) == 0:  # WhiteIsZero, which Pillow inverts in 8-bit images only
        grey = 255 - grey
    return Image.fromarray(grey.astype(np.uint8))


def _from_lab(image: Image.Image) -> Image.Image:
    from PIL import ImageCms

    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.applyTransform(  # type: ignore[return-value]
        image, ImageCms.buildTransform(lab, srgb, "LAB", "RGB")
    )
