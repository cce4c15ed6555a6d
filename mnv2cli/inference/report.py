"""What a run came to: counts, reasons and times, and the exit code that follows from them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from time import perf_counter

from mnv2cli.errors import ExitCode
from mnv2cli.inference.timings import Timings
from mnv2cli.records import Record


@dataclass
class Report:
    """Counts of a run, kept as records pass by; bounded, whatever the number of images.

    Attributes:
        images: Records seen, errors included.
        errors: How many had each reason.
        labels: How often each class came first, by (wnid, label).
        skipped: How many files and folders were left out, by reason.
        timings: Seconds by stage.
        kept: Rows of an earlier run that stay; their errors are in ``errors``.
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
        """Count rows of an earlier run that stay."""
        self.kept += rows
        self.errors.update(errors)

    def skip(self, path: str, reason: str) -> None:
        """Count a file or folder that was left out."""
        self.skipped[reason] += 1

    def stop(self) -> None:
        """Stop the clock."""
        self.stopped = perf_counter()

    @property
    def unreadable(self) -> int:
        """How many records are errors."""
        return self.errors.total()

    @property
    def seconds(self) -> float:
        """Seconds from the start to the stop, or to now."""
        return (self.stopped or perf_counter()) - self.started

    @property
    def rate(self) -> float:
        """Images a second, once the network was loaded."""
        return self.images / max(self.seconds - self.timings.loading, 1e-9)

    @property
    def return_code(self) -> ExitCode:
        """The exit code of a run that went through to its end."""
        if not self.images + self.kept:
            return ExitCode.NO_IMAGES
        return ExitCode.SOME_UNREADABLE if self.errors else ExitCode.DONE
