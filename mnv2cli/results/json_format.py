"""JSON: a list of objects, one image per line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import IO, Any

from mnv2cli.errors import InputError
from mnv2cli.records import Record
from mnv2cli.results.formats import Format
from mnv2cli.results.schema import Layout, Schema, record_from_object, repair_hint
from mnv2cli.results.text_file import LongLineError, lines, open_text

_MAX_LIST = 1 << 30  # bytes; a list without one object per line is read as a whole


class JsonWriter:
    """Writes a list of objects, one image per line."""

    def __init__(self, stream: IO[bytes], layout: Layout) -> None:
        self._stream = stream
        self._schema = Schema(layout)
        self._start = b"[\n"

    def begin(self) -> None:
        """Do nothing: the list is opened by its first object."""

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
    """Return an object as one line of JSON."""
    try:
        return json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # a path that is not UTF-8 needs escapes
        return json.dumps(content).encode()


def read_objects(path: str) -> Iterator[Record]:
    """Yield the records of a file with a JSON list of objects, or with JSON lines.

    A file with one object per line, as this package writes it, is read line by line. Any other
    list, such as one on a single line, is read as a whole, up to 1 GiB.

    Raises:
        InputError: The file cannot be read or is not a results file; the message has the line.
    """
    with open_text(path) as file:
        begun = False
        number = 0
        try:
            for line in lines(file, path):
                number += 1
                text = line.strip().rstrip(",")
                if text in ("", "[", "]", "[]"):
                    continue
                content = json.loads(text)
                begun = True
                yield from _records(content, path, number, escapes="\\u" in text)
        except LongLineError:
            if begun:
                raise
            yield from _records(_whole(file, path), path, 1)
        except (ValueError, RecursionError) as error:
            if begun:
                raise InputError(
                    f"{path!r} is damaged in line {number:,}", repair_hint(path)
                ) from error
            yield from _records(_whole(file, path), path, 1)


def _whole(file: IO[str], path: str) -> Any:
    if os.fstat(file.fileno()).st_size > _MAX_LIST:
        raise InputError(
            f"cannot read {path!r}: it is larger than 1 GiB and does not have one object per line",
            "Convert it to JSON lines first, for example with: jq -c '.[]' FILE",
        )
    file.seek(0)
    try:
        return json.load(file)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path!r} is not JSON", repair_hint(path)) from error


def _records(content: Any, path: str, line: int, *, escapes: bool = True) -> Iterator[Record]:
    for item in content if isinstance(content, list) else [content]:
        try:
            if escapes:  # refuses surrogates that do not stand for a byte
                json.dumps(item, ensure_ascii=False).encode("utf-8", "surrogateescape")
            record = record_from_object(item)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(
                f"{path!r} is not a results file of mnv2 classify: no record in line {line:,}",
                repair_hint(path),
            ) from error
        yield record


JSON = Format("json", JsonWriter, read_objects)
