"""The outcome of a run: counts, reasons, times and the exit code."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from time import perf_counter

from mnv2cli.errors import ExitCode
from mnv2cli.inference.timings import Timings
from mnv2cli.records import Record


@dataclass
class Report:
    """Counts of a run; its size does not grow with the number of images.

    Attributes:
        images: Records of this run, including unreadable images.
        kept: Rows of an earlier run that were kept; their errors are included in ``errors``.
        errors: The number of unreadable images by reason.
        labels: The number of images whose best class this was, by (wnid, label).
        skipped: The number of skipped files and folders by reason, up to a colon.
        timings: Seconds by stage.
        started: ``perf_counter`` at the start.
        stopped: ``perf_counter`` at the end; None while the run lasts.
    """

    images: int = 0
    kept: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    labels: Counter[tuple[str, str]] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    timings: Timings = field(default_factory=Timings)
    started: float = field(default_factory=perf_counter)
    stopped: float | None = None

    def add(self, record: Record) -> None:
        """Count a record."""
        self.images += 1
        if record.error:
            self.errors[record.reason] += 1
        elif record.predictions:
            best = record.predictions[0]
            self.labels[best.wnid, best.label] += 1

    def keep(self, rows: int, errors: Counter[str]) -> None:
        """Count rows of an earlier run that were kept, and the errors among them by reason."""
        self.kept += rows
        self.errors.update(errors)

    def skip(self, path: str, reason: str) -> None:
        """Count a skipped file or folder."""
        self.skipped[reason.partition(":")[0]] += 1

    def stop(self) -> None:
        """Stop the clock."""
        self.stopped = perf_counter()

    @property
    def unreadable(self) -> int:
        """The number of unreadable images."""
        return self.errors.total()

    @property
    def seconds(self) -> float:
        """Seconds from the start to the end, or to now."""
        return (self.stopped or perf_counter()) - self.started

    @property
    def classifying(self) -> float:
        """The same without the seconds for loading the model."""
        return max(self.seconds - self.timings.loading, 0.0)

    @property
    def rate(self) -> float:
        """Images per second, without the time for loading the model."""
        return self.images / max(self.classifying, 1e-9)

    @property
    def return_code(self) -> ExitCode:
        """The exit code of a run that was not interrupted."""
        if not self.images + self.kept:
            return ExitCode.NO_IMAGES
        return ExitCode.SOME_UNREADABLE if self.errors else ExitCode.DONE
