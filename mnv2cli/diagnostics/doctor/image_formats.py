"""The image formats that this machine can decode."""

from __future__ import annotations

from collections.abc import Iterator

from mnv2cli.diagnostics.doctor.check import Check


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
