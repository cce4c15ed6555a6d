"""Write results to a file or stream, one record at a time; the file stays readable throughout.

Rows are written at once, so ``tail -f`` shows them. Paths survive a round trip byte for byte: CSV
has their bytes, JSON has surrogate escapes for bytes that are not UTF-8.
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
from mnv2cli.results.check import destination, is_file, is_regular, log_path
from mnv2cli.results.formats import Format, Writer
from mnv2cli.results.schema import Layout
from mnv2cli.system.files import AtomicFile
from mnv2cli.system.messages import count, reason

SYNC_SECONDS = 2.0
"""Maximum seconds before rows are synced to disk while others follow. The last rows before a pause
wait for the system's own flush."""


class Output(AbstractContextManager["Output"]):
    """Writes records to a file or stream; leaves a readable file however the run ends.

    The file is opened for the first record, so a run that fails earlier, because weights or images
    are missing, leaves an existing file unchanged. Rows reach the system immediately, and the disk
    every :data:`SYNC_SECONDS` while more rows are written.

    Args:
        target: A path, or an open binary stream, which is not closed.
        format: The format of the rows, from the registry or of the terminal.
        layout: The layout of the rows.
        force: Overwrite an existing file.
        append: Append to an existing file of complete rows.
        opened: Called once the file is open and empty, before anything is written to it.

    Attributes:
        written: The number of records written.

    Raises:
        OutputError: The file exists and ``force`` is not given, or it cannot be written, or it
            was removed during the run; its rows are then saved in a temporary folder.
        BrokenPipeError: The reader of the stream is gone.
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
        """Open the file if it is not open yet; called alone, this leaves an empty table."""
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
        # After a failed write the file cannot be completed. If the run ended in any other way, even
        # by Ctrl-C, the rows so far become a complete file.
        write_failed = isinstance(error, OutputError | BrokenPipeError)
        # After a second Ctrl-C, do not wait for the reader of a pipe.
        is_aborted = isinstance(error, KeyboardInterrupt) and not isinstance(self._target, str)
        try:
            if self._writer is not None and not (write_failed or is_aborted):
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
            raise OutputError(
                f"cannot write {target!r}: another program created it during this run",
                "Overwrite it with --force, or name another file.",
            )
        if not self._format.needs_end or (os.path.lexists(target) and not is_regular(target)):
            # Exclusive unless overwriting: another run may create the file at this moment.
            exclusive = not self._force and not os.path.lexists(target)
            if not is_file(target):
                return open(target, "wb")
            self._is_file = True
            return open(target, "x+b" if exclusive else "w+b")  # read again if it is removed
        # A format that is unreadable without its end is renamed into place once complete.
        self._part = AtomicFile(os.path.realpath(target))
        return self._part.file

    def _sync(self) -> None:
        """Sync the file to disk, and check that it still has its path."""
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
                f"cannot continue {self._target!r}: it was moved or replaced during the run",
                f"The moved file has {count(self.written, 'row')} of this run.",
            )
        saved = os.path.join(tempfile.mkdtemp(prefix="mnv2-"), os.path.basename(self._target))
        self._stream.seek(0)
        with open(saved, "wb") as file:
            shutil.copyfileobj(self._stream, file)
        self._stream.seek(0, os.SEEK_END)
        raise VanishedError(
            f"cannot continue {self._target!r}: it was removed during the run",
            f"Saved {count(self.written, 'row')} of this run in {saved}\n"
            f"To resume, move that file and {os.path.basename(log_path(saved))} beside it to "
            "another folder, name it with -o, and add --resume.",
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
            f"cannot write results to {name}: {reason(error)}",
            f"{count(self.written, 'row')} had been written." if self.written else "",
        )


class VanishedError(OutputError):
    """The results file was removed during the run.

    Attributes:
        saved: The copy that has its rows.
    """

    def __init__(self, message: str, hint: str, saved: str) -> None:
        super().__init__(message, hint)
        self.saved = saved
