"""Make small images of photos."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator

from mnv2cli.errors import ImageError
from mnv2cli.images.opening import open_regular
from mnv2cli.images.options import ImageOptions
from mnv2cli.reporting.content import Entry
from mnv2cli.reporting.places import Places

SIDE = 160


def thumbnails(
    entries: Iterable[Entry],
    places: Places,
    options: ImageOptions,
    advance: Callable[[int], None] = lambda number: None,
) -> Iterator[bytes | str]:
    """Yield a WebP of each photo, or why there is none."""
    from PIL import Image, ImageOps

    for entry in entries:
        record = entry.record
        made: bytes | str = record.error or record.thumbnail or ""
        if not made:
            try:
                with open_regular(places.local(record.path)) as file:
                    image = ImageOps.exif_transpose(Image.open(file)).convert("RGB")
                image.thumbnail((SIDE, SIDE))
                small = io.BytesIO()
                image.save(small, "WEBP", quality=50)
                made = small.getvalue()
            except (OSError, ImageError, ValueError) as error:
                made = str(error)
        yield made
        advance(1)
