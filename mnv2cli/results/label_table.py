"""Reading a CSV of paths and labels that people and spreadsheets have changed."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from mnv2cli.errors import InputError
from mnv2cli.results.formats import suffix_format
from mnv2cli.results.spreadsheet import restored
from mnv2cli.results.text_file import lines, open_text
from mnv2cli.system.csvtext import csv_line

_LABEL_COLUMNS = ("label", "class")
_SEPARATORS = ",;\t"  # spreadsheets write the one of the system's language


@dataclass(frozen=True, slots=True)
class LabelRow:
    """A row of the table; cells have no spaces around them, except paths.

    Attributes:
        line: Its last line in the file, from 1.
        path: Its path, unchanged.
        label: Its label; may be empty.
        review: Its cell in the column ``review``; None if there is no such column.
    """

    line: int
    path: str
    label: str
    review: str | None


@dataclass(frozen=True, slots=True)
class _Columns:
    names: list[str]
    path: int
    label: int
    review: int | None
    separator: str
    is_escaped: bool

    def row(self, cells: Sequence[str], line: int) -> LabelRow:
        texts = list(map(restored, cells)) if self.is_escaped else cells
        review = None if self.review is None else "".join(texts[self.review : self.review + 1])
        return LabelRow(
            line,
            texts[self.path],
            texts[self.label].strip(),
            None if review is None else review.strip(),
        )


def label_columns(path: str) -> list[str] | None:
    """Return the names of the columns in lower case; None if path or label is not one of them.

    A column ``class`` counts as ``label``. A table with a column ``rank`` is a file of results.

    Raises:
        InputError: The file cannot be read.
    """
    with open_text(path, "labels") as file:
        columns = _columns(next(iter(lines(file, path)), ""))
    return columns.names if columns else None


def label_rows(path: str, content: str = "labels") -> Iterator[LabelRow]:
    """Yield the rows of a CSV with the columns ``path`` and ``label``, and ``review`` or not.

    Columns may have any order, and there may be more. Cells are separated by commas, semicolons
    or tabs. Empty rows and repetitions of the header are skipped. If every name in the header is
    quoted, cells that were escaped for spreadsheets are restored, as in results.

    Args:
        path: The file.
        content: What it contains, for errors: labels or corrections.

    Raises:
        InputError: The file cannot be read, lacks a column, or a row is damaged; with the line.
    """
    with open_text(path, content) as file:
        texts = lines(file, path)
        header = next(texts, "")
        columns = _columns(header)
        if columns is None:
            raise _refusal(path, content, header)
        reader = csv.reader(
            _without_nul(chain([header], texts), path), delimiter=columns.separator, strict=True
        )
        try:
            next(reader, None)
            for cells in reader:
                if not any(cells) or _names(cells) == columns.names:
                    continue
                if len(cells) <= max(columns.path, columns.label):
                    raise InputError(
                        f"line {reader.line_num} of {path!r} has too few cells",
                        "Each line requires a path and a label.",
                    )
                row = columns.row(cells, reader.line_num)
                if not row.path:
                    raise InputError(
                        f"line {row.line} of {path!r} has no path", "Add it, or remove the line."
                    )
                yield row
        except csv.Error as error:
            raise InputError(
                f"{path!r} is not valid CSV: {error}, in line {reader.line_num}",
                "Close the quotes that are open there, or remove the line.",
            ) from error


def _columns(header: str) -> _Columns | None:
    separator = max(_SEPARATORS, key=header.count)
    try:
        cells = next(csv.reader([header.rstrip("\r\n")], delimiter=separator), [])
    except csv.Error:
        return None
    names = _names(cells)
    label = next((names.index(name) for name in _LABEL_COLUMNS if name in names), None)
    if label is None or "path" not in names or "rank" in names:
        return None
    quoted = csv_line(cells, quote=True).rstrip("\n").replace('","', f'"{separator}"')
    return _Columns(
        names,
        names.index("path"),
        label,
        names.index("review") if "review" in names else None,
        separator,
        quoted == header.rstrip("\r\n"),
    )


def _refusal(path: str, content: str, header: str) -> InputError:
    """Return the error for a file that lacks the columns."""
    names = {each.strip().strip('"') for each in header.split(",")}
    if suffix_format(path) not in ("", "csv") or {"path", "status", "error"} <= names:
        return InputError(
            f"{path!r} has results, not {content}",
            "Name the file of corrections that the page of mnv2 report exports.",
        )
    return InputError(
        f"{path!r} is not a file of {content}: it lacks the columns path and label",
        "Its first line names its columns: path,label or path,label,review.",
    )


def _names(cells: Sequence[str]) -> list[str]:
    return [cell.strip().casefold() for cell in cells]


def _without_nul(texts: Iterator[str], path: str) -> Iterator[str]:
    for number, text in enumerate(texts, 1):
        if "\0" in text:  # the csv module of Python 3.10 refuses it without the line
            raise InputError(
                f"line {number} of {path!r} contains the character NUL",
                "Save it as CSV in UTF-8.",
            )
        yield text
