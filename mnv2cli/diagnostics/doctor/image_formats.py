"""The image formats that can be decoded."""

from __future__ import annotations

from collections.abc import Iterator

from mnv2cli.diagnostics.doctor.check import Check

_FORMATS = {
    "JPEG": "jpg",
    "PNG": "zlib",
    "GIF": "",
    "BMP": "",
    "TIFF": "libtiff",
    "WEBP": "webp",
    "AVIF": "avif",
    "HEIF": "",
}
"""Pillow's names of formats, each with the codec that it requires; empty for none."""


def check_image_formats() -> Iterator[Check]:
    """Yield a check of the formats that Pillow can decode here."""
    from PIL import Image, features

    try:
        import pillow_heif

        pillow_heif.register_heif_opener()
    except ImportError:  # told among the versions
        pass
    Image.init()
    can = [
        name
        for name, codec in _FORMATS.items()
        if name in Image.OPEN and (not codec or features.check(codec))
    ]
    lacking = [name for name in _FORMATS if name not in can]
    text = ", ".join(can).replace("HEIF", "HEIC").replace("WEBP", "WebP")
    if lacking:
        yield Check(
            "Images",
            "formats",
            "warn",
            f"{text}; not {', '.join(lacking)}",
            "Take wheels that have them: pip install --upgrade pillow pillow-heif",
        )
    else:
        yield Check("Images", "formats", "ok", text)
