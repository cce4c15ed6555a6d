"""Convert colours by code points: HDR, and wide gamuts without a profile.

Sources: ITU-T H.273 (code points), PNG specification 3rd edition, 11.3.2.6 (cICP), ISO 23008-12 and
MIAF (nclx), ITU-R BT.2100 (PQ, HLG), BT.2087 (matrix), BT.2408 (reference white), BT.2390, 5.4.1
(EETF), IEC 61966-2-1 (sRGB), Adobe RGB (1998), DCF 2.0 (R03).
"""

from __future__ import annotations

import struct
from functools import lru_cache, partial
from typing import IO, TYPE_CHECKING, Any

from mnv2cli.images.colour_table import Conversion, conversion_by, exact

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    Light = NDArray[np.floating[Any]]

CodePoints = tuple[int, int]
"""Colour primaries and transfer characteristics."""

ADOBE_RGB: CodePoints = (-1, -1)
"""Not in H.273: cameras mark it in EXIF, with no profile."""

_PQ, _HLG = 16, 18

_TO_SRGB = {
    9: ((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187)),
    12: ((1.2249, -0.2247, 0.0), (-0.0420, 1.0419, 0.0), (-0.0197, -0.0786, 1.0979)),
    ADOBE_RGB[0]: ((1.3984, -0.3984, 0.0), (0.0, 1.0, 0.0), (0.0, -0.0429, 1.0429)),
}
"""Matrices from linear light of BT.2020, Display P3 and Adobe RGB to that of sRGB."""

WHITE_NITS = 203.0
"""Luminance of diffuse white in HDR, which becomes the white of sRGB."""

PEAK_NITS = 1000.0
"""Luminance of the brightest highlights that keep a difference."""

_HEAD_BYTES = 1 << 16
_MAX_CHUNKS = 256


def png_code_points(file: IO[bytes]) -> CodePoints | None:
    """Return the code points of a PNG, which count more than its profile; None without any."""
    file.seek(8)
    for _ in range(_MAX_CHUNKS):
        head = file.read(8)
        if len(head) < 8 or head[4:] == b"IDAT":
            return None
        length = int.from_bytes(head[:4], "big")
        if head[4:] == b"cICP":
            found = file.read(2)
            return (found[0], found[1]) if len(found) == 2 else None
        file.seek(length + 4, 1)
    return None


def avif_code_points(file: IO[bytes]) -> CodePoints | None:
    """Return the code points of an AVIF; None without any, or with a profile, which counts more."""
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    place = head.find(b"colrnclx")
    if place < 0 or b"colrprof" in head or b"colrrICC" in head or len(head) < place + 12:
        return None
    primaries, transfer = struct.unpack_from(">HH", head, place + 8)
    return primaries, transfer


def code_points(image: Image.Image) -> CodePoints | None:
    """Return the code points of an opened image; None without any."""
    found: CodePoints | None = image.info.get("code_points")
    nclx: Any = image.info.get("nclx_profile")
    if nclx and not found:
        return int(nclx["color_primaries"]), int(nclx["transfer_characteristics"])
    return found


def is_adobe_rgb(image: Image.Image) -> bool:
    """Check whether EXIF marks an image as Adobe RGB, as cameras do."""
    exif: Any = image.info.get("exif")
    if not isinstance(exif, bytes) or b"R03\0" not in exif:
        return False
    try:
        return image.getexif().get_ifd(0xA005).get(1) == "R03"
    except Exception:  # EXIF is often malformed
        return False


@lru_cache(16)
def conversion_by_code_points(points: CodePoints) -> Conversion | None:
    """Return the conversion to sRGB; None if these are close to it, or unknown.

    HDR is mapped to the range of sRGB for each channel.
    """
    import numpy as np

    primaries, transfer = points
    if primaries not in _TO_SRGB and transfer not in (_PQ, _HLG):
        return None
    matrix = np.array(_TO_SRGB.get(primaries, np.eye(3)), np.float32).T
    levels = np.linspace(0, 1, 256, dtype=np.float32)
    curve: Light
    if transfer == _PQ:
        curve = _tone_mapped(_from_pq(levels))
    elif transfer == _HLG:
        curve = _from_hlg(levels)
    elif points == ADOBE_RGB:
        curve = levels ** np.float32(563 / 256)
    else:
        curve = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)

    def formula(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
        light = curve[colours]
        if transfer == _HLG:
            # Display light; BT.2100's system gamma is 1.2 at a peak of 1,000 nits.
            weights = np.array((0.2627, 0.6780, 0.0593), np.float32)
            luminance = (light @ weights)[..., None]
            light = _tone_mapped(light * np.maximum(luminance, 1e-6) ** 0.2 * PEAK_NITS)
        return _srgb(light @ matrix)

    # HDR is rare and its curves are steep: a table would be inaccurate and take half a second.
    return partial(exact, formula) if transfer in (_PQ, _HLG) else conversion_by(formula)


def _to_pq(nits: Light) -> Light:
    import numpy as np

    power = (np.clip(nits, 0, 10_000) / 10_000) ** (2610 / 16384)
    coded: Light = (3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)
    return coded ** (2523 / 32)


def _from_pq(coded: Light) -> Light:
    import numpy as np

    power = coded ** (32 / 2523)
    ratio = np.maximum(power - 3424 / 4096, 0) / (2413 / 128 - 2392 / 128 * power)
    nits: Light = 10_000 * ratio ** (16384 / 2610)
    return nits


def _from_hlg(coded: Light) -> Light:
    """Return scene light, 0 to 1."""
    import numpy as np

    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(coded <= 0.5, coded**2 / 3, (np.exp((coded - c) / a) + b) / 12)


def _tone_mapped(nits: Light) -> Light:
    """Map nits to sRGB's linear light, with a soft shoulder: the EETF of BT.2390."""
    import numpy as np

    ends = _to_pq(np.array((PEAK_NITS, WHITE_NITS), np.float32))
    peak, top = ends[0], ends[1] / ends[0]
    knee = 1.5 * top - 0.5
    coded = np.minimum(_to_pq(nits) / peak, 1)
    t = np.clip((coded - knee) / (1 - knee), 0, 1)
    shoulder = (
        (2 * t**3 - 3 * t**2 + 1) * knee
        + (t**3 - 2 * t**2 + t) * (1 - knee)
        + (-2 * t**3 + 3 * t**2) * top
    )
    return _from_pq(np.where(coded < knee, coded, shoulder) * peak) / WHITE_NITS


def _srgb(light: Light) -> NDArray[np.uint8]:
    import numpy as np

    light = np.clip(light, 0, 1)
    coded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    levels: NDArray[np.uint8] = np.rint(coded * 255).astype(np.uint8)
    return levels
