"""What is made of a decoded image: the network's input, a thumbnail, or both of one decoding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol, TypeVar

from mnv2cli.images import thumbnail as thumbnails
from mnv2cli.images.options import ImageOptions
from mnv2cli.images.resize import input_of, is_tutorial, least_size, prepare, to_input

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Both(NamedTuple):
    """The network's input and the thumbnail of one image.

    Attributes:
        pixels: uint8 [size, size, 3], RGB.
        thumbnail: A WebP.
    """

    pixels: NDArray[np.uint8]
    thumbnail: bytes


class Rendition(Protocol[T]):
    """What is made of a decoded image.

    Attributes:
        kind: Names it in a request to an isolated decoder.
    """

    kind: ClassVar[bytes]

    @property
    def picks_pixels(self) -> bool:
        """Whether it is made of single pixels, which a decoder must not average before."""
        ...

    @property
    def max_bytes(self) -> int:
        """The length of its bytes at most."""
        ...

    def least_size(self, image_size: tuple[int, int]) -> tuple[int, int]:
        """Return the smallest image size that still has all the pixels that it requires."""
        ...

    def make(self, image: Image) -> T:
        """Make it of a loaded image; raises ImageError."""
        ...

    def to_bytes(self, made: T) -> bytes:
        """Return it as bytes."""
        ...

    def from_bytes(self, data: bytes) -> T | None:
        """Return it from its bytes; None if they are invalid."""
        ...


@dataclass(frozen=True, slots=True)
class NetworkInput:
    """The input of a network: uint8 [size, size, 3], RGB.

    Attributes:
        size: Its side in pixels.
        options: How the image is made square.
    """

    kind: ClassVar[bytes] = b"d"

    size: int
    options: ImageOptions

    @property
    def max_bytes(self) -> int:
        """The length of its bytes."""
        return 3 * self.size**2

    @property
    def picks_pixels(self) -> bool:
        """Whether the interpolation is nearest."""
        return self.options.interpolation == "nearest"

    def least_size(self, image_size: tuple[int, int]) -> tuple[int, int]:
        """Return the smallest image size that it can be made of."""
        return least_size(image_size, self.size, self.options)

    def make(self, image: Image) -> NDArray[np.uint8]:
        """Make it of a loaded image; raises ImageError."""
        import numpy as np

        return np.asarray(to_input(image, self.size, self.options))

    def to_bytes(self, made: NDArray[np.uint8]) -> bytes:
        """Return the pixels as bytes."""
        return made.tobytes()

    def from_bytes(self, data: bytes) -> NDArray[np.uint8] | None:
        """Return the pixels from their bytes; None if there are too few or too many."""
        import numpy as np

        if len(data) != self.max_bytes:
            return None
        return np.frombuffer(data, np.uint8).reshape(self.size, self.size, 3)


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A thumbnail alone: a WebP."""

    kind: ClassVar[bytes] = b"w"
    picks_pixels: ClassVar[bool] = False

    @property
    def max_bytes(self) -> int:
        """The length of its bytes at most."""
        return thumbnails.MAX_BYTES

    def least_size(self, image_size: tuple[int, int]) -> tuple[int, int]:
        """Return the smallest image size that it can be made of."""
        return thumbnails.least_size(image_size)

    def make(self, image: Image) -> bytes:
        """Make it of a loaded image; raises ImageError."""
        return thumbnails.thumbnail(prepare(image))

    def to_bytes(self, made: bytes) -> bytes:
        """Return it unchanged."""
        return made

    def from_bytes(self, data: bytes) -> bytes | None:
        """Return it unchanged; None if it is not a thumbnail."""
        return data if thumbnails.is_thumbnail(data) else None


@dataclass(frozen=True, slots=True)
class InputAndThumbnail:
    """The network's input and a thumbnail, of one decoding.

    The image is decoded for the network, so its input is the same as without a thumbnail. For a
    small network the thumbnail of a small JPEG may therefore have fewer pixels than usual.

    Attributes:
        input: The network's input.
    """

    kind: ClassVar[bytes] = b"b"

    input: NetworkInput

    @property
    def picks_pixels(self) -> bool:
        """Whether the network's input is."""
        return self.input.picks_pixels

    @property
    def max_bytes(self) -> int:
        """The length of its bytes at most."""
        return self.input.max_bytes + thumbnails.MAX_BYTES

    def least_size(self, image_size: tuple[int, int]) -> tuple[int, int]:
        """Return the smallest image size that the network's input can be made of."""
        return self.input.least_size(image_size)

    def make(self, image: Image) -> Both:
        """Make both of a loaded image; raises ImageError."""
        import numpy as np

        size, options = self.input.size, self.input.options
        if is_tutorial(options):  # its pixels ignore profiles, which thumbnails never do
            pixels = self.input.make(image)  # before the other copy of the image is made
            return Both(pixels, thumbnails.thumbnail(prepare(image)))
        prepared = prepare(image)
        pixels = np.asarray(input_of(prepared, size, options))
        return Both(pixels, thumbnails.thumbnail(prepared))

    def to_bytes(self, made: Both) -> bytes:
        """Return the pixels, then the thumbnail."""
        return self.input.to_bytes(made.pixels) + made.thumbnail

    def from_bytes(self, data: bytes) -> Both | None:
        """Return both from their bytes; None if they are invalid."""
        end = self.input.max_bytes
        pixels, thumbnail = self.input.from_bytes(data[:end]), data[end:]
        if pixels is None or not thumbnails.is_thumbnail(thumbnail):
            return None
        return Both(pixels, thumbnail)
