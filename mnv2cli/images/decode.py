"""Decode a file to the network's input or a thumbnail, or raise why it is unreadable."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Any, TypeVar

from mnv2cli.errors import ImageError
from mnv2cli.images.budget import COEFFICIENT_BYTES, DECODING, SMALL, Hold, memory_for
from mnv2cli.images.formats import JPEG, ImageFormat, identify
from mnv2cli.images.opening import open_regular
from mnv2cli.images.options import ImageOptions
from mnv2cli.images.renditions import NetworkInput, Rendition
from mnv2cli.images.signatures import HEAD_BYTES, in_scans
from mnv2cli.images.unreadable import decoder_error, file_error, format_error, too_many_pixels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

T = TypeVar("T")


def decode(
    path: str, size: int, options: ImageOptions, hold: Hold = DECODING.hold
) -> NDArray[np.uint8]:
    """Read an image file as the network's input.

    EXIF orientation is applied, transparency is composed over white, every colour mode becomes
    8-bit sRGB, and the first frame of an animation is used. With ``fit="stretch"`` and
    ``interpolation="nearest"`` colour profiles are ignored and the pixels are those of
    ``keras.utils.load_img(path, target_size=(size, size))``, which also ignores orientation and
    drops transparency.

    Args:
        path: A regular file; anything else is refused without being opened.
        size: Side of the square result in pixels.
        options: Fit, interpolation and limits; ``isolate`` and ``timeout`` are up to the caller.
        hold: Reserves memory for a large image while it is decoded.

    Returns:
        uint8 [size, size, 3], RGB.

    Raises:
        RawPhotoError: It is a raw photo, which :mod:`mnv2cli.images.raw_reader` reads.
        ImageError: The file is unreadable; the reason is in plain words.
    """
    return decode_as(path, NetworkInput(size, options), options, hold)


def decode_as(
    path: str, rendition: Rendition[T], options: ImageOptions, hold: Hold = DECODING.hold
) -> T:
    """Read an image file, and return what is made of it; as :func:`decode` otherwise.

    Raises:
        ImageError: The file is unreadable; the reason is in plain words.
    """
    try:
        with open_regular(path) as file:
            return decode_file(file, rendition, options, path, hold)
    except OSError as error:
        raise file_error(path, error) from error


def decode_file(
    file: IO[bytes],
    rendition: Rendition[T],
    options: ImageOptions,
    path: str = "",
    hold: Hold = DECODING.hold,
) -> T:
    """Read an open file, as :func:`decode_as` does.

    Args:
        file: Readable and seekable; it stays open.
        rendition: What is made of the image.
        options: Limits; ``isolate`` and ``timeout`` are up to the caller.
        path: Its name if it is on this machine, for errors; else empty.
        hold: Reserves memory for a large image while it is decoded.

    Raises:
        ImageError: The file is unreadable; the reason is in plain words.
    """
    try:
        with ExitStack() as held:
            image = load(
                file,
                rendition,
                options,
                lambda needed: held.enter_context(hold(needed, options.timeout)),
            )
            return rendition.make(image)
    except ImageError:
        raise
    except OSError as error:
        raise file_error(path, error) from error
    except Exception as error:  # decoders raise any exception on damaged files
        raise decoder_error(error) from error


def set_process_limit(max_pixels: int) -> None:
    """Set Pillow's own limits to match, in a process that runs nothing else.

    Pillow's pixel limit is global and checked inside some decoders, where it would refuse images
    that ``max_pixels`` allows. A command may change it; a library must not.
    """
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = (max_pixels + 1) // 2  # Pillow refuses at twice this

    from PIL import PngImagePlugin

    # Editors store megabytes of history in PNGs; their pixels are still good.
    PngImagePlugin.MAX_TEXT_CHUNK = 64 << 20


def load(
    file: IO[bytes],
    rendition: Rendition[Any],
    options: ImageOptions,
    reserve: Callable[[int], None],
) -> Image:
    """Open, check and load an image; JPEGs at the smallest scale that is still large enough.

    Args:
        file: Readable and seekable; it stays open.
        rendition: What will be made of the image.
        options: Limits.
        reserve: Called with the bytes needed, once the header is read.

    Raises:
        ImageError: The file is unreadable; a raw photo raises RawPhotoError.
    """
    head = file.read(HEAD_BYTES)
    if not head:
        raise ImageError("empty file", "zero bytes")
    image_format = identify(head)
    image_format.load_decoder()
    if image_format.check:
        image_format.check(file)
    points = image_format.code_points(file) if image_format.code_points else None
    source: IO[bytes] = file
    file.seek(0)
    if image_format is JPEG and options.allow_truncated:
        # Without the end marker, a JPEG decoder withholds the last rows, and all rows of a
        # progressive image.
        source = io.BytesIO(file.read() + b"\xff\xd9")
    from PIL.Image import DecompressionBombError

    try:
        image = image_format.open(source)
    except ImageError:
        raise
    except DecompressionBombError as error:
        numbers = [int(number) for number in re.findall("[0-9]+", str(error))]
        raise too_many_pixels(*numbers[:2]) from error
    except Exception as error:
        raise format_error(image_format, file, error) from error
    if points:
        image.info["code_points"] = points
    width, height = image.size
    if width * height > options.max_pixels:
        raise too_many_pixels(width * height, options.max_pixels)
    if image_format is JPEG and width * height * COEFFICIENT_BYTES > SMALL and in_scans(file):
        image.info["progressive"] = 1  # takes as much memory
    if not rendition.picks_pixels:
        # Decoders without scales (all but JPEG and JPEG 2000) ignore this.
        image.draft(None, rendition.least_size(image.size))
    reserve(memory_for(image, image_format, width * height))
    try:
        image.load()
    except Exception as error:
        # A local variable for the error would form a cycle with this frame and keep the image
        # in memory until the next garbage collection.
        is_allowed = options.allow_truncated and image_format.is_partial
        if not (is_allowed and _is_usable(image, image_format, file, error)):
            raise format_error(image_format, file, error) from error
        image.tile = []  # type: ignore[attr-defined]  # use the pixels decoded so far
    return image


def _is_usable(image: Image, image_format: ImageFormat, file: IO[bytes], error: Exception) -> bool:
    """Check whether an image that could not be loaded is truncated, with some pixels decoded."""
    found = format_error(image_format, file, error)
    return found.reason == "truncated" and getattr(image, "_im", None) is not None
