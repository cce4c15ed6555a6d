"""JSON: one list of objects, an image a line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import IO, Any

from mnv2cli.errors import InputError
from mnv2cli.records import Record
from mnv2cli.results.formats import Format
from mnv2cli.results.schema import Layout, Schema, record_from_object
from mnv2cli.results.text_file import lines, open_text

_LARGEST_LIST = 1 << 30  # bytes; a list that is not an object a line has to be held as a whole


class JsonWriter:
    """Writes a list of objects, an image a line."""

    def __init__(self, stream: IO[bytes], layout: Layout) -> None:
        self._stream = stream
        self._schema = Schema(layout)
        self._start = b"[\n"

    def begin(self) -> None:
        """The list begins with its first object."""

    def write(self, record: Record) -> None:
        """Write the object of a record."""
        self._stream.write(self._start)
        self._stream.write(to_json(self._schema.to_object(record)))
        self._stream.flush()
        self._start = b",\n"

    def finish(self) -> None:
        """Close the list."""
        self._stream.write(b"[" if self._start == b"[\n" else b"\n")
        self._stream.write(b"]\n")
        self._stream.flush()


def to_json(content: dict[str, object]) -> bytes:
    """Return an object as JSON in one line."""
    try:
        return json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # a name that is not UTF-8 has no other form in JSON
        return json.dumps(content).encode()


def read_objects(path: str) -> Iterator[Record]:
    """Yield the records of a list of objects, or of objects in lines; whichever a file holds.

    Raises:
        InputError: It cannot be read or holds something else; with the line where that is.
    """
    with open_text(path) as file:
        begun = False
        for number, line in enumerate(lines(file, path), 1):
            text = line.strip().rstrip(",")
            # A list has an object a line, as it is written here; others are read as a whole.
            if text in ("", "[", "]", "[]"):
                continue
            try:
                content = json.loads(text)
            except (ValueError, RecursionError) as error:
                if begun:
                    raise InputError(f"{path!r} is damaged in line {number}") from error
                yield from _records(_whole(file, path), path, 1)
                return
            begun = True
            yield from _records(content, path, number)


def _whole(file: IO[str], path: str) -> Any:
    if os.fstat(file.fileno()).st_size > _LARGEST_LIST:
        raise InputError(f"{path!r} is no JSON with an object a line, and far too large")
    file.seek(0)
    try:
        return json.load(file)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path!r} is no JSON") from error


def _records(content: Any, path: str, line: int) -> Iterator[Record]:
    for item in content if isinstance(content, list) else [content]:
        try:
            # Surrogates that stand for no byte are text of no kind.
            json.dumps(item, ensure_ascii=False).encode("utf-8", "surrogateescape")
            record = record_from_object(item)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"{path!r} holds no results in line {line}") from error
        yield record


JSON = Format("json", JsonWriter, read_objects)
