"""PBM, PGM, PPM and PFM. Deep and odd ranges of values become 8 bits, whole rows at a time.

Pillow reads these value by value, which takes a second for a megapixel, and leaves deep grey in a
mode that does not define white. Source: the Netpbm manual, pages pbm, pgm, ppm.
"""

from __future__ import annotations

from typing import IO, Any

from PIL import Image, PpmImagePlugin

_ROWS_BYTES = 1 << 20


class NetpbmImage(PpmImagePlugin.PpmImageFile):
    """A PBM, PGM, PPM or PFM."""

    def load(self) -> Any:
        """Decode the pixels: mode 1, L, RGB or F."""
        if self.tile and self._im is None:
            decoder, _, _, settings = self.tile[0]
            if decoder == "ppm" and isinstance(settings, tuple):
                self._load_scaled(settings[-1])
            elif decoder == "raw" and self.mode == "I":
                self._load_scaled(65535)
        access = super().load()
        if self.mode == "I":  # plain text, which Pillow scales to 16 bits
            self.im = self.im.point([(i + 128) // 257 for i in range(65536)], "L")
            self._mode = "L"
        return access

    def _load_scaled(self, white: int) -> None:
        """Decode binary values of 0 to ``white``, big-endian with two bytes if one is too few."""
        import numpy as np

        width, height = self.size
        bands = 1 if self.mode in ("L", "I") else len(self.getbands())
        dtype = np.dtype(">u2" if white > 255 else "u1")
        row = width * bands * dtype.itemsize
        values = np.arange(1 << (8 * dtype.itemsize))
        scale = ((np.minimum(values, white) * 255 + white // 2) // white).astype(np.uint8)
        assert self.fp is not None
        self.fp.seek(self.tile[0].offset)
        pixels = np.empty((height, width * bands), np.uint8)
        rows = max(1, _ROWS_BYTES // row)
        for top in range(0, height, rows):
            part = pixels[top : top + rows]
            data = self.fp.read(len(part) * row)
            if len(data) < len(part) * row:
                raise OSError("image file is truncated")
            part[:] = scale[np.frombuffer(data, dtype)].reshape(part.shape)
        shape = (height, width) if bands == 1 else (height, width, bands)
        self._replace(Image.fromarray(pixels.reshape(shape)))

    def _replace(self, image: Image.Image) -> None:
        self.im, self._mode, self.tile = image.im, image.mode, []


def open_image(file: IO[bytes]) -> Image.Image:
    """Read the header of a PBM, PGM, PPM or PFM.

    Raises:
        Exception: Any, if the header is damaged.
    """
    return NetpbmImage(file)
