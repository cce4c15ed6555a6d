"""From a file to the pixels that the network sees, or the reason why not.

The format is told from the content, never from the suffix, and only the decoders listed here are
ever asked, so that no exotic format of Pillow's (PostScript runs a program) gets near a file.
"""

from __future__ import annotations

import io
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import IO, TYPE_CHECKING, Any, Literal, get_args

from mnv2cli.errors import ImageError, InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image
    from PIL.ImageFile import ImageFile

Fit = Literal["crop", "pad", "stretch"]
Interpolation = Literal["bilinear", "bicubic", "nearest", "lanczos"]

DEFAULT_MAX_PIXELS = 256_000_000
"""More than any camera's photo (200 megapixels); 0.8 GB as RGB."""

CROP_RATIO = 256 / 224
"""Shorter side to input side before the centre crop: the usual ImageNet evaluation, 256 to 224."""


@dataclass(frozen=True, slots=True)
class DecodeOptions:
    """How an image becomes the network's input.

    Attributes:
        size: Side of the square result in pixels.
        fit: ``crop``: shorter side to 256/224 of the size, then the centre; ``pad``: longer side
            to the size, grey around; ``stretch``: both sides to the size.
        interpolation: All but ``nearest`` are antialiased when shrinking.
        max_pixels: Larger images (width times height) are refused before they are decoded. From
            Python, Pillow's own ``PIL.Image.MAX_IMAGE_PIXELS`` holds as well, at twice its value.
        allow_truncated: Take what is there of a JPEG, PNG, GIF, BMP or plain TIFF that ends early.

    Raises:
        InputError: A value is none of these.
    """

    size: int = 224
    fit: Fit = "crop"
    interpolation: Interpolation = "bilinear"
    max_pixels: int = DEFAULT_MAX_PIXELS
    allow_truncated: bool = False

    def __post_init__(self) -> None:
        if self.fit not in get_args(Fit):
            raise InputError(f"fit is {self.fit!r}, but must be one of {get_args(Fit)}")
        if self.interpolation not in get_args(Interpolation):
            raise InputError(
                f"interpolation is {self.interpolation!r}, but must be one of "
                f"{get_args(Interpolation)}"
            )
        if self.max_pixels < 1:
            raise InputError(f"max_pixels is {self.max_pixels}, but must be at least 1")


def decode(path: str, options: DecodeOptions) -> NDArray[np.uint8]:
    """Read an image file as the network's input.

    EXIF orientation is applied, transparency is composed over white, every colour mode becomes
    8-bit RGB, and of an animation the first frame is taken. With ``fit="stretch"`` and
    ``interpolation="nearest"`` the pixels are those of ``keras.utils.load_img(path,
    target_size=(size, size))``, which knows no orientation and drops transparency.

    Args:
        path: A regular file; anything else is refused without opening it.
        options: Size, fit, interpolation and limits.

    Returns:
        uint8 [size, size, 3], RGB.

    Raises:
        ImageError: Whatever keeps this file from being an image, in plain words.
    """
    try:
        with _open_file(path) as file:
            return decode_file(file, options, path)
    except OSError as error:
        raise _file_error(path, error) from error


def decode_file(file: IO[bytes], options: DecodeOptions, path: str = "") -> NDArray[np.uint8]:
    """Read an open file as the network's input, as :func:`decode` does.

    Args:
        file: Any that can be read and sought in; it stays open.
        options: Size, fit, interpolation and limits.
        path: Its name if it is on this machine, to say why it cannot be read.

    Returns:
        uint8 [size, size, 3], RGB.

    Raises:
        ImageError: Whatever keeps this file from being an image, in plain words.
    """
    import numpy as np

    try:
        image = _open_image(file, options)
        return np.asarray(_to_input(image, options))
    except ImageError:
        raise
    except OSError as error:
        raise _file_error(path, error) from error
    except MemoryError as error:
        raise ImageError("not enough memory", "the image is too large to decode here") from error
    except Exception as error:  # decoders raise anything at all on damaged files
        raise _decoder_error(error) from error


def taken_at(path: str) -> str:
    """Return when a photo was taken, as its EXIF says: ``YYYY:MM:DD hh:mm:ss``; or nothing.

    Source: EXIF 2.3, DateTimeOriginal (0x9003) in the EXIF part (0x8769), else DateTime (0x0132).

    Raises:
        ImageError: It is not an image.
    """
    with _open_file(path) as file:
        form = _sniff(file.read(512))
        if form is _HEIC:
            _register_heif()
        file.seek(0)
        try:
            with _pillow().open(file, formats=(form.plugin,)) as image:
                exif = image.getexif()
                text = exif.get_ifd(0x8769).get(0x9003) or exif.get(0x0132) or ""
        except Exception:  # EXIF is written by anything at all
            return ""
    match = re.match(r"((?:19|20)\d\d):(0[1-9]|1[0-2]):\d\d", str(text))
    return str(text)[:19] if match else ""


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


# Opening


def _open_file(path: str) -> IO[bytes]:
    try:
        _refuse_irregular(os.stat(path).st_mode)
        file = open(path, "rb", opener=_open_without_waiting)  # noqa: SIM115
    except ValueError as error:  # a NUL byte in the name
        raise ImageError("no such file", "the name holds a NUL byte") from error
    try:
        _refuse_irregular(os.fstat(file.fileno()).st_mode)  # it may be another file by now
    except ImageError:
        file.close()
        raise
    return file


def _open_without_waiting(path: str, flags: int) -> int:
    # Without O_NONBLOCK, opening a FIFO waits for a writer for ever.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _refuse_irregular(mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise ImageError("a folder, not an image")
    if not stat.S_ISREG(mode):
        kind = (
            "a named pipe" if stat.S_ISFIFO(mode)
            else "a socket" if stat.S_ISSOCK(mode)
            else "a device"
        )  # fmt: skip
        raise ImageError("not a regular file", kind)


def _file_error(path: str, error: OSError) -> ImageError:
    if error.errno is None:  # Pillow's decoders raise bare OSError
        return _decoder_error(error)
    if isinstance(error, FileNotFoundError):
        if os.path.islink(path):
            return ImageError("broken link", "its target does not exist")
        return ImageError("no such file")
    if isinstance(error, PermissionError):
        return ImageError("permission denied")
    return ImageError("cannot be read", (error.strerror or str(error)).lower())


def _decoder_error(error: Exception) -> ImageError:
    text = str(error)
    if re.search("truncated|end of file|unexpected eof|not enough", text, re.IGNORECASE):
        return ImageError("truncated", "the file ends before the image does")
    text = re.sub("<[^>]*>", "", " ".join(text.split())).strip() or type(error).__name__
    return ImageError("damaged", text[:200])


# Formats by content


@dataclass(frozen=True, slots=True)
class _Format:
    name: str
    plugin: str  # Pillow's name
    length: Callable[[IO[bytes]], int] | None = None  # the file's length as it says itself


def _riff_length(file: IO[bytes]) -> int:
    file.seek(4)
    return 8 + int.from_bytes(file.read(4), "little")


def _boxes_length(file: IO[bytes]) -> int:
    """Return where the last box of an ISO base media file ends, as far as the file goes."""
    end = 0
    while True:
        file.seek(end)
        head = file.read(16)
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if len(head) < 8 or size < 8:  # the end, or a last box without a size
            return end
        end += size


_JPEG = _Format("JPEG", "JPEG")  # and multi-picture files, which its plugin tells apart
_PNG = _Format("PNG", "PNG")
_GIF = _Format("GIF", "GIF")
_BMP = _Format("BMP", "BMP")
_TIFF = _Format("TIFF", "TIFF")
_WEBP = _Format("WebP", "WEBP", _riff_length)
_AVIF = _Format("AVIF", "AVIF", _boxes_length)
_HEIC = _Format("HEIC", "HEIF", _boxes_length)

_SIGNATURES = (
    (b"\xff\xd8\xff", _JPEG),
    (b"\x89PNG\r\n\x1a\n", _PNG),
    (b"GIF87a", _GIF),
    (b"GIF89a", _GIF),
    (b"II*\0", _TIFF),
    (b"MM\0*", _TIFF),
    (b"II+\0", _TIFF),
    (b"MM\0+", _TIFF),
)

_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}

_NOT_IMAGES = (
    (b"%PDF", "a PDF document"),
    (b"%!PS", "a PostScript document"),
    (b"PK\x03\x04", "a ZIP archive or office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"<svg", "an SVG drawing"),
    (b"<?xml", "an XML file or SVG drawing"),
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"\x1aE\xdf\xa3", "a Matroska or WebM video"),
)


def _sniff(head: bytes) -> _Format:
    """Tell the format from the first bytes of a file.

    Raises:
        ImageError: It is none of ours; the detail says what it looks like.
    """
    for signature, found in _SIGNATURES:
        if head.startswith(signature):
            return found
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return _WEBP
    if head.startswith(b"BM") and head[15:18] == b"\0\0\0":  # a text may start so, too
        return _BMP
    if head[4:8] == b"ftyp":  # ISO base media: the first box lists the brands
        end = min(int.from_bytes(head[:4], "big"), len(head))
        brands = {head[8:12], *(head[i : i + 4] for i in range(16, end - 3, 4))}
        if brands & {b"avif", b"avis"}:
            return _AVIF
        if brands & _HEIC_BRANDS:
            return _HEIC
        if b"crx " in brands:
            raise ImageError("not an image", "a raw file of a camera")
        raise ImageError("not an image", "a video (MP4 or QuickTime)")
    lowered = head.lstrip().lower()
    for signature, kind in _NOT_IMAGES:
        if lowered.startswith(signature.lower()):
            raise ImageError("not an image", kind)
    try:
        text = head[:256].decode()
    except UnicodeDecodeError:
        text = "\0"
    raise ImageError("not an image", "" if "\0" in text else "a text file")


@cache
def _pillow() -> Any:
    """Import Pillow and those of its plugins that we use, once."""
    from PIL import (
        AvifImagePlugin,  # noqa: F401
        BmpImagePlugin,  # noqa: F401
        GifImagePlugin,  # noqa: F401
        Image,
        JpegImagePlugin,  # noqa: F401
        MpoImagePlugin,  # noqa: F401
        PngImagePlugin,  # noqa: F401
        TiffImagePlugin,  # noqa: F401
        WebPImagePlugin,  # noqa: F401
    )

    return Image


@cache
def _register_heif() -> None:
    import pillow_heif

    pillow_heif.register_heif_opener(thumbnails=False)


def _open_image(file: IO[bytes], options: DecodeOptions) -> Image.Image:
    """Open, check and load an image; a JPEG at the smallest scale that is large enough."""
    pillow = _pillow()
    head = file.read(512)
    if not head:
        raise ImageError("empty file", "zero bytes")
    form = _sniff(head)
    if form is _HEIC:
        _register_heif()
    source: IO[bytes] = file
    file.seek(0)
    if form is _JPEG and options.allow_truncated:
        # A JPEG decoder gives out the last rows, and a progressive one anything at all, only
        # when it meets the end marker.
        source = io.BytesIO(file.read() + b"\xff\xd9")
    try:
        image: ImageFile = pillow.open(source, formats=(form.plugin,))
    except pillow.DecompressionBombError as error:
        numbers = [int(number) for number in re.findall("[0-9]+", str(error))]
        raise _too_many_pixels(*numbers[:2]) from error
    except Exception as error:
        raise _broken(form, file, error) from error
    width, height = image.size
    if width * height > options.max_pixels:
        raise _too_many_pixels(width * height, options.max_pixels)
    if form is _JPEG and options.interpolation != "nearest":
        # Nearest picks single pixels of the full image, so there nothing may be averaged before.
        image.draft(None, _least_size(image.size, options))
    try:
        image.load()
    except Exception as error:
        broken = _broken(form, file, error)
        has_pixels = getattr(image, "_im", None) is not None
        if not (options.allow_truncated and broken.reason == "truncated" and has_pixels):
            raise broken from error
        image.tile = []  # nothing more to decode: what is there is the image
    return image


def _too_many_pixels(pixels: int, limit: int) -> ImageError:
    return ImageError("too many pixels", f"{pixels:,} is over {limit:,}")


def _broken(form: _Format, file: IO[bytes], error: Exception) -> ImageError:
    """Say in plain words why a file with the right first bytes does not open."""
    if isinstance(error, ImageError):
        return error
    size = file.seek(0, os.SEEK_END) or file.tell()  # temporary files of Python 3.10 give None
    length = form.length(file) if form.length else 0
    if length > size:
        return ImageError("truncated", f"{size:,} of {length:,} bytes")
    found = _decoder_error(error)
    if found.reason == "damaged":
        text = found.detail
        if re.search("cannot identify image", text):
            text = "its header cannot be read, or is of a kind not supported"
        return ImageError("damaged", f"{form.name}, {text}")
    return found


# Pixels


def _least_size(size: tuple[int, int], options: DecodeOptions) -> tuple[int, int]:
    """Return the smallest image size that still has all the pixels which the fit asks for."""
    width, height = size
    side = options.size
    if options.fit == "stretch":
        return side, side
    if options.fit == "pad":
        scale = side / max(width, height)
    else:
        scale = side * CROP_RATIO / min(width, height)
    return max(1, int(width * scale)), max(1, int(height * scale))


def _to_input(image: Image.Image, options: DecodeOptions) -> Image.Image:
    """Resize to the network's input, RGB and upright.

    The box is symmetric, so turning the small result is turning the image, at no cost.
    """
    orientation = _orientation(image)
    image = _to_8_bit(image)
    width, height = image.size
    side = options.size
    resample = _pillow().Resampling[options.interpolation.upper()]
    size = (side, side)
    box: tuple[float, float, float, float] = (0, 0, width, height)
    if options.fit == "crop":
        half = min(width, height) / CROP_RATIO / 2
        box = (width / 2 - half, height / 2 - half, width / 2 + half, height / 2 + half)
    elif options.fit == "pad":
        scale = side / max(width, height)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
    gap = None if options.interpolation == "nearest" else 3.0
    image = _over_white(image.resize(size, resample, box, reducing_gap=gap))
    if size != (side, side):
        padded = _pillow().new("RGB", (side, side), (128, 128, 128))
        padded.paste(image, ((side - size[0]) // 2, (side - size[1]) // 2))
        image = padded
    return image if orientation is None else image.transpose(orientation)


def _orientation(image: Image.Image) -> Image.Transpose | None:
    """Return how to turn an image upright (EXIF 2.3, tag 0x0112, values 2 to 8)."""
    try:
        value = image.getexif().get(0x0112)
    except Exception:  # EXIF is written by anything at all; the pixels are still good
        return None
    turn = _pillow().Transpose
    turns: dict[object, Image.Transpose] = {
        2: turn.FLIP_LEFT_RIGHT,
        3: turn.ROTATE_180,
        4: turn.FLIP_TOP_BOTTOM,
        5: turn.TRANSPOSE,
        6: turn.ROTATE_270,
        7: turn.TRANSVERSE,
        8: turn.ROTATE_90,
    }
    return turns.get(value)


def _to_8_bit(image: Image.Image) -> Image.Image:
    """Return the image as RGB, L, or with alpha as RGBA: the modes that resize as they should."""
    mode = image.mode
    tags: Any = getattr(image, "tag_v2", {})
    if mode == "RGB" and tags.get(284) == 2 and 16 in tags.get(258, ()):
        raise ImageError("unsupported", "TIFF with 16-bit colours in planes")
    if mode.startswith("I;16") or mode in ("I", "F"):
        return _scaled(image)
    if mode == "LAB":
        return _from_lab(image)
    if mode in ("LA", "La", "PA", "RGBa") or "transparency" in image.info:
        return image.convert("RGBA")
    if mode in ("L", "RGB", "RGBA"):
        return image
    return image.convert("L" if mode == "1" else "RGB")


def _over_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image.convert("RGB")
    white = _pillow().new("RGB", image.size, (255, 255, 255))
    white.paste(image, mask=image.getchannel("A"))
    result: Image.Image = white
    return result


def _scaled(image: Image.Image) -> Image.Image:
    """Scale 16-bit, 32-bit and float grey to 8 bits.

    16-bit files have white at 65535. Others do not say what is white. Taken is the smallest usual
    range that holds all but the outliers, for floats overshoot: [0, 1] for floats, then [0, 255]
    and [0, 65535]; else the values' own range.
    """
    import numpy as np

    tags: Any = getattr(image, "tag_v2", {})
    pixels = np.asarray(image)
    if image.mode == "I" and tags.get(258) == (32,) and tags.get(339, (1,)) == (1,):
        pixels = pixels.view(np.uint32)  # Pillow has no unsigned mode of that width
    if image.mode.startswith("I;16"):
        grey = (np.minimum(pixels, 65535 - 128) + 128) // 257  # rounds, and stays within 16 bits
        key = image.info.get("transparency")
        if isinstance(key, int):
            grey = np.where(pixels == key, 255, grey)
    else:
        pixels = np.nan_to_num(pixels.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
        step = max(1, pixels.size // 1_000_000)
        low, high = np.percentile(pixels.ravel()[::step], (1, 99)).tolist()
        slack = 0.05
        whites = (1.0, 255.0, 65535.0) if image.mode == "F" else (255.0, 65535.0)
        for white in whites:
            if low >= -slack * white and high <= (1 + slack) * white:
                break
        else:
            pixels = pixels - low
            white = max(high - low, 1e-12)
        grey = np.rint(np.clip(pixels * (255.0 / white), 0, 255))
    if tags.get(262) == 0:  # WhiteIsZero, which Pillow turns round in 8 bits only
        grey = 255 - grey
    return _pillow().fromarray(grey.astype(np.uint8))  # type: ignore[no-any-return]


def _from_lab(image: Image.Image) -> Image.Image:
    from PIL import ImageCms

    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.applyTransform(  # type: ignore[return-value]
        image, ImageCms.buildTransform(lab, srgb, "LAB", "RGB")
    )
