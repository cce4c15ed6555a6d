"""Make a thumbnail of a decoded image: a small WebP of the whole image, upright, in sRGB."""

from __future__ import annotations

import io

from mnv2cli.images.resize import Prepared

SIDE = 160
"""The longer side in pixels; smaller images are not enlarged."""

QUALITY = 50
"""Of WebP, 0 to 100: 2.7 KB for a photo."""

METHOD = 1
"""Of WebP, 0 to 6: as fast as 0, and smaller; 2 takes a quarter longer and saves a sixth, 4 takes
two and a half times as long and saves a fifth."""

GAP = 1.1
"""An image is reduced by averaging whole pixels to this many times the thumbnail, then resized; at
this size nobody sees the difference, and it takes half the time."""

MAX_BYTES = 1 << 17
"""More than a thumbnail can have: it has fewer bytes than pixels in RGB."""


def thumbnail_size(image_size: tuple[int, int]) -> tuple[int, int]:
    """Return the width and the height of the thumbnail of an image."""
    width, height = image_size
    scale = min(1.0, SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def least_size(image_size: tuple[int, int]) -> tuple[int, int]:
    """Return the smallest image size that still has all the pixels that a thumbnail requires.

    It is larger than the image if that has too few.
    """
    width, height = image_size
    scale = SIDE / max(width, height)
    return max(1, int(width * scale)), max(1, int(height * scale))


def thumbnail(prepared: Prepared) -> bytes:
    """Return the thumbnail of a prepared image: a WebP without metadata.

    The longer side has :data:`SIDE` pixels, or those of the image if it has fewer.
    """
    small = prepared.turned(prepared.resized(thumbnail_size(prepared.image.size), gap=GAP))
    file = io.BytesIO()
    small.save(file, "WEBP", quality=QUALITY, method=METHOD, exif=b"", icc_profile=b"", xmp=b"")
    return file.getvalue()


def is_thumbnail(data: bytes) -> bool:
    """Check for a WebP of the size of a thumbnail."""
    return len(data) <= MAX_BYTES and data.startswith(b"RIFF") and data[8:12] == b"WEBP"
