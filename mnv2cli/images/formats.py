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
from typing import IO, TYPE_CHECKING, Any

from mnv2cli.images.code_points import CodePoints, avif_code_points, png_code_points
from mnv2cli.images.raw import refuse_raw
from mnv2cli.images.signatures import (
    boxes_length,
    boxes_or_stream_length,
    has_brand,
    is_bmp,
    is_dib,
    is_icon,
    is_netpbm,
    is_pcx,
    is_sgi,
    is_targa,
    is_webp,
    riff_length,
    starts_with,
)
from mnv2cli.images.unsupported import unreadable_kind

if TYPE_CHECKING:
    from PIL.Image import Image


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
        decoder: A module of :mod:`mnv2cli.images.decoders` that replaces Pillow's decoder.
        suffixes: Suffixes of its files, in lower case.
        in_folders: Whether files with these suffixes are images of a folder.
        reader: The library that decodes it, for the documentation.
        note: What is read of it, for the documentation.
        extra: The extra that installs its library; empty if that is always installed.
        memory: Bytes per pixel that decoding takes at most, as measured.
        is_partial: Whether the first rows of a file that ends early are read correctly.
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
    decoder: str = ""
    suffixes: tuple[str, ...] = ()
    in_folders: bool = True
    reader: str = "Pillow"
    note: str = ""
    extra: str = ""
    memory: int = 8
    is_partial: bool = False

    def load_decoder(self) -> None:
        """Import the decoder if it is not imported yet."""
        _load_decoders()
        if self.register:
            self.register()

    def open(self, file: IO[bytes]) -> Image:
        """Read the header of a file with the decoder of this format alone, which must be loaded.

        Raises:
            ImageError: It is of a kind that is not supported.
            Exception: Any, if the header is damaged.
        """
        if self.decoder:
            file.seek(0)
            found: Image = _module(self.decoder).open_image(file)
            return found
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
    suffixes=(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
    note="Also CMYK; of several pictures (MPO) the first.",
    is_partial=True,
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
        suffixes=(".png", ".apng"),
        note="Of an animation the first frame.",
        is_partial=True,
    ),
    ImageFormat(
        "GIF",
        "GIF",
        starts_with(b"GIF87a", b"GIF89a"),
        modules=("GifImagePlugin",),
        suffixes=(".gif",),
        note="Of an animation the first frame.",
        is_partial=True,
    ),
    ImageFormat(
        "BMP",
        "BMP",
        is_bmp,
        modules=("BmpImagePlugin",),
        suffixes=(".bmp",),
        note="Also compressed by run length.",
        is_partial=True,
    ),
    ImageFormat(
        "TIFF",
        "TIFF",
        starts_with(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
        modules=("TiffImagePlugin",),
        codec="libtiff",
        check=refuse_raw,
        suffixes=(".tif", ".tiff"),
        note="The first page; 1 to 32 bits and floats, CMYK, Lab; BigTIFF.",
        is_partial=True,
    ),
    ImageFormat(
        "WebP",
        "WEBP",
        is_webp,
        modules=("WebPImagePlugin",),
        codec="webp",
        length=riff_length,
        suffixes=(".webp",),
        note="Of an animation the first frame.",
        memory=17,
    ),
    ImageFormat(
        "AVIF",
        "AVIF",
        has_brand(b"avif", b"avis"),
        modules=("AvifImagePlugin",),
        codec="avif",
        length=boxes_length,
        code_points=avif_code_points,
        suffixes=(".avif",),
        note="Of a sequence the first frame.",
        memory=10,
    ),
    ImageFormat(  # after AVIF, whose files may have the general brands too
        "HEIC",
        "HEIF",
        has_brand(b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"),
        register=_register_heif,
        length=boxes_length,
        suffixes=(".heic", ".heif", ".hif"),
        reader="pillow-heif",
        note="The primary image.",
        memory=10,
    ),
    ImageFormat(
        "JPEG 2000",
        "JPEG2000",
        starts_with(b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"),
        modules=("Jpeg2KImagePlugin",),
        codec="jpg_2000",
        decoder="jpeg2000",
        length=boxes_or_stream_length,
        suffixes=(".jp2", ".j2k", ".jpf", ".jpx", ".jpc", ".j2c"),
        note="Up to 4 components of 1 to 16 bits; colours above 8 bits need the extra `jxl`.",
        memory=30,
    ),
    ImageFormat(
        "JPEG XL",
        "JXL",
        starts_with(b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"),
        decoder="jpegxl",
        length=boxes_or_stream_length,
        suffixes=(".jxl",),
        reader="imagecodecs",
        note="Files and codestreams; of an animation the first frame.",
        extra="jxl",
        memory=14,
    ),
    ImageFormat(
        "PSD",
        "PSD",
        starts_with(b"8BPS\0\1", b"8BPS\0\2"),
        decoder="photoshop",
        suffixes=(".psd", ".psb"),
        note="The composite, as saved with Maximize Compatibility; 8 and 16 bits, 32-bit grey.",
        memory=12,
    ),
    ImageFormat(
        "PNM",
        "PPM",
        is_netpbm,
        modules=("PpmImagePlugin",),
        decoder="netpbm",
        suffixes=(".ppm", ".pgm", ".pbm", ".pnm", ".pfm"),
        note="The first image, of up to 16 bits; PFM in grey only; no PAM.",
    ),
    ImageFormat(
        "SGI",
        "SGI",
        is_sgi,
        modules=("SgiImagePlugin",),
        suffixes=(".sgi",),
        note="8 and 16 bits.",
    ),
    ImageFormat(
        "QOI",
        "QOI",
        starts_with(b"qoif"),
        modules=("QoiImagePlugin",),
        suffixes=(".qoi",),
        note="Slow: about a second for a megapixel.",
        memory=16,
    ),
    ImageFormat(
        "PCX",
        "PCX",
        is_pcx,
        modules=("PcxImagePlugin",),
        suffixes=(".pcx",),
        note="1 and 8 bits in 1 to 4 planes.",
    ),
    ImageFormat(
        "DDS",
        "DDS",
        starts_with(b"DDS |\0\0\0"),
        modules=("DdsImagePlugin",),
        suffixes=(".dds",),
        in_folders=False,
        note="The largest level; without compression slow.",
        memory=16,
    ),
    ImageFormat(
        "ICO",
        "ICO",
        is_icon,
        modules=("IcoImagePlugin",),
        decoder="icon",
        suffixes=(".ico",),
        in_folders=False,
        note="The largest image.",
    ),
    ImageFormat(
        "DIB",
        "DIB",
        is_dib,
        modules=("BmpImagePlugin",),
        suffixes=(".dib",),
        note="A BMP without its file header.",
        is_partial=True,
    ),
    ImageFormat(  # last, as it has no signature
        "TGA",
        "TGA",
        is_targa,
        modules=("TgaImagePlugin",),
        decoder="targa",
        suffixes=(".tga",),
        note="16, 24 and 32 bits, grey, palettes of 256 colours.",
    ),
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
        if image_format.decoder:
            _module(image_format.decoder)


def _module(decoder: str) -> Any:
    return import_module(f"mnv2cli.images.decoders.{decoder}")
