"""The line of a key in a TOML file, found by parsing the beginning of the file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from mnv2cli.config.toml import TOMLDecodeError, loads

_BUDGET = 1_500_000
"""Characters that are parsed at most, in all attempts; then the line remains unknown."""


def line_of(text: str, keys: Sequence[str]) -> int:
    """Return the number of the line where a key or table is set; 0 if it is not found.

    Of the lines that contain the key's name, it is the first that is outside of another value and
    after which the file, up to the end of that value, has the key. So comments and strings are
    read by the TOML parser.

    Args:
        text: A valid TOML file.
        keys: The tables and the key, from the outermost.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    budget = [_BUDGET]
    name = re.compile(rf"(?<![\w-]){re.escape(keys[-1])}(?![\w-])")
    for number, line in enumerate(lines):
        if not name.search(line):
            continue
        if next(_contents(lines[:number], number, budget), None) is None:
            continue  # within a string or a list of several lines
        content = next(_contents(lines, number + 1, budget), None)
        if content is not None and _has(content, keys):
            return number + 1
    return 0


def _contents(lines: list[str], start: int, budget: list[int]) -> Iterator[dict[str, Any]]:
    """Yield the contents of the beginnings that are TOML, from a number of lines on.

    Args:
        lines: The lines.
        start: The number of lines of the first beginning.
        budget: How many characters may be parsed still; it is reduced.
    """
    for end in range(start, len(lines) + 1):
        text = "\n".join(lines[:end])
        budget[0] -= len(text)
        if budget[0] < 0:
            return
        try:
            yield loads(text)
        except TOMLDecodeError:
            continue


def _has(content: Any, keys: Sequence[str]) -> bool:
    for key in keys:
        if not isinstance(content, dict) or key not in content:
            return False
        content = content[key]
    return True
