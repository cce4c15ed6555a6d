"""Summarise many numbers in a few words, such as ``1-340, 512``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mnv2cli.system.messages import count

_MAX_SHOWN = 5


def ranges_of(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield the ranges of ascending numbers, each as its first and last number."""
    first = last = None
    for number in numbers:
        if first is None or last is None:
            first = number
        elif number != last + 1:
            yield first, last
            first = number
        last = number
    if first is not None and last is not None:
        yield first, last


def ranges_text(ranges: list[tuple[int, int]]) -> str:
    """Return the first ranges as text, and the number of further ranges."""
    shown = [
        f"{first:,}" if first == last else f"{first:,}-{last:,}"
        for first, last in ranges[:_MAX_SHOWN]
    ]
    return _listed(shown, len(ranges) - len(shown), "range")


def missing_text(noun: str, ranges: list[tuple[int, int]], total: int) -> str:
    """Return text such as ``missing row 7 of 9`` or ``missing 342 of 900 rows: 1-341, 512``."""
    number = sum(last - first + 1 for first, last in ranges)
    if number == 1:
        return f"missing {noun} {ranges_text(ranges)} of {total:,}"
    return f"missing {number:,} of {count(total, noun)}: {ranges_text(ranges)}"


def names_text(names: list[str]) -> str:
    """Return the first names in quotes, and the number of further names."""
    return _listed([repr(name) for name in names[:_MAX_SHOWN]], len(names) - _MAX_SHOWN, "file")


def _listed(shown: list[str], others: int, noun: str) -> str:
    text = ", ".join(shown)
    return f"{text} and {count(others, f'more {noun}')}" if others > 0 else text
