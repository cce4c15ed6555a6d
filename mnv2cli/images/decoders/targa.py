"""TGA: Pillow's decoder, except that unused alpha is not transparency.

Source: Truevision TGA File Format Specification 2.0, pages 6 to 9.
"""

from __future__ import annotations

import os
from typing import IO

from PIL import Image, TgaImagePlugin

_RUN_LENGTH = 8


class TargaImage(TgaImagePlugin.TgaImageFile):
    """A TGA."""

    def _open(self) -> None:
        assert self.fp is not None
        header = self.fp.read(18)
        self._alpha_bits = header[17] & 15
        entries, entry_bits, depth = header[5] | header[6] << 8, header[7], header[16]
        start = 18 + header[0] + header[1] * entries * (-(-entry_bits // 8))
        self.fp.seek(0)
        super()._open()
        needed = start + self.size[0] * self.size[1] * (depth // 8)
        size = self.fp.seek(0, os.SEEK_END) or self.fp.tell()
        if size < (start if header[2] & _RUN_LENGTH else needed):
            raise OSError("image file is truncated")

    def load_end(self) -> None:
        """Make pixels opaque where no alpha was written: its bits are not declared, or all 0."""
        super().load_end()
        if self.mode == "RGBA" and not (self._alpha_bits and self.im.getband(3).getextrema()[1]):
            self.im.fillband(3, 255)


def open_image(file: IO[bytes]) -> Image.Image:
    """Read the header of a TGA.

    Raises:
        Exception: Any, if the header is damaged.
    """
    return TargaImage(file)
