"""Measure how much labels depend on colour profiles: with, and without applying them.

    python -m tests.bench.colour_labels PHOTOS [PROFILES [SPACES]]

PHOTOS is a folder of photos named ``WNID_anything.jpg``. PROFILES is a folder of more ICC profiles,
by default the system's; the files of Debian's packages colord-data, ghostscript and krita-data
whose names are listed below are used if they exist. SPACES is a regular expression for the names of
colour spaces, by default all.

Each photo is converted to a colour space and saved without loss. The reference is the photo
converted back at full size. ``without`` is what the file without its profile gives.
"""

from __future__ import annotations

import io
import re
import struct
import sys
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from mnv2cli import Classifier
from mnv2cli.images.decode import decode
from mnv2cli.images.options import ImageOptions
from mnv2cli.labels.imagenet import imagenet_labels
from tests.images.icc import (
    ADOBE_RGB,
    BT2020,
    D50_XY,
    D65_XY,
    P3,
    PROPHOTO,
    SRGB,
    Array,
    grey_profile,
    matrix_profile,
    srgb_curve,
    to_xyz,
)

SYSTEM = "/usr/share/color/icc"
FILES = {
    "eciRGB v2": ("RGB", "ECI-RGBv2.icc"),
    "Wide Gamut RGB": ("RGB", "WideGamutRGB.icc"),
    "red and green swapped": ("RGB", "SwappedRedAndGreen.icc"),
    "CMYK, SWOP": ("CMYK", "default_cmyk.icc"),
    "CMYK, chemical proof": ("CMYK", "cmyk.icm"),
}
HEIC = {"quality": 90, "enc_params": {"preset": "ultrafast"}}
Maker = Callable[[Image.Image], tuple[bytes, bytes, bytes]]
"""Makes three files: the reference, one with the profile, one without."""

Makers = dict[str, Maker]


def main(photos: str, profiles: str = SYSTEM, spaces: str = "") -> None:
    """Print a row for each colour space."""
    classifier = Classifier()
    engine = classifier.load()
    wnids = [label.wnid for label in imagenet_labels()]
    paths = sorted(Path(photos).iterdir())
    truth = np.array([wnids.index(path.name.partition("_")[0]) for path in paths])
    images = [Image.open(path).convert("RGB") for path in paths]
    with tempfile.TemporaryDirectory() as folder:

        def scores(files: list[bytes]) -> Array:
            pixels = []
            for i, data in enumerate(files):
                path = Path(folder) / f"{i}"
                path.write_bytes(data)
                pixels.append(decode(str(path), classifier.network.size, ImageOptions()))
            return engine.predict(np.stack(pixels))

        for name, make in (
            rgb_spaces() | installed(profiles) | greys() | gain_map() | code_points()
        ).items():
            if not re.search(spaces, name):
                continue
            made = [make(image) for image in images]
            reference = scores([one[0] for one in made])
            row = [right(reference, truth)]
            for number in (2, 1):
                found = scores([one[number] for one in made])
                first = reference.argmax(axis=1)
                there = np.arange(len(first))
                row += [
                    f"{(found.argmax(axis=1) != first).sum():3} {right(found, truth)} "
                    f"{np.abs(found[there, first] - reference[there, first]).mean():.3f}"
                ]
            print(f"{name:28} reference {row[0]}   without {row[1]}   with {row[2]}", flush=True)


def right(scores: Array, truth: Array) -> str:
    """Return how often the first label is right, and one of the first five."""
    five = np.argsort(-scores, axis=1)[:, :5]
    return f"{(five[:, 0] == truth).sum():3} {(five == truth[:, None]).any(axis=1).sum():3}"


def saved(image: Image.Image, format: str, **options: Any) -> bytes:
    """Return an image file."""
    file = io.BytesIO()
    image.info.clear()
    image.save(file, format, **options)
    return file.getvalue()


def by_profile(profile: bytes, mode: str = "RGB", format: str = "TIFF", **options: Any) -> Maker:
    """Return what makes the files of a space with an ICC profile."""
    srgb = ImageCms.createProfile("sRGB")
    space = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    how = {"renderingIntent": 1, "flags": ImageCms.Flags.BLACKPOINTCOMPENSATION}
    there = ImageCms.buildTransform(srgb, space, "RGB", mode, **how)  # type: ignore[arg-type]
    back = ImageCms.buildTransform(space, srgb, mode, "RGB", **how)  # type: ignore[arg-type]

    def make(image: Image.Image) -> tuple[bytes, bytes, bytes]:
        converted = there.apply(image)
        reference = saved(back.apply(converted), format, **options)
        file = saved(converted, format, icc_profile=profile, **options)
        return reference, file, saved(converted, format, **options)

    return make


def rgb_spaces() -> Makers:
    """Return RGB spaces."""
    p3, adobe = matrix_profile(P3), matrix_profile(ADOBE_RGB, 563 / 256)
    return {
        "sRGB": by_profile(matrix_profile(SRGB)),
        "Display P3": by_profile(p3),
        "Display P3, JPEG": by_profile(p3, format="JPEG", quality=92),
        "Adobe RGB": by_profile(adobe),
        "ProPhoto RGB": by_profile(matrix_profile(PROPHOTO, 1.8, D50_XY)),
        "ProPhoto RGB, 16-bit PNG": deep(matrix_profile(PROPHOTO, 1.8, D50_XY)),
        "BT.2020, gamma 2.4": by_profile(matrix_profile(BT2020, 2.4)),
        "P3, gamma 2.6": by_profile(matrix_profile(P3, 2.6)),
        "sRGB primaries, gamma 1.8": by_profile(matrix_profile(SRGB, 1.8)),
        "sRGB primaries, linear": by_profile(matrix_profile(SRGB, 1.0)),
    }


def installed(folder: str) -> Makers:
    """Return spaces whose profiles are installed."""
    found = {path.name: path for path in Path(folder).rglob("*.ic[cm]")}
    makers: Makers = {}
    for name, (mode, file) in FILES.items():
        if file not in found:
            continue
        profile = found[file].read_bytes()
        if mode == "CMYK":
            makers[name + ", TIFF"] = by_profile(profile, mode, "TIFF")
            makers[name + ", JPEG"] = by_profile(profile, mode, "JPEG", quality=95)
        else:
            makers[name] = by_profile(profile, mode)
    return makers


def greys() -> Makers:
    """Return grey spaces."""

    def dot_gain(x: Array) -> Array:
        return np.clip(x - 0.2 * 4 * x * (1 - x), 0, 1)

    curves = {"gamma 2.2": 2.2, "gamma 1.8": 1.8, "dot gain 20 %": dot_gain, "linear": 1.0}
    return {f"grey, {name}": by_profile(grey_profile(curve), "L") for name, curve in curves.items()}


def gain_map() -> Makers:
    """Return JPEGs with a second image, as Ultra HDR and others store a gain map."""

    def make(image: Image.Image) -> tuple[bytes, bytes, bytes]:
        second = image.resize((image.width // 4, image.height // 4)).convert("L")
        plain = saved(image, "JPEG", quality=92)
        return plain, saved(image, "MPO", save_all=True, append_images=[second], quality=92), plain

    return {"JPEG with a gain map": make}


def deep(profile: bytes) -> Maker:
    """Return what makes 16-bit PNGs, with values that 8 bits do not have."""
    shallow = by_profile(profile)
    packed = profile_chunk(profile)

    def make(image: Image.Image) -> tuple[bytes, bytes, bytes]:
        reference, file, _ = shallow(image)
        pixels = np.asarray(Image.open(io.BytesIO(file))).astype(np.uint16) * 257
        noise = np.random.default_rng(0).integers(-128, 128, pixels.shape)
        pixels = np.clip(pixels + noise, 0, 65535).astype(np.uint16)
        return reference, png(pixels, packed), png(pixels)

    return make


def png(pixels: np.ndarray, chunk: bytes = b"") -> bytes:
    """Return a PNG of uint8 or uint16 [h, w, 3] with one more chunk."""
    height, width = pixels.shape[:2]
    wide = pixels.astype(pixels.dtype.newbyteorder(">")).view(np.uint8).reshape(height, -1)
    rows = np.hstack([np.zeros((height, 1), np.uint8), wide]).tobytes()
    header = struct.pack(">IIBBBBB", width, height, 8 * pixels.itemsize, 2, 0, 0, 0)
    data = _chunk(b"IDAT", zlib.compress(rows, 1))
    start = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header)
    return start + chunk + data + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def profile_chunk(profile: bytes) -> bytes:
    """Return a profile as PNGs have it."""
    return _chunk(b"iCCP", b"test\0\0" + zlib.compress(profile))


def code_points() -> Makers:
    """Return spaces with code points instead of a profile."""
    makers: Makers = {}
    for name, (primaries, transfer) in {
        "Display P3": (12, 13),
        "BT.2020 SDR": (9, 1),
        "BT.2020 PQ, white 203 nits": (9, 16),
        "BT.2020 PQ, to 1,000 nits": (9, 16),
        "BT.2020 HLG, white 203 nits": (9, 18),
        "BT.2020 HLG, to 1,000 nits": (9, 18),
    }.items():
        for kind in ("PNG",) if "1,000" in name else ("PNG", "AVIF", "HEIC"):
            makers[f"{name}, {kind}"] = _coded(primaries, transfer, "1,000" in name, kind)
    return makers


def _coded(primaries: int, transfer: int, bright: bool, kind: str) -> Maker:
    import pillow_heif

    pillow_heif.register_heif_opener()
    space = BT2020 if primaries == 9 else P3
    matrix = np.linalg.inv(to_xyz(space, D65_XY)) @ to_xyz(SRGB, D65_XY)

    def make(image: Image.Image) -> tuple[bytes, bytes, bytes]:
        light = np.clip(srgb_curve(np.asarray(image) / 255.0) @ matrix.T, 0, None)
        if bright:  # the brightest fifth becomes highlights
            light *= 1 + (1000 / 203 - 1) * np.clip(light, 0, 1) ** 3
        coded = {16: to_pq, 18: to_hlg}.get(transfer, to_sdr)(light)
        pixels = np.rint(np.clip(coded, 0, 1) * 255).astype(np.uint8)
        converted = Image.fromarray(pixels)
        if kind == "PNG":
            mark = _chunk(b"cICP", bytes((primaries, transfer, 0, 1)))
            return saved(image, "TIFF"), png(pixels, mark), png(pixels)
        options: dict[str, Any] = {"quality": 95, "speed": 8} if kind == "AVIF" else HEIC
        plain = saved(converted, kind.replace("C", "F"), **options)
        marked = bytearray(plain)
        place = plain.index(b"colrnclx") + 8
        marked[place : place + 4] = struct.pack(">HH", primaries, transfer)
        return saved(image, kind.replace("C", "F"), **options), bytes(marked), plain

    return make


def to_sdr(light: Array) -> Array:
    """Return sRGB's encoded values for linear light."""
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def to_pq(light: Array) -> Array:
    """Return PQ's encoded values, with white at 203 nits (ITU-R BT.2100, BT.2408)."""
    power = np.clip(light * 203 / 10_000, 0, 1) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


def to_hlg(light: Array) -> Array:
    """Return HLG's encoded values, for a peak of 1,000 nits (ITU-R BT.2100)."""
    shown = light * 0.203
    luminance = np.maximum(shown @ (0.2627, 0.6780, 0.0593), 1e-6)[..., None]
    scene = np.clip(shown * luminance ** (1 / 1.2 - 1), 0, 1)
    high = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), high)


if __name__ == "__main__":
    main(*sys.argv[1:])
