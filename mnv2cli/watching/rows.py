"""Write a row for each photo as it arrives, into results that can be resumed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING

from mnv2cli.errors import InputError
from mnv2cli.records import Record
from mnv2cli.results.formats import load_format
from mnv2cli.results.output import Output
from mnv2cli.results.schema import Layout
from mnv2cli.runs.index import image_key
from mnv2cli.runs.options import RunOptions
from mnv2cli.runs.run import Run
from mnv2cli.watching.job import Arrived
from mnv2cli.watching.shots import Shot

if TYPE_CHECKING:
    from mnv2cli.inference.classifier import Classifier


class RowArrivals:
    """Appends rows to a file of results; a photo that has one gets no other.

    Args:
        path: The file, ``.csv`` or ``.jsonl``.
        layout: The layout of its rows.
        classifier: Creates the records.

    Raises:
        InputError: Another run writes to the file, or it has other columns or settings.
        OutputError: The file cannot be written.
    """

    def __init__(self, path: str, layout: Layout, classifier: Classifier) -> None:
        self.notes: list[str] = []
        self.warnings: list[str] = []
        self.ignored: tuple[str, ...] = ()
        self._classifier = classifier
        with _own_hints():
            self._run = Run(path, layout, classifier.settings(), RunOptions(resume=True))
        self._known = self._run.image_keys()
        self._layout = layout
        self._output: Output | None = None
        self._stack = ExitStack()
        self._stack.callback(self._run.close)

    @property
    def journal(self) -> str:
        """The path of the journal; empty if there is none, as rows are not undone."""
        return ""

    def __enter__(self) -> RowArrivals:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        try:
            if self._output is not None:
                self._run.stop(error)
        finally:
            self._stack.__exit__(kind, error, traceback)
        return None

    def is_done(self, shot: Shot) -> bool:
        """Return whether a photo has a row."""
        return image_key(shot.path, os.curdir) in self._known

    def process(self, records: Sequence[Record]) -> list[Arrived]:
        """Write a row for each photo.

        Raises:
            InputError: The existing rows were written with other settings.
            OutputError: The file cannot be written.
        """
        if self._output is None:
            with _own_hints():
                self._run.start(self._classifier.settings())
            self._output = self._stack.enter_context(
                Output(
                    self._run.rows,
                    load_format(self._layout.format),
                    self._layout,
                    force=True,
                    append=self._run.append,
                    opened=self._run.opened,
                )
            )
        for record in records:
            self._output.write(record)
            self._known.add(image_key(record.path, os.curdir))
        return [Arrived(record, "done", _label(record)) for record in records]


@contextmanager
def _own_hints() -> Iterator[None]:
    """Replace hints at options of other commands."""
    try:
        yield
    except InputError as error:
        if "--force" not in error.hint:
            raise
        hint = "Name another file, or move this one away."
        raise InputError(error.message, hint) from error


def _label(record: Record) -> str:
    if record.category and record.category.name:
        return record.category.name
    return record.predictions[0].label if record.predictions else ""
