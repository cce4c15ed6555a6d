"""Convert 8-bit colours by a formula, or three times as fast by a table made from it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

ACCURATE = 0.6
"""Mean difference in levels up to which a table replaces its formula: Display P3 has 0.5."""

Formula = Callable[["NDArray[np.uint8]"], "NDArray[np.uint8]"]
"""Called with RGB [n, n, 3], returns sRGB of the same shape."""

Conversion = Callable[["Image.Image"], "Image.Image"]
"""Called with a small image, returns it in sRGB."""

BITS = 6
"""Bits of each channel that select an entry; a megabyte per table."""

SAME = 2
"""Largest difference in levels at which colours are the same: profiles of sRGB differ by 1."""


class ColourTable:
    """A table from RGB to sRGB, with an entry for each cell of 4 x 4 x 4 colours.

    Inside a cell a colour keeps its distance from the centre, which suits formulas that change
    colours little. Threads may share a table.

    Args:
        formula: Converts colours exactly.
    """

    def __init__(self, formula: Formula) -> None:
        import numpy as np

        count, step = 1 << BITS, 1 << (8 - BITS)
        levels = np.arange(0, 256, step, dtype=np.uint8)
        blue, green, red = np.meshgrid(levels, levels, levels, indexing="ij")
        lowest = np.stack((red, green, blue), axis=-1).reshape(count * count, count, 3)
        ends = formula(lowest).astype(np.int16) + formula(lowest + np.uint8(step - 1))
        # Adding 0 to 3 later never overflows into the next byte.
        entries = np.clip((ends - (step - 2)) // 2, 0, 255 - (step - 1))
        packed = np.zeros((count**3, 4), np.uint8)
        packed[:, :3] = entries.reshape(-1, 3)
        self._entries = packed.view("<u4").ravel()

    def __call__(self, image: Image.Image) -> Image.Image:
        """Convert an RGB or RGBA image to sRGB; alpha stays."""
        import numpy as np
        from PIL import Image

        coded = "RGBX" if image.mode == "RGB" else "RGBA"
        pixels = np.frombuffer(image.tobytes("raw", coded), "<u4")
        place = (pixels >> 2) & 0x3F
        place |= (pixels >> 4) & 0xFC0
        place |= (pixels >> 6) & 0x3F000
        found = self._entries.take(place)
        found += pixels & 0x030303
        found |= pixels & 0xFF000000
        return Image.frombytes(image.mode, image.size, found.data, "raw", coded)


def conversion_by(formula: Formula) -> Conversion:
    """Return a conversion of RGB and RGBA images: by a table if that is accurate."""
    import numpy as np
    from PIL import Image

    table = ColourTable(formula)
    colours = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    found = np.asarray(table(Image.fromarray(colours)))
    error = np.abs(formula(colours).astype(np.int16) - found).mean()
    return table if error <= ACCURATE else partial(exact, formula)


def exact(formula: Formula, image: Image.Image) -> Image.Image:
    """Convert an RGB or RGBA image by a formula; alpha stays."""
    import numpy as np
    from PIL import Image

    converted = Image.fromarray(formula(np.asarray(image.convert("RGB"))))
    if image.mode == "RGBA":
        converted.putalpha(image.getchannel("A"))
    return converted


def changes_colours(formula: Formula) -> bool:
    """Check whether a formula changes colours visibly."""
    import numpy as np

    levels = np.arange(0, 256, 17, dtype=np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, levels.size, 3)
    return bool(np.abs(formula(grid).astype(np.int16) - grid).max() > SAME)
