"""JPEG 2000, as JP2 file or codestream: Pillow's decoder, behind limits on what it allocates.

OpenJPEG allocates structures for each tile, precinct, code-block and layer that a header names,
before it reads any pixel: a file of 200 bytes can ask for gigabytes. Large images are decoded at
the smallest resolution in the file that is still large enough. Source: ISO/IEC 15444-1, annex A
(codestream) and annex I (boxes).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any

from PIL import Image, ImageFile, Jpeg2KImagePlugin

from mnv2cli.images.decoders.arrays import image_of, require_imagecodecs
from mnv2cli.images.profiles import MAX_PROFILE_BYTES
from mnv2cli.images.signatures import boxes
from mnv2cli.images.unsupported import unsupported

_SIZE, _STYLE, _COMPONENT_STYLE, _TILE, _DATA = 0xFF51, 0xFF52, 0xFF53, 0xFF90, 0xFF93

_SPARE = 2
"""How many times larger than needed the decoded image must be: a smaller resolution is sharper than
an image of that size, and changed labels."""

_MAX_COMPONENTS = 4
_LEAST_TILE = 1024  # pixels on average
_FEW_TILES = 64
_LEAST_BLOCK = 8  # log2 of the pixels in a code-block
_LEAST_PRECINCT = 4  # log2 of the side of a precinct
_MAX_LAYERS = 1000
_MAX_PARTS = 4096
_MAX_BOXES = 1000
_WITH_PROFILE = (2, 3)  # methods of colour: a restricted ICC profile, or any
_MAX_MARKERS = 1000


@dataclass
class _Codestream:
    """What the headers of a codestream say.

    Attributes:
        size: Width and height in pixels.
        is_aligned: Whether the image begins at the origin of its grid.
        depth: Bits of the deepest component.
        is_colour: Whether there is more than one component.
        levels: How many times the resolution can be halved, in every component and tile.
    """

    size: tuple[int, int]
    is_aligned: bool
    depth: int
    is_colour: bool
    levels: int = 32


class Jpeg2000Image(Jpeg2KImagePlugin.Jpeg2KImageFile):
    """A JPEG 2000 image."""

    def _open(self) -> None:
        assert self.fp is not None
        self._codestream = _read_codestream(self.fp)
        profile = _profile(self.fp)
        self.fp.seek(0)
        super()._open()
        if profile:
            self.info["icc_profile"] = profile
        if self.size != self._codestream.size:
            raise SyntaxError("two different sizes")
        # Pillow turns the brightest colours of more than 8 bits into black.
        self._is_deep = self._codestream.is_colour and self._codestream.depth > 8
        if self._is_deep:
            require_imagecodecs("JPEG 2000 image with more than 8 bits per colour")

    def load(self) -> Any:
        """Decode the pixels."""
        if self._is_deep and self._im is None:
            from imagecodecs import jpeg2k_decode

            assert self.fp is not None
            self.fp.seek(0)
            image = image_of(jpeg2k_decode(self.fp.read()), (1 << self._codestream.depth) - 1)
            self.im, self._mode, self.tile = image.im, image.mode, []
        return super().load()

    def draft(
        self, mode: str | None, size: tuple[int, int] | None
    ) -> tuple[str, tuple[int, int, float, float]] | None:
        """Select the smallest resolution that is well above ``size``."""
        halvings = 0
        if size and self._codestream.is_aligned and not self._is_deep:
            while halvings < self._codestream.levels and all(
                own >> (halvings + 1) >= _SPARE * least
                for own, least in zip(self.size, size, strict=True)
            ):
                halvings += 1
        # Pillow's own attribute for this rounds sizes that the format rounds up, and then fails.
        width, height = (-(-side >> halvings) for side in self.size)
        settings = self.tile[0][3]
        assert isinstance(settings, tuple)
        codec, _, layers, fd, length = settings
        settings = codec, halvings, layers, fd, length
        self._size = width, height
        self.tile = [ImageFile._Tile("jpeg2k", (0, 0, width, height), 0, settings)]
        return None


def open_image(file: IO[bytes]) -> Image.Image:
    """Read the header of a JPEG 2000 image.

    Raises:
        ImageError: It is of a kind that is not supported.
        Exception: Any, if the header is damaged.
    """
    return Jpeg2000Image(file)


def _read_codestream(file: IO[bytes]) -> _Codestream:
    """Read the main header of the first codestream, and the headers of its first tiles."""
    place = _start(file)
    file.seek(place + 2)
    found: _Codestream | None = None
    for _ in range(_MAX_MARKERS):
        marker, length = _unpack(file, ">HH")
        if marker == _TILE:
            break
        content = file.read(max(0, length - 2))
        if marker == _SIZE and found is None:
            found = _checked_size(content)
        elif found is None:
            break
        else:
            _check_style(marker, content, found)
    else:
        raise SyntaxError("too many markers")
    if found is None:
        raise SyntaxError("no size in the header")
    _check_tiles(file, file.tell() - 4, found)
    return found


def _start(file: IO[bytes]) -> int:
    """Return where the first codestream begins."""
    file.seek(0)
    if file.read(4) == b"\xff\x4f\xff\x51":
        return 0
    for box in islice(boxes(file), _MAX_BOXES):
        if box.kind == b"jp2c":
            return box.start
    raise SyntaxError("no codestream")


def _profile(file: IO[bytes]) -> bytes:
    """Return the ICC profile of a JP2 file; empty if it has none."""
    header = next((box for box in islice(boxes(file), _MAX_BOXES) if box.kind == b"jp2h"), None)
    if header is None:
        return b""
    for box in islice(boxes(file, header.start, header.end), _MAX_BOXES):
        if box.kind == b"colr" and 3 < box.end - box.start <= MAX_PROFILE_BYTES:
            file.seek(box.start)
            content = file.read(box.end - box.start)
            if content[0] in _WITH_PROFILE:
                return content[3:]
    return b""


def _checked_size(content: bytes) -> _Codestream:
    """Return what a size marker says, if the number of components and tiles is reasonable."""
    _, right, bottom, left, top, tile_w, tile_h, tile_left, tile_top, components = (
        struct.unpack_from(">H8IH", content)
    )
    width, height = right - left, bottom - top
    if not (width > 0 and height > 0 and tile_w and tile_h):
        raise SyntaxError("no pixels")
    if components > _MAX_COMPONENTS:
        raise unsupported(f"JPEG 2000 image with {components} components")
    tiles = -(-(right - tile_left) // tile_w) * -(-(bottom - tile_top) // tile_h)
    if tiles > max(_FEW_TILES, width * height // _LEAST_TILE):
        raise unsupported(f"JPEG 2000 image in {tiles:,} tiles")
    depths = [(each & 127) + 1 for each in content[36 : 36 + 3 * components : 3]]
    return _Codestream((width, height), not (left or top), max(depths), components > 1)


def _check_style(marker: int, content: bytes, found: _Codestream) -> None:
    """Check how components are coded, and note the levels; other markers are ignored."""
    if marker == _STYLE:
        style, _, layers, _ = struct.unpack_from(">BBHB", content)
        if layers > _MAX_LAYERS:
            raise unsupported(f"JPEG 2000 image with {layers:,} layers")
        rest = content[5:]
    elif marker == _COMPONENT_STYLE:  # one byte for the component, as there are few
        style, rest = content[1], content[2:]
    else:
        return
    levels, width, height = rest[:3]
    if (width & 15) + (height & 15) + 4 < _LEAST_BLOCK:
        raise unsupported("JPEG 2000 image with tiny code-blocks")
    if style & 1 and any(
        min(side & 15, side >> 4) < _LEAST_PRECINCT for side in rest[6 : 5 + levels + 1]
    ):
        raise unsupported("JPEG 2000 image with tiny precincts")
    found.levels = min(found.levels, levels)


def _check_tiles(file: IO[bytes], place: int, found: _Codestream) -> None:
    """Check the headers of the first parts of tiles; what follows is up to the decoder."""
    for _ in range(_MAX_PARTS):
        file.seek(place)
        head = file.read(12)
        if len(head) < 12 or int.from_bytes(head[:2], "big") != _TILE:
            return
        length = int.from_bytes(head[6:10], "big")
        for _ in range(_MAX_MARKERS):
            head = file.read(4)
            marker, size = int.from_bytes(head[:2], "big"), int.from_bytes(head[2:], "big")
            if len(head) < 4 or marker == _DATA or size < 2:
                break
            _check_style(marker, file.read(size - 2), found)
        if length < 14:  # the last part, up to the end
            return
        place += length


def _unpack(file: IO[bytes], format: str) -> tuple[int, ...]:
    return struct.unpack(format, file.read(struct.calcsize(format)))
