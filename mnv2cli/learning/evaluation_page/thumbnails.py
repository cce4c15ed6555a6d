"""Small JPEGs of photos as data URIs."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Iterator
from dataclasses import replace

from mnv2cli.errors import ImageError
from mnv2cli.images.options import ImageOptions
from mnv2cli.images.reader import ImageReader

SIDE = 176  # pixels; 88 on the page, sharp on phones
_QUALITY = 70


def thumbnails(paths: Iterable[str], options: ImageOptions) -> Iterator[str]:
    """Yield a data URI for each photo: what the network saw of it; empty if it cannot be read.

    Args:
        paths: The photos.
        options: How images are decoded and made square.
    """
    from PIL import Image

    with ImageReader(SIDE, replace(options, isolate=False), at_once=0) as reader:
        for path in paths:
            try:
                pixels = reader.decode(path)
            except ImageError:  # removed since, or never on this machine
                yield ""
                continue
            file = io.BytesIO()
            Image.fromarray(pixels).save(file, "JPEG", quality=_QUALITY)
            yield f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
