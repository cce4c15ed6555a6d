"""From records to files: CSV, JSON, JSON lines and Parquet, a row at a time.

Rows go out as they come, so that ``tail -f`` shows them. Paths survive a round trip byte for byte:
in CSV the bytes themselves, in JSON as surrogate escapes where they are not UTF-8.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from decimal import Decimal
from time import monotonic
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Protocol

from mnv2cli.errors import InputError, OutputError
from mnv2cli.records import Prediction, Record
from mnv2cli.results.spreadsheet import safe_record
from mnv2cli.runs.log import SUFFIX
from mnv2cli.sources.names import IMAGE_SUFFIXES
from mnv2cli.sources.urls import is_url, redact
from mnv2cli.system.csvtext import csv_line
from mnv2cli.system.files import PartFile

if TYPE_CHECKING:
    import pandas as pd


Extra = tuple[str, ...]
"""What columns records have besides, of ``category``, ``node`` and ``position``."""

_EXTRA = {
    "category": ("category", "category_score", "category_margin"),
    "node": ("node", "node_wnid", "node_score"),
    "position": ("position",),
}
_LAST = "position"


SYNC_SECONDS = 2.0
"""How long rows may wait for the disk while others follow; the last before a pause wait for the
system's own flush."""


class Writer(Protocol):
    """Writes records to a stream in one format."""

    def __init__(self, stream: IO[bytes], top: int, long: bool, extra: Extra = ()) -> None: ...

    def begin(self) -> None:
        """Write what comes before the first record; not where records follow earlier ones."""
        ...

    def write(self, record: Record) -> None:
        """Write one record."""
        ...

    def finish(self) -> None:
        """Write what makes the file whole; the stream stays open."""
        ...


def score_text(score: float) -> str:
    """Return a score with all its digits and no exponent, so that ``sort -n`` understands it."""
    return format(Decimal(repr(score)), "f")


class CsvWriter:
    """One row an image, or with ``long`` one for each rank.

    The columns are ``path,status,label_1,wnid_1,score_1,...,error,model``. UTF-8 with ``\\n`` line
    ends, quoted only where a field needs it.
    """

    _quote = False

    def __init__(self, stream: IO[bytes], top: int, long: bool, extra: Extra = ()) -> None:
        self._stream = stream
        self._top = top
        self._long = long
        self._extra = extra

    def begin(self) -> None:
        """Write the names of the columns."""
        self._lines([columns(self._top, self._long, self._extra)])

    def write(self, record: Record) -> None:
        """Write the row or rows of a record."""
        self._lines(rows(record, self._top, self._long, self._extra))

    def finish(self) -> None:
        """Nothing is missing from a CSV."""

    def _lines(self, rows: Iterable[Iterable[str | int | float | None]]) -> None:
        text = "".join(csv_line(map(_cell, row), quote=self._quote) for row in rows)
        self._stream.write(text.encode("utf-8", "surrogateescape"))
        self._stream.flush()


class SafeCsvWriter(CsvWriter):
    """A CSV for spreadsheets: no cell is taken for a formula, whatever separates cells there."""

    _quote = True

    def write(self, record: Record) -> None:
        """Write the row or rows of a record."""
        super().write(safe_record(record))


def _cell(value: str | int | float | None) -> str:
    if value is None:
        return ""
    return score_text(value) if isinstance(value, float) else str(value)


class JsonLinesWriter:
    """One object an image a line."""

    def __init__(self, stream: IO[bytes], top: int, long: bool, extra: Extra = ()) -> None:
        self._stream = stream
        self._extra = extra

    def begin(self) -> None:
        """Nothing comes before the first line."""

    def write(self, record: Record) -> None:
        """Write the line of a record."""
        self._stream.write(_json(record, self._extra) + b"\n")
        self._stream.flush()

    def finish(self) -> None:
        """Nothing is missing from JSON lines."""


class JsonWriter:
    """One list of objects, an image a line."""

    def __init__(self, stream: IO[bytes], top: int, long: bool, extra: Extra = ()) -> None:
        self._stream = stream
        self._extra = extra
        self._start = b"[\n"

    def begin(self) -> None:
        """The list begins with its first object."""

    def write(self, record: Record) -> None:
        """Write the object of a record."""
        self._stream.write(self._start)
        self._stream.write(_json(record, self._extra))
        self._stream.flush()
        self._start = b",\n"

    def finish(self) -> None:
        """Close the list."""
        self._stream.write(b"[" if self._start == b"[\n" else b"\n")
        self._stream.write(b"]\n")
        self._stream.flush()


class ParquetWriter:
    """The columns of the CSV, typed; needs pyarrow. Rows reach the file in groups."""

    _GROUP = 100_000  # cells

    def __init__(self, stream: IO[bytes], top: int, long: bool, extra: Extra = ()) -> None:
        pa, pq = pyarrow()
        self._pa = pa
        self._top = top
        self._long = long
        self._extra = extra
        self._names = columns(top, long, extra)
        kinds = {
            "score": pa.float32(),
            "margin": pa.float32(),
            "rank": pa.int32(),
            "position": pa.int64(),
        }

        def kind(name: str) -> Any:  # of score_1, score, category_score
            return next((kinds[part] for part in name.split("_") if part in kinds), pa.string())

        self._schema = pa.schema([(name, kind(name)) for name in self._names])
        self._file = pq.ParquetWriter(stream, self._schema)
        self._rows: list[list[str | int | float | None]] = []

    def begin(self) -> None:
        """The schema is written by itself."""

    def write(self, record: Record) -> None:
        """Take the row or rows of a record; a full group is written."""
        for row in rows(record, self._top, self._long, self._extra):
            # Parquet's strings are UTF-8 and nothing else.
            path = os.fsencode(str(row[0])).decode("utf-8", "backslashreplace")
            self._rows.append([path, *row[1:]])
        if len(self._rows) * len(self._names) >= self._GROUP:
            self._write_group()

    def finish(self) -> None:
        """Write the last group and the footer."""
        self._write_group()
        self._file.close()

    def _write_group(self) -> None:
        arrays = [
            self._pa.array([row[i] for row in self._rows], field.type)
            for i, field in enumerate(self._schema)
        ]
        self._file.write_table(self._pa.Table.from_arrays(arrays, schema=self._schema))
        self._rows = []


MakeWriter = Callable[[IO[bytes], int, bool, Extra], Writer]

FORMATS: dict[str, MakeWriter] = {
    "csv": CsvWriter,
    "json": JsonWriter,
    "jsonl": JsonLinesWriter,
    "parquet": ParquetWriter,
}
"""The formats by name; a file's suffix is the name with a dot."""


def columns(top: int, long: bool, extra: Extra = ()) -> list[str]:
    """Return the column names of the table of records."""
    end = [name for which in extra if which != _LAST for name in _EXTRA[which]]
    end += ["error", "model", *(_EXTRA[_LAST] if _LAST in extra else ())]
    if long:
        return ["path", "status", "rank", "label", "wnid", "score", *end]
    ranked = [f"{name}_{i}" for i in range(1, top + 1) for name in ("label", "wnid", "score")]
    return ["path", "status", *ranked, *end]


def rows(
    record: Record, top: int, long: bool, extra: Extra = ()
) -> list[list[str | int | float | None]]:
    """Return the rows of one record in the table of records; empty cells are None.

    A wide table has one row for each image; a long one has one for each rank, and one without
    rank for an image that has no predictions.
    """
    end: list[str | int | float | None] = []
    for which in extra:
        end += _extra_cells(record, which)
    end += [record.error or None, record.model or None]
    if _LAST in extra:
        end.append(record.position)
    if not long:
        row: list[str | int | float | None] = [record.path, record.status]
        for prediction in record.predictions:
            row += [prediction.label, prediction.wnid, prediction.score]
        row += [None] * (3 * (top - len(record.predictions)))
        return [[*row, *end]]
    if not record.predictions:
        return [[record.path, record.status, None, None, None, None, *end]]
    return [
        [record.path, record.status, i, p.label, p.wnid, p.score, *end]
        for i, p in enumerate(record.predictions, 1)
    ]


def _extra_cells(record: Record, which: str) -> list[str | int | float | None]:
    if which == _LAST:
        return []  # after all others
    if which == "category" and record.category:
        category = record.category
        return [category.name or None, category.score, category.margin]
    if which == "node" and record.node:
        return [record.node.label, record.node.wnid, record.node.score]
    return [None, None, None]


def as_object(record: Record, extra: Extra = ()) -> dict[str, object]:
    """Return a record as JSON has it: path, status, predictions as a list, error, model."""
    content: dict[str, object] = {
        "path": record.path,
        "status": record.status,
        "predictions": [_prediction(p) for p in record.predictions],
    }
    if "category" in extra:
        found = record.category
        content["category"] = found and {
            "name": found.name or None,
            "score": found.score,
            "margin": found.margin,
        }
    if "node" in extra:
        content["node"] = record.node and _prediction(record.node)
    content = {**content, "error": record.error or None, "model": record.model or None}
    if _LAST in extra:
        content[_LAST] = record.position
    return content


def _prediction(prediction: Prediction) -> dict[str, object]:
    return {"wnid": prediction.wnid, "label": prediction.label, "score": prediction.score}


def to_dataframe(records: Iterable[Record], top: int = 5, *, long: bool = False) -> pd.DataFrame:
    """Return records as a pandas table with the columns of the CSV."""
    import pandas as pd

    table = [row for record in records for row in rows(record, top, long)]
    return pd.DataFrame(table, columns=columns(top, long))


def _json(record: Record, extra: Extra) -> bytes:
    content = as_object(record, extra)
    try:
        return json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # a name that is not UTF-8 has no other form in JSON
        return json.dumps(content).encode()


def pyarrow() -> tuple[Any, Any]:
    """Return pyarrow and its Parquet part; raises InputError where it is not installed."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise InputError(
            "Parquet needs pyarrow, which is not installed",
            "Install it with: pip install 'mnv2cli[parquet]'",
        ) from error
    return pa, pq


def format_of(path: str) -> str:
    """Return the format that a file's suffix names.

    Raises:
        InputError: It names none.
    """
    suffix = os.path.splitext(path)[1].lower().removeprefix(".")
    if suffix not in FORMATS:
        known = ", ".join(f".{name}" for name in FORMATS)
        raise InputError(
            f"{redact(path)!r} does not end in {known}",
            "Name the format with --format, or rename it.",
        )
    return suffix


def check_output(path: str, form: str, *, force: bool) -> None:
    """Check before the work begins that results can be written to a file.

    Raises:
        InputError: The file is there and ``force`` is not given; it is a folder, or has the name
            of an image; its folder is not there or cannot be written; a library is missing.
    """
    if form == "parquet":
        pyarrow()
    if path.lower().endswith(IMAGE_SUFFIXES):
        raise InputError(f"results would go into {redact(path)!r}, which has the name of an image")
    if is_url(path):
        from mnv2cli.sources.remote import upload

        upload.check_output(path, force=force)
        return
    path = _destination(path)
    folder = os.path.dirname(path) or os.curdir
    if os.path.isdir(path):
        raise InputError(f"{path!r} is a folder", "Name a file in it.")
    if not os.path.isdir(folder):
        raise InputError(f"there is no folder {folder!r}", "Make it first.")
    if _is_regular(path):
        if not force:
            log = os.path.realpath(path) + SUFFIX
            go_on = " --resume goes on with it." if os.path.exists(log) else ""
            raise InputError(
                f"{path!r} exists", f"Overwrite it with --force, or name another.{go_on}"
            )
        if not os.access(path, os.W_OK) or (form == "parquet" and not os.access(folder, os.W_OK)):
            raise InputError(f"{path!r} cannot be written: permission denied")
    elif not os.path.lexists(path) and not os.access(folder, os.W_OK):
        raise InputError(f"nothing can be written in {folder!r}: permission denied")


def is_file(path: str) -> bool:
    """Tell whether a path is, or would become, a regular file here, and no device or pipe."""
    if is_url(path):
        return False
    path = _destination(path)
    return _is_regular(path) or not os.path.lexists(path)


def _destination(path: str) -> str:
    """Return where a link leads to what is not there yet; any other path as it is."""
    is_dangling = os.path.islink(path) and not os.path.exists(path)
    return os.path.realpath(path) if is_dangling else path


def _is_regular(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False


class Output(AbstractContextManager["Output"]):
    """Results on their way to a file or stream; leaves a readable file however it ends.

    The file is opened at the first record, so that a run that never gets so far, for want of
    weights or images, leaves an older file as it was. Rows reach the system at once, and the disk
    every :data:`SYNC_SECONDS` while they come.

    Args:
        target: A path, or an open binary stream, which is not closed.
        make: Makes the writer; one of ``FORMATS``, or a terminal's own.
        top: Columns for how many predictions.
        long: One row for each rank in tables.
        extra: Further columns, of ``category``, ``node`` and ``position``.
        force: Overwrite a file that is there.
        append: Go on in a file that is there; its rows are whole and stay.
        opened: Called once the file is open and empty, before anything is written to it.

    Raises:
        OutputError: The file is there and ``force`` is not given, or it cannot be written, or
            vanished meanwhile; then its rows are in a folder for passing files.
        BrokenPipeError: Nobody reads the stream any more.
    """

    def __init__(
        self,
        target: str | IO[bytes],
        make: MakeWriter,
        top: int,
        *,
        long: bool,
        force: bool,
        extra: Extra = (),
        append: bool = False,
        opened: Callable[[], None] = lambda: None,
    ) -> None:
        self._target = target
        self._make = make
        self._top = top
        self._long = long
        self._force = force
        self._extra = extra
        self._append = append
        self._opened = opened
        self._stream: IO[bytes] | None = None
        self._writer: Writer | None = None
        self._part: PartFile | None = None
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
                self._writer = self._make(self._stream, self._top, self._long, self._extra)
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
        target = _destination(self._target)
        if self._append:
            file = open(target, "r+b")  # noqa: SIM115
            file.seek(0, os.SEEK_END)
            self._is_file = True
            return file
        if not self._force and _is_regular(target):
            raise OutputError(f"{target!r} appeared meanwhile", "Overwrite it with --force.")
        if self._make is not ParquetWriter or (os.path.lexists(target) and not _is_regular(target)):
            # Exclusive where it must not be there: another run may have made it just now.
            exclusive = not self._force and not os.path.lexists(target)
            if not is_file(target):
                return open(target, "wb")
            self._is_file = True
            return open(target, "x+b" if exclusive else "w+b")  # read, should its name vanish
        # A Parquet file is nothing without its end: it takes the name when it is whole.
        self._part = PartFile(os.path.realpath(target))
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
            f"results cannot be written to {name}: {(error.strerror or str(error)).lower()}",
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
