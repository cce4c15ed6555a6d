"""Read the lines of a journal, and check what every journal has: anybody may have written it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from mnv2cli.errors import JournalError
from mnv2cli.journals.file import LARGEST_LINE, VERSION
from mnv2cli.system.messages import reason


def read_lines(
    path: str,
    begin: Callable[[dict[str, Any]], None],
    apply: Callable[[dict[str, Any]], None],
) -> None:
    """Read a journal line by line; a torn line at its end is ignored.

    Args:
        path: The journal.
        begin: Called with the first line, in which ``in_place`` is whether the journal was written
            in this place, not copied or unpacked.
        apply: Called with each further line; raises KeyError, TypeError or ValueError if it is not
            valid.

    Raises:
        JournalError: The journal cannot be read, is damaged, or is of another version.
    """
    try:
        with open(path, "rb") as file:
            number = os.fstat(file.fileno()).st_ino
            first = _parsed(file.readline(LARGEST_LINE), path, 1)
            if first.get("mnv2") != VERSION:
                raise JournalError(f"{path} is not a journal that this version of mnv2 can read")
            try:
                check_header(first)
            except ValueError as error:
                raise _damaged(path, 1) from error
            begin({**first, "in_place": first.get("file") == number})
            count = 1
            while line := file.readline(LARGEST_LINE):
                count += 1
                if not line.endswith(b"\n") and not file.read(1):
                    break  # torn
                parsed = _parsed(line, path, count)
                try:
                    apply(parsed)
                except (KeyError, TypeError, ValueError, OverflowError) as error:
                    raise _damaged(path, count) from error
    except OSError as error:
        raise JournalError(f"cannot read the journal {path}: {reason(error)}") from error


def _damaged(path: str, line: int) -> JournalError:
    return JournalError(
        f"the journal {path} is damaged in line {line}",
        "Restore it from a backup. To sort without it, move it elsewhere; its run cannot be undone "
        "then.",
    )


def check_header(header: dict[str, Any]) -> None:
    """Check the first line of a journal; raises ValueError."""
    made, times = header.get("made_dest", []), header.get("dest_times", {})
    began = header.get("time")
    fits = (
        isinstance(began, int | float)
        and 0 <= began < _LATEST  # never true for NaN
        and isinstance(made, list)
        and isinstance(times, dict)
        and all(isinstance(pair, list) and len(pair) == 2 for pair in times.values())
    )
    if not fits:
        raise ValueError("not a header")
    for path in (*made, *times, header.get("dest", "")):
        check_path(path)
    for pair in times.values():
        for number in pair:
            check_integer(number)


_LATEST = 32_503_680_000  # seconds from 1970 to 3000: every system can show these times


def check_path(path: Any) -> str:
    """Return a path after checking that the system accepts its characters.

    Raises:
        ValueError: It is not text, has NUL, or has characters that cannot be in a path.
    """
    if not isinstance(path, str) or "\0" in path:
        raise ValueError("not a path")
    os.fsencode(path)
    return path


def check_integer(value: Any) -> int:
    """Return a number after checking that it is whole and has at most 64 bits, as times have.

    Raises:
        ValueError: It is something else.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not -(2**63) <= value < 2**63:
        raise ValueError("not a number")
    return value


def check_times(line: dict[str, Any]) -> tuple[str, tuple[int, int]]:
    """Return the folder of a line about times, and its times (atime, mtime).

    Raises:
        KeyError: One is missing.
        ValueError: One is not valid.
    """
    return check_path(line["times"]), (check_integer(line["atime"]), check_integer(line["mtime"]))


def _parsed(line: bytes, path: str, count: int) -> dict[str, Any]:
    try:
        parsed = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, count) from error
    if not isinstance(parsed, dict):
        raise _damaged(path, count)
    return parsed
