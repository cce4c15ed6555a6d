"""ICC profiles made from primaries and curves, for tests and measurements.

Sources: ICC.1:2001-04 (version 2 of the format), Lindbloom (matrices, Bradford adaptation), IEC
61966-2-1 (sRGB), SMPTE RP 431-2 and EG 432-1 (P3), ROMM RGB (ISO 22028-2), ITU-R BT.2020.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
D50 = np.array((0.9642, 1.0, 0.8249))
D65_XY, D50_XY = (0.3127, 0.3290), (0.3457, 0.3585)
_BRADFORD = np.array(
    ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))
)

SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
ADOBE_RGB = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
PROPHOTO = ((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001))
BT2020 = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))


def srgb_curve(x: Array) -> Array:
    """Return linear light for sRGB's encoded values, both 0 to 1."""
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def to_xyz(primaries: Sequence[tuple[float, float]], white: tuple[float, float]) -> Array:
    """Return the 3 x 3 matrix from linear RGB to XYZ relative to D50."""
    columns = np.array([_xyz(x, y) for x, y in primaries]).T
    matrix = columns * np.linalg.solve(columns, _xyz(*white))
    cone, wanted = _BRADFORD @ _xyz(*white), _BRADFORD @ D50
    adapted: Array = np.linalg.inv(_BRADFORD) @ np.diag(wanted / cone) @ _BRADFORD @ matrix
    return adapted


def matrix_profile(
    primaries: Sequence[tuple[float, float]] = P3,
    curve: float | Callable[[Array], Array] = srgb_curve,
    white: tuple[float, float] = D65_XY,
    name: str = "test",
) -> bytes:
    """Return a profile of an RGB space.

    Args:
        primaries: The x and y of red, green and blue.
        curve: A gamma, or a function from encoded values to linear light, both 0 to 1.
        white: Its x and y.
        name: The description.
    """
    columns = to_xyz(primaries, white).T
    tags = {kind: _xyz_tag(*column) for kind, column in zip(_COLUMNS, columns, strict=True)}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _curve_tag(curve))
    return _profile(b"RGB ", b"XYZ ", tags, name)


def grey_profile(curve: float | Callable[[Array], Array] = 2.2) -> bytes:
    """Return a profile of a grey space."""
    return _profile(b"GRAY", b"XYZ ", {b"kTRC": _curve_tag(curve)}, "test grey")


def cmyk_profile(table: Callable[[Array], Array], points: int = 5) -> bytes:
    """Return a profile of a CMYK space, from a table.

    Args:
        table: Called with CMYK [n, 4] from 0 to 1, returns CIELAB [n, 3]: L* to 100, a*, b*.
        points: Points of the table in each dimension.
    """
    grid = np.stack(np.meshgrid(*[np.linspace(0, 1, points)] * 4, indexing="ij"), axis=-1)
    lab = table(grid.reshape(-1, 4))
    coded = np.stack([lab[:, 0] * 2.55, lab[:, 1] + 128, lab[:, 2] + 128], axis=-1)
    entries = np.rint(np.clip(coded, 0, 255)).astype(np.uint8).tobytes()
    identity = bytes(range(256))
    one = struct.pack(">9i", *(65536 if i % 4 == 0 else 0 for i in range(9)))
    lut = b"mft1" + bytes(4) + bytes((4, 3, points, 0)) + one
    lut += identity * 4 + entries + identity * 3
    return _profile(b"CMYK", b"Lab ", {b"A2B0": lut, b"A2B1": lut}, "test CMYK", b"prtr")


def lab_of(rgb: Array) -> Array:
    """Return CIELAB relative to D50 for sRGB values [n, 3] from 0 to 1."""
    xyz = srgb_curve(rgb) @ to_xyz(SRGB, D65_XY).T / D50
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (xyz * 24389 / 27 + 16) / 116)
    return np.stack(
        [116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=-1
    )


_COLUMNS = (b"rXYZ", b"gXYZ", b"bXYZ")


def _xyz(x: float, y: float) -> Array:
    return np.array((x / y, 1.0, (1 - x - y) / y))


def _xyz_tag(*values: float) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in values))


def _curve_tag(curve: float | Callable[[Array], Array]) -> bytes:
    if callable(curve):
        values = np.rint(np.clip(curve(np.linspace(0, 1, 1024)), 0, 1) * 65535).astype(">u2")
        return b"curv" + bytes(4) + struct.pack(">I", len(values)) + values.tobytes()
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(curve * 256))


def _profile(
    space: bytes, between: bytes, tags: dict[bytes, bytes], name: str, kind: bytes = b"mntr"
) -> bytes:
    text = name.encode("ascii") + b"\0"
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(78),
        b"cprt": b"text" + bytes(4) + b"none\0",
        b"wtpt": _xyz_tag(*D50),
        **tags,
    }
    offset = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for tag, data in tags.items():
        table += struct.pack(">4sII", tag, offset + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    date = struct.pack(">6H", 2026, 1, 1, 0, 0, 0)
    header = struct.pack(">I4sI4s4s4s12s4s", offset + len(body), bytes(4), 0x02400000, kind,
                         space, between, date, b"acsp")  # fmt: skip
    header += bytes(28) + struct.pack(">3i", *(round(value * 65536) for value in D50))
    return header.ljust(128, b"\0") + table + body
