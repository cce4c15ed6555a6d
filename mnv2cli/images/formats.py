"""The supported image formats: one entry each in :data:`FORMATS`.

The content decides the format, never the suffix. Only the decoders listed here are used, so no
other Pillow decoder (PostScript runs a program) ever opens a file.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import IO, TYPE_CHECKING

from mnv2cli.images.code_points import CodePoints, avif_code_points, png_code_points
from mnv2cli.images.raw import refuse_raw
from mnv2cli.images.signatures import (
    boxes_length,
    has_brand,
    is_bmp,
    is_dib,
    is_webp,
    riff_length,
    starts_with,
)
from mnv2cli.images.unsupported import unreadable_kind

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile


@cache
def _register_heif() -> None:
    import pillow_heif

    # Workers fill the cores already: more threads for one image cost memory and save no time.
    pillow_heif.register_heif_opener(thumbnails=False, decode_threads=1)


@dataclass(frozen=True, slots=True)
class ImageFormat:
    """An image format, and what decodes it.

    Attributes:
        name: The name shown to users.
        plugin: Pillow's name for the decoder.
        matches: Called with the first bytes of a file, returns whether it has this format.
        modules: Pillow's modules that contain the decoder.
        codec: The library that Pillow must be built with, as ``PIL.features`` names it.
        register: Adds the decoder of another library to Pillow.
        length: Returns the length in bytes that a file states; None for formats without one.
        check: Called with a file, raises ImageError if its kind is not supported.
        code_points: Returns the code points of the colours, for formats whose decoder does not.
    """

    name: str
    plugin: str
    matches: Callable[[bytes], bool]
    modules: tuple[str, ...] = ()
    codec: str = ""
    register: Callable[[], None] | None = None
    length: Callable[[IO[bytes]], int] | None = None
    check: Callable[[IO[bytes]], None] | None = None
    code_points: Callable[[IO[bytes]], CodePoints | None] | None = None

    def load_decoder(self) -> None:
        """Import the decoder if it is not imported yet."""
        _load_decoders()
        if self.register:
            self.register()

    def open(self, file: IO[bytes]) -> ImageFile:
        """Read the header of a file with the decoder of this format alone, which must be loaded.

        Raises:
            Exception: Any, if the header is damaged.
        """
        from PIL import Image, UnidentifiedImageError

        with suppress(UnidentifiedImageError):
            return Image.open(file, formats=(self.plugin,))
        # Pillow hides the decoder's reason, and checks only the first of several brands.
        file.seek(0)
        return Image.OPEN[self.plugin][0](file, "")


JPEG = ImageFormat(  # and multi-picture files, which its decoder recognizes
    "JPEG",
    "JPEG",
    starts_with(b"\xff\xd8\xff"),
    modules=("JpegImagePlugin", "MpoImagePlugin"),
    codec="jpg",
)

FORMATS = (
    JPEG,
    ImageFormat(
        "PNG",
        "PNG",
        starts_with(b"\x89PNG\r\n\x1a\n"),
        modules=("PngImagePlugin",),
        codec="zlib",
        code_points=png_code_points,
    ),
    ImageFormat("GIF", "GIF", starts_with(b"GIF87a", b"GIF89a"), modules=("GifImagePlugin",)),
    ImageFormat("BMP", "BMP", is_bmp, modules=("BmpImagePlugin",)),
    ImageFormat(
        "TIFF",
        "TIFF",
        starts_with(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
        modules=("TiffImagePlugin",),
        codec="libtiff",
        check=refuse_raw,
    ),
    ImageFormat(
        "WebP",
        "WEBP",
        is_webp,
        modules=("WebPImagePlugin",),
        codec="webp",
        length=riff_length,
    ),
    ImageFormat(
        "AVIF",
        "AVIF",
        has_brand(b"avif", b"avis"),
        modules=("AvifImagePlugin",),
        codec="avif",
        length=boxes_length,
        code_points=avif_code_points,
    ),
    ImageFormat(  # after AVIF, whose files may have the general brands too
        "HEIC",
        "HEIF",
        has_brand(b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"),
        register=_register_heif,
        length=boxes_length,
    ),
    ImageFormat("DIB", "DIB", is_dib, modules=("BmpImagePlugin",)),
)


def identify(head: bytes) -> ImageFormat:
    """Return the format of a file by its first bytes.

    Args:
        head: The first :data:`~mnv2cli.images.signatures.HEAD_BYTES` of the file.

    Raises:
        ImageError: The format is not supported; the detail names the kind of file.
    """
    for image_format in FORMATS:
        if image_format.matches(head):
            return image_format
    raise unreadable_kind(head)


@cache
def _load_decoders() -> None:
    """Import all of Pillow's decoders at once: later, memory may be short."""
    for image_format in FORMATS:
        for module in image_format.modules:
            import_module(f"PIL.{module}")
