"""Bars and histograms in block characters; in ASCII where the terminal has no others."""

from __future__ import annotations

from collections.abc import Sequence

_PARTS = " ▏▎▍▌▋▊▉"
_LEVELS = " ▁▂▃▄▅▆▇"
_FULL = "█"
_ASCII = "#"


def bar(share: float, width: int, *, ascii_only: bool) -> str:
    """Return a horizontal bar; one that is not zero is visible.

    Args:
        share: Its length, as a share of the width.
        width: Cells of the terminal.
        ascii_only: Use ASCII.
    """
    if share <= 0:
        return ""
    if ascii_only:
        return _ASCII * max(1, round(share * width))
    eighths = max(1, round(share * width * 8))
    return _FULL * (eighths // 8) + _PARTS[eighths % 8].strip()


def columns(
    counts: Sequence[int], height: int, cell: int, *, ascii_only: bool, gap: int = 1
) -> list[str]:
    """Return a histogram as lines, the highest first; a bin that is not empty is visible.

    Args:
        counts: The bins.
        height: Lines of the largest bin.
        cell: The width of a bin.
        ascii_only: Use ASCII.
        gap: Cells between two bins.
    """
    largest = max(*counts, 1)
    steps = [max(1, round(each / largest * height * 8)) if each else 0 for each in counts]
    if ascii_only:  # without parts of a line
        steps = [max(8, round(each / 8) * 8) if each else 0 for each in steps]
    lines = []
    for line in reversed(range(height)):
        filled = [min(max(each - 8 * line, 0), 8) for each in steps]
        full = _ASCII if ascii_only else _FULL
        signs = [full if each == 8 else _LEVELS[each] for each in filled]
        lines.append((" " * gap).join(sign * cell for sign in signs))
    return lines
