"""JPEG XL, decoded by libjxl as part of imagecodecs, which is optional.

The size is read here, because libjxl allocates memory before imagecodecs returns anything. Source:
ISO/IEC 18181-1, annex D (image header), and 18181-2 (boxes).
"""

from __future__ import annotations

from itertools import islice
from typing import IO, Any

from PIL import Image, ImageFile

from mnv2cli.images.budget import BYTES_PER_PIXEL
from mnv2cli.images.decoders.arrays import image_of, require_imagecodecs
from mnv2cli.images.directories import ORIENTATION
from mnv2cli.images.signatures import boxes
from mnv2cli.images.unsupported import unsupported

_RATIOS = ((1, 1), (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
"""Width to height, by number from 1."""

_FLOAT_BYTES = 56
"""Bytes per pixel that decoding floats takes at most, as measured."""

_MAX_EXTRA_CHANNELS = 4  # such as alpha, depth and black
_MAX_BOXES = 1000
_HEADER_BYTES = 64

_SIDES = ((1, 9), (1, 13), (1, 18), (1, 30))
"""Encodings of a side: what is added to a number, and its bits."""


class JpegXlImage(ImageFile.ImageFile):
    """The first frame of a JPEG XL image. The decoder turns it upright itself."""

    format = "JXL"
    format_description = "JPEG XL"

    def _open(self) -> None:
        assert self.fp is not None
        header, exif = _find(self.fp)
        self._size, is_float = _checked_header(_Bits(header))
        self._mode = "RGB"  # until it is decoded
        if is_float:
            self.info[BYTES_PER_PIXEL] = _FLOAT_BYTES
        if exif:
            self.info["exif"] = exif
        self.tile = []

    def load(self) -> Any:
        """Decode the pixels: mode L, LA, RGB, RGBA or F."""
        if self._im is None:
            from imagecodecs import jpegxl_decode

            assert self.fp is not None
            self.fp.seek(0)
            pixels = jpegxl_decode(self.fp.read(), index=0, numthreads=1)
            width, height = self.size
            if pixels.ndim == 3 and pixels.shape[1:] == (height, width):
                pixels = pixels[0]  # grey, in planes because of extra channels
            if pixels.shape[:2] != (height, width):
                raise SyntaxError("two different sizes")
            image = image_of(pixels, 65535 if pixels.dtype == "uint16" else 0)
            self.im, self._mode = image.im, image.mode
        return super().load()

    def getexif(self) -> Image.Exif:
        """Return the EXIF without the orientation, which the decoder has applied already."""
        exif = super().getexif()
        if ORIENTATION in exif:
            del exif[ORIENTATION]
        return exif


def open_image(file: IO[bytes]) -> Image.Image:
    """Read the header of a JPEG XL image.

    Raises:
        ImageError: Its decoder is not installed, or it is of a kind that is not supported.
        Exception: Any, if the header is damaged.
    """
    require_imagecodecs("JPEG XL image")
    return JpegXlImage(file)


def _find(file: IO[bytes]) -> tuple[bytes, bytes]:
    """Return the beginning of the codestream, and the EXIF, which may be empty."""
    file.seek(0)
    head = file.read(_HEADER_BYTES)
    if head.startswith(b"\xff\x0a"):
        return head, b""
    header, exif = b"", b""
    for box in islice(boxes(file), _MAX_BOXES):
        if box.kind in (b"jxlc", b"jxlp") and not header:
            file.seek(box.start + 4 * (box.kind == b"jxlp"))  # a number precedes a part
            header = file.read(_HEADER_BYTES)
        elif box.kind == b"Exif" and 4 < box.end - box.start < 1 << 20:
            file.seek(box.start + 4)  # after the offset of the TIFF header
            exif = file.read(box.end - box.start - 4)
    if not header.startswith(b"\xff\x0a"):
        raise SyntaxError("no codestream")
    return header, exif


class _Bits:
    """Numbers of a codestream's header, lowest bits first."""

    def __init__(self, header: bytes) -> None:
        self._bits = int.from_bytes(header[2:], "little")
        self._left = 8 * (len(header) - 2)

    def take(self, count: int) -> int:
        """Return the next bits as a number."""
        if count > self._left:
            raise OSError("image file is truncated")
        found = self._bits & ((1 << count) - 1)
        self._bits >>= count
        self._left -= count
        return found

    def choose(self, *choices: tuple[int, int]) -> int:
        """Return a number encoded in one of four ways: a base, and the bits added to it."""
        base, count = choices[self.take(2)]
        return base + self.take(count)

    def size(self) -> tuple[int, int]:
        """Return a width and a height."""
        small = self.take(1)
        height = 8 * (1 + self.take(5)) if small else self.choose(*_SIDES)
        ratio = self.take(3)
        if ratio:
            wide, high = _RATIOS[ratio]
            return height * wide // high, height
        return 8 * (1 + self.take(5)) if small else self.choose(*_SIDES), height

    def skip_preview(self) -> None:
        """Skip the size of a preview."""
        eighths = self.take(1)
        sides = (
            ((16, 0), (32, 0), (1, 5), (33, 9))
            if eighths
            else ((1, 6), (65, 8), (321, 10), (1345, 12))
        )
        self.choose(*sides)
        if not self.take(3):
            self.choose(*sides)

    def skip_animation(self) -> None:
        """Skip the times of an animation."""
        self.choose((100, 0), (1000, 0), (1, 10), (1, 30))
        self.choose((1, 0), (1001, 0), (1, 8), (1, 10))
        self.choose((0, 0), (0, 3), (0, 16), (0, 32))
        self.take(1)


def _checked_header(bits: _Bits) -> tuple[tuple[int, int], bool]:
    """Return width and height, and whether values are floats, if the channels are not too many."""
    size = bits.size()
    if bits.take(1):  # everything else is the default
        return size, False
    if bits.take(1):
        orientation = bits.take(3) + 1
        if bits.take(1):
            bits.size()
        if bits.take(1):
            bits.skip_preview()
        if bits.take(1):
            bits.skip_animation()
        if orientation > 4:  # turned by a quarter
            size = size[1], size[0]
    is_float = bits.take(1)
    bits.choose(*(((32, 0), (16, 0), (24, 0)) if is_float else ((8, 0), (10, 0), (12, 0))), (1, 6))
    if is_float:
        bits.take(4)
    bits.take(1)
    extra = bits.choose((0, 0), (1, 0), (2, 4), (1, 12))
    if extra > _MAX_EXTRA_CHANNELS:
        raise unsupported(f"JPEG XL image with {extra} extra channels")
    return size, bool(is_float)
