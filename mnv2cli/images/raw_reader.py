"""Read raw photos with LibRaw: the largest embedded preview, else a quick demosaic.

LibRaw is a large C++ library that parses untrusted files, so it is called only in separate
processes (:mod:`mnv2cli.images.isolated`).
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache
from typing import IO, TYPE_CHECKING, Any, TypeVar

from mnv2cli.errors import ImageError
from mnv2cli.images.budget import DECODING, Hold
from mnv2cli.images.decode import load
from mnv2cli.images.directories import ORIENTATION
from mnv2cli.images.exif import exif_date
from mnv2cli.images.opening import open_regular
from mnv2cli.images.options import ImageOptions
from mnv2cli.images.renditions import Rendition
from mnv2cli.images.unreadable import NO_MEMORY, file_error, too_many_pixels
from mnv2cli.images.unsupported import RawPhotoError

if TYPE_CHECKING:
    from PIL import Image

T = TypeVar("T")

_ORIENTATIONS = {3: 3, 5: 8, 6: 6}
"""LibRaw's ``flip``, and EXIF's orientation; all others mean upright."""

_DEMOSAIC_BYTES = 11
"""Bytes per pixel of the sensor that a demosaic takes at most, as measured with linear DNG."""

_SIDEWAYS = (5, 6, 7, 8)
"""Orientations of EXIF that swap width and height."""


@cache
def is_available() -> bool:
    """Return whether the reader of raw photos is installed."""
    from importlib.util import find_spec

    return find_spec("rawpy") is not None


def decode_raw_as(
    path: str,
    rendition: Rendition[T],
    options: ImageOptions,
    found: RawPhotoError,
    hold: Hold = DECODING.hold,
) -> T:
    """Read a raw photo, as :func:`mnv2cli.images.decode.decode_as` does.

    The largest preview is read if it is large enough; its own orientation has priority over that
    of the raw photo. Otherwise the sensor data is demosaiced to half the size, with the white
    balance of the camera.

    Args:
        path: A regular file.
        rendition: What is made of the image.
        options: Limits; ``max_pixels`` limits what is decoded: the preview or the sensor data.
        found: The error that names the photo's format.
        hold: Reserves memory while it is decoded.

    Raises:
        ImageError: The file is unreadable; the reason is in plain words. It is ``found`` if the
            reader is not installed.
    """
    if not is_available():
        raise found

    try:
        with (
            open_regular(path) as file,
            _opened(file, path, found.kind) as raw,
            ExitStack() as held,
        ):

            def reserve(needed: int) -> None:
                held.close()  # a preview that has turned out to be unusable
                held.enter_context(hold(needed, options.timeout))

            image = _preview(raw, rendition, options, reserve) or _demosaiced(raw, options, reserve)
            return rendition.make(image)
    except OSError as error:
        raise file_error(path, error) from error


def date_of_preview(path: str, found: RawPhotoError) -> str:
    """Return when a raw photo was taken, as :func:`mnv2cli.images.exif.taken_at` does.

    LibRaw adds what it knows about the photo to the EXIF of previews without any. Without it, no
    date is known.

    Raises:
        ImageError: It cannot be read.
        OSError: It cannot be opened.
    """
    if not is_available():
        return ""
    from PIL import Image

    with open_regular(path) as file, _opened(file, path, found.kind) as raw:
        preview = _largest(raw)
    if not isinstance(preview, bytes):
        return ""
    try:
        with Image.open(io.BytesIO(preview), formats=("JPEG",)) as image:
            return exif_date(image.getexif())
    except Exception:  # EXIF is often malformed
        return ""


@contextmanager
def _opened(file: IO[bytes], path: str, kind: str) -> Iterator[Any]:
    """Open a raw photo with LibRaw; its errors, also in the block, become ImageErrors."""
    try:
        import rawpy
    except ImportError as error:  # installed, but not all of it
        raise ImageError(
            "not supported", f"{kind}; its reader cannot be imported, see mnv2 doctor ({error})"
        ) from error
    if sys.platform == "linux":  # the very file that is open, whatever bytes its name has
        path = f"/proc/self/fd/{file.fileno()}"
    try:
        with rawpy.RawPy() as raw:
            raw.open_file(path)
            yield raw
    except rawpy.LibRawError as error:
        raise _error(error, kind) from error


def _error(error: Exception, kind: str) -> ImageError:
    """Return the error for a raw photo that LibRaw cannot read."""
    import rawpy

    if isinstance(error, rawpy.LibRawIOError):
        return ImageError("truncated", "the file ends before the image does")
    if isinstance(error, (rawpy.LibRawUnsufficientMemoryError, rawpy.LibRawMemPoolOverflowError)):
        return ImageError(NO_MEMORY, "the image is too large to decode here")
    if isinstance(error, rawpy.LibRawDataError):
        return ImageError("damaged", f"{kind}, its sensor data is invalid")
    text = error.args[0] if error.args else ""
    text = text.decode("ascii", "replace") if isinstance(text, bytes) else str(text)
    return ImageError(
        "cannot be decoded", f"{kind}, damaged or of a kind not supported ({text.lower()})"
    )


def _largest(raw: Any) -> Any:
    """Return the largest preview: JPEG as bytes, a bitmap as array, None if there is none."""
    import rawpy

    try:
        return raw.extract_thumb().data
    except (rawpy.LibRawError, NotImplementedError):  # none, damaged, or of an unknown kind
        return None


def _preview(
    raw: Any, rendition: Rendition[Any], options: ImageOptions, reserve: Callable[[int], None]
) -> Image.Image | None:
    """Return the preview with its orientation in its EXIF; None if it is unusable or too small."""
    from PIL import Image

    sensor = raw.sizes
    preview = _largest(raw)
    if preview is None:
        return None
    image: Image.Image
    if isinstance(preview, bytes):
        try:
            whole = replace(options, allow_truncated=False)
            image = load(io.BytesIO(preview), rendition, whole, reserve)
        except ImageError:  # the sensor data may still be good
            return None
    else:
        if preview.shape[0] * preview.shape[1] > options.max_pixels:
            return None
        image = Image.fromarray(preview.squeeze())
    least = rendition.least_size(image.size)
    if image.width < least[0] or image.height < least[1]:
        return None
    exif = image.getexif()
    turn = exif.get(ORIENTATION) or _ORIENTATIONS.get(sensor.flip, 1)
    if turn in _SIDEWAYS and (image.width < image.height) != (sensor.width < sensor.height):
        turn = 1  # the camera has turned the preview already
    exif[ORIENTATION] = turn
    return image


def _demosaiced(raw: Any, options: ImageOptions, reserve: Callable[[int], None]) -> Image.Image:
    """Return the upright photo from the sensor data: half its size, 8 bits, no EXIF.

    Raises:
        ImageError: It has too many pixels.
        LibRawError: It cannot be decoded.
    """
    from PIL import Image

    pixels = raw.sizes.raw_width * raw.sizes.raw_height
    if pixels > options.max_pixels:
        raise too_many_pixels(pixels, options.max_pixels)
    reserve(_DEMOSAIC_BYTES * pixels)
    found = raw.postprocess(half_size=True, use_camera_wb=True, output_bps=8)
    return Image.fromarray(found.squeeze())
