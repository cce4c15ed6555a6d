"""Why an image is unreadable, in plain words that images with the same trouble share."""

from __future__ import annotations

import os
import re
from typing import IO

from mnv2cli.errors import ImageError
from mnv2cli.images.formats import ImageFormat
from mnv2cli.system.messages import reason


def file_error(path: str, error: OSError) -> ImageError:
    """Return the error for a file that cannot be opened or read.

    Args:
        path: The file; empty if it has no name on this machine.
        error: What the system says.
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


def decoder_error(error: Exception) -> ImageError:
    """Return the error for an image that a decoder refused: it is truncated or damaged."""
    text = str(error)
    if re.search("truncated|end of file|unexpected eof|not enough", text, re.IGNORECASE):
        return ImageError("truncated", "the file ends before the image does")
    text = re.sub("<[^>]*>", "", " ".join(text.split())).strip() or type(error).__name__
    return ImageError("damaged", text[:200])


def broken(image_format: ImageFormat, file: IO[bytes], error: Exception) -> ImageError:
    """Return the error for a file that has the first bytes of a format, but cannot be decoded."""
    if isinstance(error, ImageError):
        return error
    size = file.seek(0, os.SEEK_END) or file.tell()  # temporary files of Python 3.10 give None
    length = image_format.length(file) if image_format.length else 0
    if length > size:
        return ImageError("truncated", f"{size:,} of {length:,} bytes")
    found = decoder_error(error)
    if found.reason == "damaged":
        text = found.detail
        if re.search("cannot identify image", text):
            text = "its header cannot be read, or is of a kind not supported"
        return ImageError("damaged", f"{image_format.name}, {text}")
    return found


def too_many_pixels(pixels: int, limit: int) -> ImageError:
    """Return the error for an image that is larger than the limit."""
    return ImageError("too many pixels", f"{pixels:,} is over {limit:,}")
