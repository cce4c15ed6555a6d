"""What flows from stage to stage: frozen, small, and the same for good and bad images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "error"]


@dataclass(frozen=True, slots=True)
class Source:
    """An image to read, as found.

    Attributes:
        path: As the user gave it, joined below; bytes that are not UTF-8 are surrogate escapes.
        error: Why it cannot be an image, if that was found while looking for it (a folder that
            cannot be listed); empty otherwise.
        position: Its number among all images of a run that is done in shards, from 0; else None.
    """

    path: str
    error: str = ""
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Prediction:
    """One class that the network saw in an image.

    Attributes:
        wnid: WordNet id, such as ``n02124075``; the key of the class.
        label: Human name, such as ``Egyptian cat``; two classes may share one.
        score: Softmax probability in [0, 1]; the shortest decimal that is the float32 score.
    """

    wnid: str
    label: str
    score: float


@dataclass(frozen=True, slots=True)
class CategoryScore:
    """The category of an image.

    Attributes:
        name: Such as ``dog``; empty where no category reached its own threshold (the score is 0),
            or where the best category is ignored (the score is that category's).
        score: The sum of the scores of its classes, in [0, 1].
        margin: How much more that is than the next category's.
    """

    name: str
    score: float
    margin: float


@dataclass(frozen=True, slots=True)
class Record:
    """One image and all that became of it: predictions, best first, or an error.

    Attributes:
        path: As in :class:`Source`.
        predictions: Best first; empty for an error, or where no score reached the threshold.
        error: Empty, or ``reason`` or ``reason: detail`` in plain words.
        model: The network of the run, such as ``mobilenet_v2_1.0_224``; errors have it too.
        category: Where categories were asked for.
        node: The deepest node of the tree that is sure enough, where that was asked for.
        position: As in :class:`Source`.
    """

    path: str
    predictions: tuple[Prediction, ...] = ()
    error: str = ""
    model: str = ""
    category: CategoryScore | None = None
    node: Prediction | None = None
    position: int | None = None

    @property
    def status(self) -> Status:
        """``ok`` or ``error``."""
        return "error" if self.error else "ok"

    @property
    def reason(self) -> str:
        """The part of the error that images with the same trouble share."""
        return self.error.partition(":")[0]
