"""Read the width and the height of an image from its header."""

from __future__ import annotations

from mnv2cli.images.exif import upright_turn
from mnv2cli.images.formats import identify
from mnv2cli.images.opening import open_regular
from mnv2cli.images.signatures import HEAD_BYTES


def dimensions(path: str) -> tuple[int, int]:
    """Return the width and the height of an upright image in pixels, without decoding it.

    Returns:
        (0, 0) if they are unknown: a raw photo, or an image that cannot be read.
    """
    try:
        with open_regular(path) as file:
            image_format = identify(file.read(HEAD_BYTES))
            if image_format.check:
                image_format.check(file)
            image_format.load_decoder()
            file.seek(0)
            with image_format.open(file) as image:
                width, height = image.size
                turn = upright_turn(image)
    except Exception:  # decoders raise any exception on damaged files
        return 0, 0
    from PIL.Image import Transpose

    kept = (Transpose.FLIP_LEFT_RIGHT, Transpose.FLIP_TOP_BOTTOM, Transpose.ROTATE_180)
    return (width, height) if turn is None or turn in kept else (height, width)
