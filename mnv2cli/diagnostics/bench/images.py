"""The images of the benchmark: the user's, or drawn ones."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, islice

from mnv2cli.errors import ImageError, InputError
from mnv2cli.images.decode import decode
from mnv2cli.images.options import ImageOptions
from mnv2cli.sources.finder import Finder

_DRAWN = 100


@contextmanager
def image_folder(paths: Sequence[str], count: int) -> Iterator[str]:
    """Create a folder with a number of images: links to the user's images, or drawn ones.

    Args:
        paths: Files and folders; none for drawn images.
        count: Number of images; fewer are repeated.

    Raises:
        InputError: The paths contain no JPEG or PNG image.
    """
    with tempfile.TemporaryDirectory(prefix="mnv2-bench-") as folder:
        found = list(islice(_common_images(paths), count))
        if paths and not found:
            raise InputError(
                "cannot measure: no JPEG or PNG images found",
                "Name a folder of photos in these formats, which all compared scripts can read, "
                "or none to measure on drawn images.",
            )
        if not found:
            os.mkdir(drawn := os.path.join(folder, "drawn"))
            found = draw_photos(drawn, min(count, _DRAWN))
        os.mkdir(links := os.path.join(folder, "images"))
        for i, path in enumerate(islice(cycle(found), count)):
            os.symlink(os.path.abspath(path), os.path.join(links, f"{i:06}.jpg"))
        yield links


def draw_photos(folder: str, count: int, size: tuple[int, int] = (500, 400)) -> list[str]:
    """Draw JPEGs that take as long to decode as photos: smooth shapes with grain."""
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(0)
    paths = []
    for i in range(count):
        shapes = Image.fromarray(random.integers(0, 256, (6, 8, 3), np.uint8))
        photo = np.asarray(shapes.resize(size, Image.Resampling.BICUBIC)).astype(np.int16)
        photo += random.integers(-25, 26, photo.shape, np.int16)
        paths.append(os.path.join(folder, f"{i:06}.jpg"))
        Image.fromarray(photo.clip(0, 255).astype(np.uint8)).save(paths[-1], quality=90)
        os.utime(paths[-1], (0, 0))  # the same each time, so that int8 is calibrated only once
    return paths


def _common_images(paths: Sequence[str]) -> Iterator[str]:
    """Yield the images that the compared scripts can read, too: intact JPEGs and PNGs."""
    for source in Finder(paths):
        try:
            with open(source.path, "rb") as file:
                known = file.read(8).startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"))
            if known:
                decode(source.path, 224, ImageOptions())
                yield source.path
        except (OSError, ImageError):
            continue
