"""Reading JSON documents of any size entry by entry, with limited memory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

from mnv2cli.datasets.entries import EntryError, check_json, refuse_constant
from mnv2cli.errors import InputError
from mnv2cli.results.check import check_regular
from mnv2cli.system.messages import reason

_CHUNK = 1 << 20  # characters
_MAX_ENTRY = 16 << 20
_SPACE = re.compile(r"[ \t\n\r]*")


class JsonEntry(NamedTuple):
    """A value of a document.

    Attributes:
        group: The key of the document that has it; empty if the document is a list.
        name: Its index, or its key, in the list or object of the group; None if the group is
            another value, or is empty.
        value: The value.
    """

    group: str
    name: int | str | None
    value: Any

    @property
    def where(self) -> str:
        """How messages name it."""
        return self.group if self.name is None else f"{self.group or 'entry'}[{self.name!r}]"


def json_entries(path: str) -> Iterator[JsonEntry]:
    """Yield the values that a JSON document contains, in its order.

    A document is a list of values, or an object whose lists and objects contain the values.

    Raises:
        InputError: The file cannot be read, or is not such a document: it has NaN or an infinite
            number, is nested deeply, has a value of more than 16 million characters, or half of a
            surrogate pair.
    """
    check_regular(path)
    where = "its beginning"
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            for entry in _Parser(file).entries():
                where = f"what follows {entry.where}"
                yield entry
    except OSError as error:
        raise InputError(f"cannot read the dataset {path!r}: {reason(error)}") from error
    except (ValueError, RecursionError) as error:
        why = str(error) if isinstance(error, EntryError) else "it is not valid JSON"
        raise InputError(f"cannot read the dataset {path!r}: {where}: {why}") from error


def json_head(path: str, characters: int = 1 << 16) -> str:
    """Return the beginning of a text file, without spaces before it; empty if it cannot be read."""
    try:
        check_regular(path)
        with open(path, encoding="utf-8-sig", errors="replace", newline="") as file:
            return file.read(characters).lstrip()
    except (OSError, InputError):
        return ""


class _Parser:
    """Parses a document from a window of its text."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._text = ""
        self._at = 0
        self._is_end = False
        self._decoder = json.JSONDecoder(parse_constant=refuse_constant)

    def entries(self) -> Iterator[JsonEntry]:
        start = self._peek()
        if start == "[":
            for name, value in self._list():
                yield JsonEntry("", name, value)
        elif start == "{":
            for group in self._keys():
                yield from self._group(group)
        else:
            raise EntryError("it is neither a list nor an object")
        if self._peek():
            raise EntryError("something follows the end of the document")

    def _group(self, group: str) -> Iterator[JsonEntry]:
        start = self._peek()
        is_empty = True
        if start == "[":
            for name, value in self._list():
                is_empty = False
                yield JsonEntry(group, name, value)
        elif start == "{":
            for key in self._keys():
                is_empty = False
                yield JsonEntry(group, key, self._value())
        if start in ("[", "{"):
            if is_empty:
                yield JsonEntry(group, None, [] if start == "[" else {})
        else:
            yield JsonEntry(group, None, self._value())

    def _list(self) -> Iterator[tuple[int, Any]]:
        self._take("[")
        if self._peek() == "]":
            self._take("]")
            return
        number = 0
        while True:
            yield number, self._value()
            number += 1
            if self._take(",", "]") == "]":
                return

    def _keys(self) -> Iterator[str]:
        """Yield the keys of an object; the value must be parsed before the next one."""
        self._take("{")
        if self._peek() == "}":
            self._take("}")
            return
        while True:
            if self._peek() != '"':
                raise EntryError("it is not valid JSON")
            key = str(self._value())
            self._take(":")
            yield key
            if self._take(",", "}") == "}":
                return

    def _peek(self) -> str:
        """Return the next sign that is not a space; empty at the end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if self._is_end:
                return ""
            self._more()

    def _take(self, *expected: str) -> str:
        found = self._peek()
        if found not in expected:
            raise EntryError("it is not valid JSON" if found else "the document is not complete")
        self._at += 1
        return found

    def _value(self) -> Any:
        self._peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except EntryError:
                raise
            except ValueError as error:
                if not self._is_end:
                    self._more()  # it may only be incomplete
                    continue
                raise EntryError("it is not valid JSON") from error
            except RecursionError as error:
                raise EntryError("it is nested too deeply") from error
            if end == len(self._text) and not self._is_end:  # a number may continue
                self._more()
                continue
            check_json(value)
            self._at = end
            return value

    def _more(self) -> None:
        """Read the next part of the text, and forget what has been parsed."""
        rest = self._text[self._at :]
        if len(rest) > _MAX_ENTRY:
            raise EntryError("it is not valid JSON, or has more than 16 million characters")
        part = self._file.read(max(_CHUNK, len(rest)))
        self._is_end = not part
        self._text, self._at = rest + part, 0
