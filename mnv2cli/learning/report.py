"""What learning returns: figures, advice, and what was not used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mnv2cli.errors import ExitCode

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.learning.diagnosis import Advice, Suspect
    from mnv2cli.learning.metrics import Metrics


@dataclass(frozen=True)
class Unused:
    """Photos and files that were not learned from.

    Attributes:
        skipped: Paths and reasons.
        unreadable: Paths and errors.
        copies: Paths of photos with the content of another photo of their class.
        conflicts: Paths of photos with one content, and the classes that they are in.
    """

    skipped: tuple[tuple[str, str], ...] = ()
    unreadable: tuple[tuple[str, str], ...] = ()
    copies: tuple[str, ...] = ()
    conflicts: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class Moved:
    """A photo of a sorted folder, and two classes of it.

    Attributes:
        path: Where the photo is now.
        before: The folder where mnv2 sort put it, or where the earlier model would.
        after: The folder where the user put it, or where the new model would.
    """

    path: str
    before: str
    after: str


@dataclass(frozen=True)
class Relearned:
    """What corrections changed.

    Attributes:
        corrections: The photos that the user moved to another class.
        added: The number of photos that the user put into class folders.
        trusted: The number of photos that were learned although the user did not move them.
        answers: The number of learned photos whose class is the answer of an earlier model.
        dropped: The number of earlier photos that are no longer learned, as the user moved them
            out of their class.
        accuracy_before: The share of held-out photos that are right without the corrections.
        accuracy_after: The same with them, of the same photos in the same folds.
        corrected_before: The number of corrections that are right without the others.
        corrected_after: The number that are right with the others, each held out.
        would_move: Other photos that would now go elsewhere.
        ignored: Paths of moved photos that are not corrections, and why.
        renamed: Classes whose folder the user renamed, and its new name, which is not learned.
        missing: The number of photos that are no longer in the sorted folder.
        lost: The number of earlier training photos that were not found.
        backup: Where the earlier model is kept; empty if it was not replaced.
    """

    corrections: tuple[Moved, ...]
    added: int
    accuracy_before: float
    accuracy_after: float
    corrected_before: int
    corrected_after: int
    trusted: int = 0
    answers: int = 0
    dropped: int = 0
    would_move: tuple[Moved, ...] = ()
    ignored: tuple[tuple[str, str], ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    missing: int = 0
    lost: int = 0
    backup: str = ""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Photos that were learned from, each scored by a model that did not see it.

    Attributes:
        paths: The n photos.
        classes: The class of each as an index of the class names, int [n].
        scores: Calibrated scores, float32 [n, k].
    """

    paths: tuple[str, ...]
    classes: NDArray[np.int64]
    scores: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Report:
    """A learned model, and how good it is on photos that it did not learn from.

    Attributes:
        path: The file of the model.
        size: Its size in bytes.
        network: The name of the network below it.
        source: Where the photos come from.
        metrics: The figures, out of fold: each photo is scored by a model that did not see it.
        groups: The number of groups of photos that were kept together.
        suspects: Photos that are probably mislabelled.
        advice: What more photos would bring.
        unused: What was not learned from.
        base: Where relative paths of a file of labels started; empty for the current folder.
        strength: C, the inverse strength of the penalty.
        temperature: What the logits were divided by.
        fitting: Seconds from features to a written model.
        alike: The classes whose near copies were not held out together, because nearly all of their
            photos are near copies; the figures of these classes flatter.
        different: The number of groups of each class that has fewer than ten and than photos.
        sorted_folder: The folder whose corrections were learned; empty for none.
        relearned: What the corrections changed; None for none.
        held_out: The scores that the figures are from; None if they are not known.
    """

    path: str
    size: int
    network: str
    source: str
    metrics: Metrics
    groups: int
    suspects: tuple[Suspect, ...]
    advice: Advice
    unused: Unused = field(default_factory=Unused)
    base: str = ""
    strength: float = 0.0
    temperature: float = 1.0
    fitting: float = 0.0
    alike: tuple[str, ...] = ()
    different: Mapping[str, int] = field(default_factory=dict)
    sorted_folder: str = ""
    relearned: Relearned | None = None
    held_out: HeldOut | None = field(default=None, repr=False)

    @property
    def photos(self) -> int:
        """The number of photos that were learned from."""
        return self.metrics.photos

    @property
    def accuracy(self) -> float:
        """The share of photos that were right when they were held out."""
        return self.metrics.top1

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % confidence interval of :attr:`accuracy`."""
        return self.metrics.interval

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order of the model's scores."""
        return tuple(each.name for each in self.metrics.classes)

    @property
    def return_code(self) -> ExitCode:
        """The exit code of the command."""
        return ExitCode.SOME_UNREADABLE if self.unused.unreadable else ExitCode.DONE
