"""PBM, PGM, PPM and PFM. Deep, odd and textual values become 8 bits, many at a time.

Pillow reads these value by value, which takes a second for a megapixel, and leaves deep grey in a
mode that does not define white. Source: the Netpbm manual, pages pbm, pgm, ppm.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING, Any

from PIL import Image, PpmImagePlugin

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SPACE = re.compile(rb"\s")

_STEP = 1 << 20  # bytes

_LONGEST = 12
"""Bytes of text for a value at most; no more are read for each, with what separates them."""

_SPARE = 1 << 16
"""Bytes of text for comments."""


class NetpbmImage(PpmImagePlugin.PpmImageFile):
    """A PBM, PGM, PPM or PFM."""

    def load(self) -> Any:
        """Decode the pixels: mode 1, L, RGB or F."""
        if self.tile and self._im is None:
            decoder, _, place, settings = self.tile[0]
            white = settings[-1] if isinstance(settings, tuple) else 65535
            assert self.fp is not None
            self.fp.seek(place)
            if decoder == "ppm_plain":
                self._load_values(self._bits() if self.mode == "1" else self._numbers(white))
            elif decoder == "ppm" or self.mode == "I":
                self._load_values(self._binary(white))
        return super().load()

    def _load_values(self, values: Iterator[NDArray[np.uint8]]) -> None:
        """Use values of 0 to 255 as pixels."""
        import numpy as np

        width, height = self.size
        pixels, done = np.empty(self._count(), np.uint8), 0
        for part in values:
            wanted = part[: len(pixels) - done]
            pixels[done : done + len(wanted)] = wanted
            done += len(wanted)
            if done == len(pixels):
                break
        if done < len(pixels):
            raise OSError("image file is truncated")
        shape = (height, width, 3) if self.mode == "RGB" else (height, width)
        image = Image.fromarray(pixels.reshape(shape))
        self.im, self._mode, self.tile = image.im, image.mode, []

    def _count(self) -> int:
        return self.size[0] * self.size[1] * len(self.getbands())

    def _binary(self, white: int) -> Iterator[NDArray[np.uint8]]:
        """Yield values of one byte, or big-endian with two if one is too few for ``white``."""
        import numpy as np

        scale = _scale(white)
        dtype = np.dtype(">u2" if white > 255 else "u1")
        assert self.fp is not None
        while data := self.fp.read(_STEP):
            yield scale(np.frombuffer(data, dtype, len(data) // dtype.itemsize))

    def _numbers(self, white: int) -> Iterator[NDArray[np.uint8]]:
        """Yield values that are written as decimal numbers."""
        import numpy as np

        scale = _scale(white)
        for text in self._texts():
            if words := text.split():
                if len(max(words, key=len)) > _LONGEST:
                    raise ValueError("invalid text instead of numbers")
                yield scale(np.array(words).astype(np.int64))

    def _bits(self) -> Iterator[NDArray[np.uint8]]:
        """Yield values that are written as 1, which is black, and 0, with or without spaces."""
        import numpy as np

        for text in self._texts():
            digits = np.frombuffer(b"".join(text.split()), np.uint8)
            if ((digits != ord("0")) & (digits != ord("1"))).any():
                raise ValueError("invalid text instead of bits")
            yield ((ord("1") - digits) * 255).astype(np.uint8)

    def _texts(self) -> Iterator[bytes]:
        """Yield the text without comments, in parts that end with a value."""
        assert self.fp is not None
        text = self.fp.read(self._count() * _LONGEST + _SPARE)
        if b"#" in text:
            text = re.sub(rb"#[^\r\n]*", b"", text)
        place = 0
        while place < len(text):
            space = _SPACE.search(text, place + _STEP)
            stop = space.end() if space else len(text)
            yield text[place:stop]
            place = stop


def _scale(white: int) -> Callable[[NDArray[Any]], NDArray[np.uint8]]:
    """Return a function that turns values of 0 to ``white`` into 0 to 255."""
    import numpy as np

    table = (np.minimum(np.arange(65536), white) * 255 + white // 2) // white
    bytes_of = table.astype(np.uint8)

    def scaled(values: NDArray[Any]) -> NDArray[np.uint8]:
        if values.dtype == np.int64 and ((values < 0) | (values > white)).any():
            raise ValueError(f"a value is not from 0 to {white}")
        found: NDArray[np.uint8] = bytes_of[values]
        return found

    return scaled


def open_image(file: IO[bytes]) -> Image.Image:
    """Read the header of a PBM, PGM, PPM or PFM.

    Raises:
        Exception: Any, if the header is damaged.
    """
    return NetpbmImage(file)
