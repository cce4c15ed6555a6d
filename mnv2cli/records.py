"""The data that flows from stage to stage: frozen, small, the same for all images."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Status = Literal["ok", "error"]


@dataclass(frozen=True, slots=True)
class Source:
    """An image to read.

    Attributes:
        path: The path as the user gave it, joined with the names below a folder; bytes that are
            not UTF-8 are surrogate escapes.
        error: Why it cannot be read, if that is already known, as for a folder that cannot be
            listed; else empty.
        position: In a shard, its position among the images of all shards, from 0; else None.
    """

    path: str
    error: str = ""
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Prediction:
    """A class predicted for an image.

    Attributes:
        wnid: WordNet ID, such as ``n02124075``; the key of the class.
        label: Name, such as ``Egyptian cat``; two classes can share a name.
        score: Softmax probability in [0, 1]: the shortest decimal that rounds to the float32.
    """

    wnid: str
    label: str
    score: float


def lead(best: float, second: float) -> float:
    """Return the lead of a score over the next, in [0, 1].

    It is rounded to the seven digits of a float32: 0.6 leads 0.5 by 0.1, not by 0.0999999.
    """
    return round(best - second, 7)


@dataclass(frozen=True, slots=True)
class CategoryScore:
    """The category of an image.

    Attributes:
        name: Such as ``dog``; empty if no category was certain enough, by its own threshold or by
            the smallest margin of the run (the score is 0), or the best category is ignored (the
            score is its own).
        score: The sum of the scores of its classes, in [0, 1].
        margin: The score minus that of the next category, in [0, 1].
    """

    name: str
    score: float
    margin: float


@dataclass(frozen=True, slots=True)
class Record:
    """The result for one image: its predictions, or an error.

    Attributes:
        path: As in :class:`Source`.
        predictions: Best first; empty for an error, or if no score reached the minimum.
        error: Empty, or ``reason`` or ``reason: detail``.
        model: The model of the run, such as ``mobilenet_v2_1.0_224``; also set for an error.
        category: The category, if requested.
        node: The deepest node of the WordNet tree that is certain enough, if requested.
        position: As in :class:`Source`.
        embedding: The pooled features under the network's last layer, float32 [features], if
            requested. Records with different embeddings may be equal.
        thumbnail: A small WebP of the image, if requested; also ignored when records are compared.
    """

    path: str
    predictions: tuple[Prediction, ...] = ()
    error: str = ""
    model: str = ""
    category: CategoryScore | None = None
    node: Prediction | None = None
    position: int | None = None
    embedding: NDArray[np.float32] | None = field(default=None, compare=False, repr=False)
    thumbnail: bytes | None = field(default=None, compare=False, repr=False)

    @property
    def status(self) -> Status:
        """``ok`` or ``error``."""
        return "error" if self.error else "ok"

    @property
    def reason(self) -> str:
        """The part of the error before the colon, by which images are counted."""
        return self.error.partition(":")[0]
