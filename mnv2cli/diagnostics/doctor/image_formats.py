"""The image formats that this machine can decode."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

from mnv2cli.diagnostics.doctor.check import Check

if TYPE_CHECKING:
    from mnv2cli.images.formats import ImageFormat

_MODULES = {"Pillow": "PIL", "pillow-heif": "pillow_heif"}


def check_image_formats() -> Iterator[Check]:
    """Yield a check of the image formats; those whose library is an extra are optional."""
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


def _is_there(image_format: ImageFormat) -> bool:
    """Check whether the library that decodes a format is installed, with what it needs for it."""
    from PIL import features

    if not find_spec(_MODULES.get(image_format.reader, image_format.reader)):
        return False
    return not image_format.codec or bool(features.check(image_format.codec))
