"""Errors for unreadable images, in plain words shared by images with the same problem."""

from __future__ import annotations

import os
import re
import struct
from typing import IO

from mnv2cli.errors import ImageError
from mnv2cli.images.formats import ImageFormat
from mnv2cli.system.messages import reason

NO_MEMORY = "not enough memory"
"""The reason that earlier images in the same process may have caused."""

_NO_MEMORY = "out of memory|memory allocation error"

_UNSUPPORTED = (
    "unsupported|not supported|not implemented|not installed|cannot handle|samples per pixel than"
    "|unimplemented"
    "|unknown (pixel mode|pcx mode|compression|data organi[sz]ation|filter category|image mode)"
    "|unknown pixel format"
)

_UNCLEAR = (
    "^decoder error|^cannot load this image|could not create decoder|decoder plugin generated"
    "|failed to decode image|security limit"
)
"""Messages that decoders use for damaged images and for unsupported kinds alike."""

_TRUNCATED = "truncated|end of file|unexpected eof|not enough|incomplete|need_more_input"

_HEADER_ERRORS = (EOFError, IndexError, KeyError, TypeError, struct.error)
"""Exceptions that Pillow's decoders raise on a damaged header without a useful message."""


def file_error(path: str, error: OSError) -> ImageError:
    """Return the error for a file that cannot be opened or read.

    Args:
        path: The file; empty if it is not on this machine.
        error: The error of the operating system.
    """
    if error.errno is None:  # Pillow's decoders raise bare OSError
        return decoder_error(error)
    if isinstance(error, FileNotFoundError):
        if os.path.islink(path):
            return ImageError("broken link", "its target does not exist")
        return ImageError("no such file")
    if isinstance(error, PermissionError):
        return ImageError("permission denied")
    return ImageError("cannot be read", reason(error))


def decoder_error(error: Exception, name: str = "") -> ImageError:
    """Return the error for an image that a decoder refused.

    Args:
        error: What the decoder raised.
        name: The format, to begin the detail with; empty if unknown.
    """
    text = re.sub("<[^>]*>", "", " ".join(str(error).split())).strip()[:200]
    if isinstance(error, MemoryError) or (
        re.search(_NO_MEMORY, text, re.IGNORECASE) and "Security limit" not in text
    ):
        return ImageError(NO_MEMORY, "the image is too large to decode here")
    if re.search(_TRUNCATED, text, re.IGNORECASE):
        return ImageError("truncated", "the file ends before the image does")
    cause = error.__cause__
    if text == "not identified by this driver" or (
        isinstance(cause, _HEADER_ERRORS) and str(cause) == str(error)
    ):
        text = "its header cannot be read"
    if text[1:2].islower():
        text = text[0].lower() + text[1:]
    kind = "damaged"
    if re.search(_UNCLEAR, text, re.IGNORECASE):
        kind, text = "cannot be decoded", f"damaged or of a kind not supported ({text})"
    elif re.search(_UNSUPPORTED, text, re.IGNORECASE):
        kind = "not supported"
    text = text or type(error).__name__
    return ImageError(kind, f"{name}, {text}" if name else text)


def format_error(image_format: ImageFormat, file: IO[bytes], error: Exception) -> ImageError:
    """Return the error for a file that begins as its format does, but cannot be decoded."""
    found = decoder_error(error, image_format.name)
    if found.reason == NO_MEMORY:
        return found
    size = file.seek(0, os.SEEK_END) or file.tell()  # temporary files of Python 3.10 give None
    length = image_format.length(file) if image_format.length else 0
    if length > size:
        return ImageError("truncated", f"{size:,} of {length:,} bytes")
    return found


def took_too_long(limit: float) -> ImageError:
    """Return the error for an image over the limit of seconds."""
    return ImageError("took too long", f"over {limit:g} second" + "s" * (limit != 1))


def too_many_pixels(pixels: int, limit: int) -> ImageError:
    """Return the error for an image that is larger than the limit."""
    return ImageError("too many pixels", f"{pixels:,} is over {limit:,}")
