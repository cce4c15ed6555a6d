"""The image formats that this machine can decode."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

from mnv2cli.diagnostics.doctor.check import Check
from mnv2cli.system.packages import is_installed

if TYPE_CHECKING:
    from mnv2cli.images.formats import ImageFormat

_MODULES = {"Pillow": "PIL", "pillow-heif": "pillow_heif"}


def check_image_formats() -> Iterator[Check]:
    """Yield checks of the image formats; libraries that are extras are optional."""
    from mnv2cli.images.formats import FORMATS

    can = [each for each in FORMATS if _is_there(each)]
    text = ", ".join(each.name for each in can)
    for each in FORMATS:
        if each.extra and each not in can:
            text += f"; {each.name} with the extra {each.extra}"
    lacking = [each.name for each in FORMATS if each not in can and not each.extra]
    if lacking:
        yield Check(
            "Images",
            "formats",
            "warn",
            f"{text}; not {', '.join(lacking)}",
            "Install wheels that support them: pip install --upgrade pillow pillow-heif",
        )
    else:
        yield Check("Images", "formats", "ok", text)
    yield _raw_photos()


def _is_there(image_format: ImageFormat) -> bool:
    """Check whether the library that decodes a format is installed, with what it needs for it."""
    from PIL import features

    try:
        import_module(_MODULES.get(image_format.reader, image_format.reader))
    except ImportError:
        return False
    return not image_format.codec or bool(features.check(image_format.codec))


def _raw_photos() -> Check:
    """Return a check of the reader of raw photos, which is optional."""
    from mnv2cli.images.unsupported import INSTALL_RAW

    try:
        import rawpy
    except ImportError as error:
        if is_installed("rawpy"):
            return Check("Images", "raw photos", "warn", f"rawpy: {error}", f"Run: {INSTALL_RAW}")
        return Check("Images", "raw photos", "ok", f"not installed; optional: {INSTALL_RAW}")
    library = ".".join(str(number) for number in rawpy.libraw_version)
    return Check("Images", "raw photos", "ok", f"rawpy {rawpy.__version__}, LibRaw {library}")
