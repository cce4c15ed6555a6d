"""Photoshop documents, PSD and PSB: the composite, in 8, 16 or 32 bits per channel.

Pillow's own reader knows 8 bits only, and takes saved selections for transparency. Its decoders of
raw and PackBits data read the channels here. Source: Adobe Photoshop File Formats Specification.
"""

from __future__ import annotations

import os
import struct
from array import array
from typing import IO, Any

from PIL import Image, ImageChops, ImageFile, ImagePalette

from mnv2cli.images.unsupported import unsupported

_SAVE_AS_RGB = "save it as 8 or 16-bit RGB"

_MAX_SIDE = {1: 30_000, 2: 300_000}
"""The largest width and height, by version: 1 is PSD, 2 is PSB."""

_BITMAP, _GREY, _INDEXED, _RGB, _CMYK, _MULTICHANNEL, _DUOTONE, _LAB = 0, 1, 2, 3, 4, 7, 8, 9

_NAMES = {
    _BITMAP: "bitmap",
    _GREY: "greyscale",
    _INDEXED: "indexed",
    _RGB: "RGB",
    _CMYK: "CMYK",
    _MULTICHANNEL: "multichannel",
    _DUOTONE: "duotone",
    _LAB: "Lab",
}

_MODES = {
    (_BITMAP, 1): ("1", ("1;I",)),
    (_GREY, 8): ("L", ("L",)),
    (_GREY, 16): ("L", ("L;16B",)),
    (_GREY, 32): ("F", ("F;32BF",)),
    (_DUOTONE, 8): ("L", ("L",)),
    (_DUOTONE, 16): ("L", ("L;16B",)),
    (_INDEXED, 8): ("P", ("P",)),
    (_RGB, 8): ("RGB", ("R", "G", "B")),
    (_RGB, 16): ("RGB", ("R;16B", "G;16B", "B;16B")),
    (_CMYK, 8): ("CMYK", ("C;I", "M;I", "Y;I", "K;I")),
    (_CMYK, 16): ("RGBA", ("R;16B", "G;16B", "B;16B", "A;16B")),
    (_LAB, 8): ("LAB", ("L", "A", "B")),
    (_LAB, 16): ("RGB", ("R;16B", "G;16B", "B;16B")),
}
"""Colour mode and depth: Pillow's mode that the channels are decoded in, and a raw mode for each.
Pillow decodes no planes of 16 bits in CMYK and LAB, so these are decoded in other modes."""

_WITH_ALPHA = {
    (_GREY, 8): ("RGB", ("R", "G")),
    (_GREY, 16): ("RGB", ("R;16B", "G;16B")),
    (_RGB, 8): ("RGBA", ("R", "G", "B", "A")),
    (_RGB, 16): ("RGBA", ("R;16B", "G;16B", "B;16B", "A;16B")),
}
"""The same where the composite is transparent."""

_ICC_PROFILE, _VERSION_INFO, _EXIF = 1039, 1057, 1058

_LAYERS = (b"Layr", b"Lr16", b"Lr32")
_LONG_BLOCKS = (
    b"LMsk", b"Lr16", b"Lr32", b"Layr", b"Mt16", b"Mt32", b"Mtrn", b"Alph", b"FMsk", b"lnk2",
    b"FEid", b"FXid", b"PxSD", b"cinf",
)  # fmt: skip
"""Blocks whose length has 8 bytes in a PSB."""

_MAX_BLOCKS = 1000


class PhotoshopImage(ImageFile.ImageFile):
    """The composite of a PSD or PSB."""

    format = "PSD"
    format_description = "Adobe Photoshop"

    def _open(self) -> None:
        assert self.fp is not None
        file = _Sections(self.fp)
        signature, version, channels, height, width, depth, mode = file.unpack(">4sH6xHIIHH")
        if signature != b"8BPS" or version not in _MAX_SIDE:
            raise SyntaxError(f"unknown version {version}")
        if max(width, height) > _MAX_SIDE[version]:
            raise SyntaxError(f"{width} x {height} pixels are too many for this format")
        self._kind = mode, depth
        if self._kind not in _MODES:
            name = _NAMES.get(mode, f"mode {mode}")
            raise unsupported(f"Photoshop image ({name}, {depth} bits)", _SAVE_AS_RGB)
        self._size = width, height
        colours = file.block(">I")
        if mode == _INDEXED:
            self.palette = ImagePalette.raw("RGB;L", colours)
        self._read_resources(file.block(">I"))
        self._mode, raw_modes = _MODES[self._kind]
        self._has_alpha = False
        if file.has_transparency(version == 2) and self._kind in _WITH_ALPHA:
            with_alpha = _WITH_ALPHA[self._kind]
            if channels >= len(with_alpha[1]):
                self._has_alpha = True
                self._mode, raw_modes = with_alpha
        if channels < len(raw_modes):
            raise SyntaxError(f"only {channels} channels")
        self.tile = file.tiles(self._size, depth, channels, version == 2, raw_modes)

    def _read_resources(self, data: bytes) -> None:
        """Read the image resources: profile, EXIF, and whether the composite is one."""
        place = 0
        while place + 12 <= len(data) and data[place : place + 2] == b"8B":
            (number,) = struct.unpack_from(">H", data, place + 4)
            place += 6 + (data[place + 6] + 2) // 2 * 2  # a name with its length, padded
            size = int.from_bytes(data[place : place + 4], "big")
            content = data[place + 4 : place + 4 + size]
            place += 4 + size + size % 2
            if number == _ICC_PROFILE:
                self.info["icc_profile"] = content
            elif number == _EXIF:
                self.info["exif"] = content
            elif number == _VERSION_INFO and content[4:5] == b"\0":
                raise unsupported(
                    "Photoshop image without a composite", "save it with Maximize Compatibility"
                )

    def load_end(self) -> None:
        """Give planes that were decoded in other modes their own."""
        if self._kind == (_CMYK, 16):  # stored inverted
            self._replace("CMYK", [ImageChops.invert(band) for band in self.split()])
        elif self._kind == (_LAB, 16):
            self._replace("LAB", list(self.split()))
        elif self._has_alpha and self._mode == "RGB":
            self._replace("LA", list(self.split()[:2]))

    def _replace(self, mode: str, bands: list[Image.Image]) -> None:
        self.im = Image.merge(mode, bands).im
        self._mode = mode


def open_image(file: IO[bytes]) -> Image.Image:
    """Read the header of a PSD or PSB.

    Raises:
        ImageError: It is of a kind that is not supported.
        Exception: Any, if the header is damaged.
    """
    return PhotoshopImage(file)


class _Sections:
    """The sections of a document, one after the other; no length in it is trusted."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._size = file.seek(0, os.SEEK_END) or file.tell()
        file.seek(0)

    def unpack(self, format: str) -> tuple[Any, ...]:
        """Read numbers."""
        return struct.unpack(format, self._read(struct.calcsize(format)))

    def block(self, length: str) -> bytes:
        """Read a block and the length before it."""
        return self._read(self.unpack(length)[0])

    def has_transparency(self, is_large: bool) -> bool:
        """Skip the layers; return whether the first channel after the colours is transparency.

        If so, the number of layers is negative. Documents of 16 bits have the layers in a block
        behind the place of those of 8 bits.
        """
        number = ">Q" if is_large else ">I"
        (length,) = self.unpack(number)
        end = self._file.tell() + length
        found = False
        if length:
            (layers,) = self.unpack(number)
            if layers >= 2:
                found = self.unpack(">h")[0] < 0
            elif length > 8:
                found = self._deep_layers(end, is_large)
        if end > self._size:
            raise OSError("image file is truncated")
        self._file.seek(end)
        return found

    def _deep_layers(self, end: int, is_large: bool) -> bool:
        """Search the blocks up to ``end`` for layers of 16 or 32 bits."""
        file = self._file
        (mask,) = self.unpack(">I")
        file.seek(mask, os.SEEK_CUR)
        for _ in range(_MAX_BLOCKS):
            if file.tell() + 14 > min(end, self._size):
                return False
            signature, key = self.unpack(">4s4s")
            if signature not in (b"8BIM", b"8B64"):
                return False
            (size,) = self.unpack(">Q" if is_large and key in _LONG_BLOCKS else ">I")
            if key in _LAYERS and size >= 2:
                return bool(self.unpack(">h")[0] < 0)
            if size > self._size:
                return False
            file.seek((size + 3) // 4 * 4, os.SEEK_CUR)
        return False

    def tiles(
        self,
        size: tuple[int, int],
        depth: int,
        channels: int,
        is_large: bool,
        raw_modes: tuple[str, ...],
    ) -> list[ImageFile._Tile]:
        """Return where each channel of the composite is, and how it is decoded.

        The lengths of all rows of all channels precede rows that are compressed.
        """
        width, height = size
        (compression,) = self.unpack(">H")
        row = (width * depth + 7) // 8
        if compression == 0:
            lengths, decoder = [row * height] * len(raw_modes), "raw"
        elif compression == 1:
            counts = array("I" if is_large else "H")
            table = self._read(channels * height * (4 if is_large else 2))
            counts.frombytes(table)
            counts.byteswap()
            lengths = [sum(counts[i * height : (i + 1) * height]) for i in range(len(raw_modes))]
            decoder = "packbits"
        else:
            raise unsupported("Photoshop image with a compressed composite", _SAVE_AS_RGB)
        place, found = self._file.tell(), []
        for length, raw_mode in zip(lengths, raw_modes, strict=True):
            found.append(ImageFile._Tile(decoder, (0, 0, width, height), place, raw_mode))
            place += length
        if place > self._size:  # Pillow would allocate all of it
            raise OSError("image file is truncated")
        return found

    def _read(self, size: int) -> bytes:
        """Read exactly ``size`` bytes; a file that has fewer is truncated."""
        if size > self._size - self._file.tell():
            raise OSError("image file is truncated")
        return self._file.read(size)
