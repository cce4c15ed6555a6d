"""The image formats that this machine can decode."""

from __future__ import annotations

from collections.abc import Iterator

from mnv2cli.diagnostics.doctor.check import Check
from mnv2cli.system.packages import is_installed


def check_image_formats() -> Iterator[Check]:
    """Yield a check of the image formats."""
    from PIL import Image, features

    from mnv2cli.images.formats import FORMATS

    try:
        import pillow_heif

        pillow_heif.register_heif_opener()
    except ImportError:  # reported with the versions
        pass
    Image.init()
    can = [
        each
        for each in FORMATS
        if each.plugin in Image.OPEN and (not each.codec or features.check(each.codec))
    ]
    lacking = [each.plugin for each in FORMATS if each not in can]
    text = ", ".join(each.name for each in can)
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
