"""From a file to the pixels that the network sees, or the reason why not."""

from __future__ import annotations

import io
import re
from typing import IO, TYPE_CHECKING

from mnv2cli.errors import ImageError
from mnv2cli.images.formats import JPEG, ImageFormat, identify
from mnv2cli.images.opening import open_regular
from mnv2cli.images.options import ImageOptions
from mnv2cli.images.resize import least_size, to_input
from mnv2cli.images.signatures import HEAD_BYTES
from mnv2cli.images.unreadable import decoder_error, file_error, format_error, too_many_pixels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.ImageFile import ImageFile


def decode(path: str, size: int, options: ImageOptions) -> NDArray[np.uint8]:
    """Read an image file as the network's input.

    EXIF orientation is applied, transparency is composed over white, every colour mode becomes
    8-bit RGB, and of an animation the first frame is taken. With ``fit="stretch"`` and
    ``interpolation="nearest"`` the pixels are those of ``keras.utils.load_img(path,
    target_size=(size, size))``, which knows no orientation and drops transparency.

    Args:
        path: A regular file; anything else is refused without opening it.
        size: Side of the square result in pixels.
        options: Fit, interpolation and limits; ``isolate`` and ``timeout`` are the caller's.

    Returns:
        uint8 [size, size, 3], RGB.

    Raises:
        ImageError: Whatever keeps this file from being an image, in plain words.
    """
    try:
        with open_regular(path) as file:
            return decode_file(file, size, options, path)
    except OSError as error:
        raise file_error(path, error) from error


def decode_file(
    file: IO[bytes], size: int, options: ImageOptions, path: str = ""
) -> NDArray[np.uint8]:
    """Read an open file as the network's input, as :func:`decode` does.

    Args:
        file: Any that can be read and sought in; it stays open.
        size: Side of the square result in pixels.
        options: Fit, interpolation and limits; ``isolate`` and ``timeout`` are the caller's.
        path: Its name if it is on this machine, to say why it cannot be read.

    Returns:
        uint8 [size, size, 3], RGB.

    Raises:
        ImageError: Whatever keeps this file from being an image, in plain words.
    """
    import numpy as np

    try:
        image = _load(file, size, options)
        return np.asarray(to_input(image, size, options))
    except ImageError:
        raise
    except OSError as error:
        raise file_error(path, error) from error
    except Exception as error:  # decoders raise anything at all on damaged files
        raise decoder_error(error) from error


def set_process_limit(max_pixels: int) -> None:
    """Set Pillow's own guard to the same limit, for a process that is all ours.

    Pillow's guard is global and sits inside some decoders, where it would refuse images that
    ``max_pixels`` allows. A library must not change it; a command may.
    """
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = (max_pixels + 1) // 2  # Pillow refuses at twice this

    from PIL import PngImagePlugin

    # Editors put megabytes of history into PNGs: no reason to lose the pixels.
    PngImagePlugin.MAX_TEXT_CHUNK = 64 << 20


def _load(file: IO[bytes], size: int, options: ImageOptions) -> ImageFile:
    """Open, check and load an image; a JPEG at the smallest scale that is large enough."""
    head = file.read(HEAD_BYTES)
    if not head:
        raise ImageError("empty file", "zero bytes")
    image_format = identify(head)
    image_format.load_decoder()
    if image_format.check:
        image_format.check(file)
    source: IO[bytes] = file
    file.seek(0)
    if image_format is JPEG and options.allow_truncated:
        # A JPEG decoder gives out the last rows, and a progressive one anything at all, only
        # when it meets the end marker.
        source = io.BytesIO(file.read() + b"\xff\xd9")
    from PIL.Image import DecompressionBombError

    try:
        image = image_format.open(source)
    except DecompressionBombError as error:
        numbers = [int(number) for number in re.findall("[0-9]+", str(error))]
        raise too_many_pixels(*numbers[:2]) from error
    except Exception as error:
        raise format_error(image_format, file, error) from error
    width, height = image.size
    if width * height > options.max_pixels:
        raise too_many_pixels(width * height, options.max_pixels)
    if image_format is JPEG and options.interpolation != "nearest":
        # Nearest picks single pixels of the full image, so there nothing may be averaged before.
        image.draft(None, least_size(image.size, size, options))
    try:
        image.load()
    except Exception as error:
        # No variable may hold what is raised: in a cycle with this frame it would keep the image.
        if not (options.allow_truncated and _is_usable(image, image_format, file, error)):
            raise format_error(image_format, file, error) from error
        image.tile = []  # nothing more to decode: what is there is the image
    return image


def _is_usable(
    image: ImageFile, image_format: ImageFormat, file: IO[bytes], error: Exception
) -> bool:
    """Check whether an image that could not be loaded is truncated, with some pixels decoded."""
    found = format_error(image_format, file, error)
    return found.reason == "truncated" and getattr(image, "_im", None) is not None
