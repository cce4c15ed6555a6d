"""Results on their way to a file or stream, a row at a time; what is there stays readable.

Rows go out as they come, so that ``tail -f`` shows them. Paths survive a round trip byte for byte:
in CSV the bytes themselves, in JSON as surrogate escapes where they are not UTF-8.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from time import monotonic
from types import TracebackType
from typing import IO

from mnv2cli.errors import OutputError
from mnv2cli.records import Record
from mnv2cli.results.check import destination, is_file, is_regular
from mnv2cli.results.formats import Format, Writer
from mnv2cli.results.schema import Layout
from mnv2cli.system.files import AtomicFile
from mnv2cli.system.messages import reason

SYNC_SECONDS = 2.0
"""How long rows may wait for the disk while others follow; the last before a pause wait for the
system's own flush."""


class Output(AbstractContextManager["Output"]):
    """Results on their way to a file or stream; leaves a readable file however it ends.

    The file is opened at the first record, so that a run that never gets so far, for want of
    weights or images, leaves an older file as it was. Rows reach the system at once, and the disk
    every :data:`SYNC_SECONDS` while they come.

    Args:
        target: A path, or an open binary stream, which is not closed.
        format: What the rows are written in: one of the registry, or a terminal's own.
        layout: What they look like.
        force: Overwrite a file that is there.
        append: Add to a file that is there; its rows are whole and stay.
        opened: Called once the file is open and empty, before anything is written to it.

    Raises:
        OutputError: The file is there and ``force`` is not given, or it cannot be written, or
            vanished meanwhile; then its rows are in a folder for passing files.
        BrokenPipeError: Nobody reads the stream any more.
    """

    def __init__(
        self,
        target: str | IO[bytes],
        format: Format,
        layout: Layout,
        *,
        force: bool = False,
        append: bool = False,
        opened: Callable[[], None] = lambda: None,
    ) -> None:
        self._target = target
        self._format = format
        self._layout = layout
        self._force = force
        self._append = append
        self._opened = opened
        self._stream: IO[bytes] | None = None
        self._writer: Writer | None = None
        self._part: AtomicFile | None = None
        self._is_file = False
        self._synced = monotonic()
        self.written = 0

    def open(self) -> Writer:
        """Open the file, if it is not open: a run without records leaves an empty table."""
        if self._writer is None:
            try:
                self._stream = self._open()
                if not self._append:
                    self._opened()
                self._writer = self._format.writer(self._stream, self._layout)
                if not self._append:
                    self._writer.begin()
            except OSError as error:
                raise self._failed(error) from error
        return self._writer

    def write(self, record: Record) -> None:
        """Write one record."""
        writer = self.open()
        try:
            writer.write(record)
            if self._is_file and monotonic() - self._synced > SYNC_SECONDS:
                self._sync()
        except OSError as error:
            raise self._failed(error) from error
        self.written += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # What failed to be written cannot be finished; anything else, Ctrl-C too, leaves the rows
        # so far as a whole file.
        write_failed = isinstance(error, OutputError | BrokenPipeError)
        # Who presses Ctrl-C twice does not wait for the reader of a pipe.
        in_a_hurry = isinstance(error, KeyboardInterrupt) and not isinstance(self._target, str)
        try:
            if self._writer is not None and not (write_failed or in_a_hurry):
                self._writer.finish()
                if self._is_file:
                    self._sync()
            self._close(keep=not write_failed)
        except (OSError, OutputError) as late:
            with suppress(OSError):
                self._close(keep=False)
            if isinstance(late, OutputError):
                raise
            if error is None:
                raise self._failed(late) from late

    def _open(self) -> IO[bytes]:
        if not isinstance(self._target, str):
            return self._target
        target = destination(self._target)
        if self._append:
            file = open(target, "r+b")  # noqa: SIM115
            file.seek(0, os.SEEK_END)
            self._is_file = True
            return file
        if not self._force and is_regular(target):
            raise OutputError(f"{target!r} appeared meanwhile", "Overwrite it with --force.")
        if not self._format.needs_end or (os.path.lexists(target) and not is_regular(target)):
            # Exclusive where it must not be there: another run may have made it just now.
            exclusive = not self._force and not os.path.lexists(target)
            if not is_file(target):
                return open(target, "wb")
            self._is_file = True
            return open(target, "x+b" if exclusive else "w+b")  # read, should its name vanish
        # What is nothing without its end takes the name when it is whole.
        self._part = AtomicFile(os.path.realpath(target))
        return self._part.file

    def _sync(self) -> None:
        """Bring what was written to the disk, and make sure that it is still where it should be."""
        assert self._stream is not None and isinstance(self._target, str)
        os.fsync(self._stream.fileno())
        self._synced = monotonic()
        own = os.fstat(self._stream.fileno())
        try:
            if os.path.samestat(own, os.stat(self._target)):
                return
        except OSError:
            pass
        if own.st_nlink:
            raise OutputError(
                f"{self._target!r} was moved or replaced while results were written to it",
                f"{self.written:,} rows are in the file where it is now.",
            )
        saved = os.path.join(tempfile.mkdtemp(prefix="mnv2-"), os.path.basename(self._target))
        self._stream.seek(0)
        with open(saved, "wb") as file:
            shutil.copyfileobj(self._stream, file)
        self._stream.seek(0, os.SEEK_END)
        raise VanishedError(
            f"{self._target!r} vanished while results were written to it",
            f"{self.written:,} rows of this run are saved in {saved}\n"
            f"To go on, move it where you want it, with {saved}.mnv2, and add --resume.",
            saved,
        )

    def _close(self, *, keep: bool) -> None:
        if self._part is not None:
            if keep:
                self._part.commit()
            self._part.discard()
        elif self._stream is not None and isinstance(self._target, str):
            self._stream.close()

    def _failed(self, error: OSError) -> Exception:
        name = repr(self._target) if isinstance(self._target, str) else "standard output"
        if isinstance(error, BrokenPipeError) or error.errno == errno.EPIPE:
            return error
        return OutputError(
            f"results cannot be written to {name}: {reason(error)}",
            f"{self.written:,} rows were written before.",
        )


class VanishedError(OutputError):
    """The results file was removed while it was written.

    Attributes:
        saved: Where its rows are now.
    """

    def __init__(self, message: str, hint: str, saved: str) -> None:
        super().__init__(message, hint)
        self.saved = saved
