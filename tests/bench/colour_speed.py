"""Measure the CPU time of decoding images with a colour profile, beside the same without it.

    python -m tests.bench.colour_speed PHOTOS [ROUNDS]

PHOTOS is a folder of photos; the first 20 are used. Both are decoded in turn.
"""

from __future__ import annotations

import io
import statistics
import struct
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mnv2cli.images.decode import decode
from mnv2cli.images.options import ImageOptions
from tests.images.icc import (
    D50_XY,
    P3,
    PROPHOTO,
    SRGB,
    Array,
    cmyk_profile,
    grey_profile,
    lab_of,
    matrix_profile,
)

PHONE = (4032, 3024)
Pair = tuple[bytes, bytes]


def main(photos: str, rounds: int = 15) -> None:
    """Print milliseconds without and with a profile, and the difference in percent."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    images = [Image.open(path).convert("RGB") for path in sorted(Path(photos).iterdir())[:20]]
    for image in images:
        image.info.clear()
    phone = [image.resize(PHONE) for image in images[:3]]
    p3, cmyk = matrix_profile(P3), cmyk_profile(lab, 9)
    prophoto = matrix_profile(PROPHOTO, 1.8, D50_XY)
    inks, greys = [i.convert("CMYK") for i in images], [i.convert("L") for i in images]
    print_inks = [image.convert("CMYK") for image in phone]
    cases = {
        "JPEG 500 px, Display P3": [pair(i, p3, "JPEG") for i in images],
        "JPEG 500 px, sRGB": [pair(i, matrix_profile(SRGB), "JPEG") for i in images],
        "JPEG 12 MP, Display P3": [pair(i, p3, "JPEG") for i in phone],
        "JPEG 500 px, ProPhoto RGB": [pair(i, prophoto, "JPEG") for i in images],
        "JPEG 12 MP, ProPhoto RGB": [pair(i, prophoto, "JPEG") for i in phone],
        "JPEG 500 px, grey, linear": [pair(i, grey_profile(1.0), "JPEG") for i in greys],
        "JPEG 500 px, CMYK": [pair(i, cmyk, "JPEG") for i in inks],
        "JPEG 12 MP, CMYK": [pair(i, cmyk, "JPEG") for i in print_inks],
        "TIFF 500 px, CMYK": [pair(i, cmyk, "TIFF") for i in inks],
        "TIFF 12 MP, CMYK": [pair(i, cmyk, "TIFF") for i in print_inks],
        "HEIC 500 px, PQ": [pq(i) for i in images],
        "HEIC 12 MP, PQ": [pq(i) for i in phone],
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, files in cases.items():
            paths = []
            for i, file in enumerate(files):
                for kind, data in zip("ab", file, strict=True):
                    (Path(folder) / f"{i}{kind}").write_bytes(data)
                paths.append((f"{folder}/{i}a", f"{folder}/{i}b"))
            plain, coloured = measured(paths, rounds)
            percent = 100 * (coloured / plain - 1)
            print(f"{name:28} {plain:8.3f} ms  {coloured:8.3f} ms  {percent:+6.1f} %", flush=True)


def measured(paths: list[tuple[str, str]], rounds: int) -> tuple[float, float]:
    """Return the mean milliseconds of each kind; of each file the median counts."""
    means = []
    times: list[tuple[list[int], list[int]]] = [([], []) for _ in paths]
    for number in range(rounds + 1):
        for one, pair_of_paths in zip(times, paths, strict=True):
            for found, path in zip(one, pair_of_paths, strict=True):
                start = time.thread_time_ns()
                decode(path, 224, ImageOptions())
                if number:  # the first one builds the conversion
                    found.append(time.thread_time_ns() - start)
    for kind in (0, 1):
        means.append(statistics.mean(statistics.median(one[kind]) for one in times) / 1e6)
    return means[0], means[1]


def pair(image: Image.Image, profile: bytes, format: str) -> Pair:
    """Return an image without and with a profile."""
    return saved(image, format, b""), saved(image, format, profile)


def saved(image: Image.Image, format: str, profile: bytes) -> bytes:
    """Return an image file."""
    file = io.BytesIO()
    options: dict[str, Any] = {"quality": 92} if format != "TIFF" else {}
    if format == "HEIF":
        options["enc_params"] = {"preset": "ultrafast"}
    image.save(file, format, **options, **({"icc_profile": profile} if profile else {}))
    return file.getvalue()


def pq(image: Image.Image) -> Pair:
    """Return a HEIC without and with the code points of BT.2020 and PQ."""
    plain = saved(image, "HEIF", b"")
    place = plain.index(b"colrnclx") + 8
    return plain, plain[:place] + struct.pack(">HH", 9, 16) + plain[place + 4 :]


def lab(inks: Array) -> Array:
    """Return the colours of CMYK, as if inks were perfect."""
    return lab_of(np.clip((1 - inks[:, :3]) * (1 - inks[:, 3:]), 0, 1))


if __name__ == "__main__":
    main(sys.argv[1], *(int(number) for number in sys.argv[2:3]))
