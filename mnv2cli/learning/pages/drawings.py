"""Drawings of an evaluation as SVG: the confusion matrix and the reliability of scores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from mnv2cli.learning.summary import percent
from mnv2cli.reporting.html import text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.learning.reliability import Bin

_CELL = 34
_SMALL_CELL = 18
_MANY = 16  # classes; with more, cells are small and have no numbers
_LABEL = 22  # characters
_CHARACTER = 6.6  # pixels


def matrix_drawing(matrix: NDArray[np.int64], names: Sequence[str], rows: Sequence[int]) -> str:
    """Return the confusion matrix as SVG.

    Args:
        matrix: int [k, k]; rows are true, columns predicted classes.
        names: The k classes.
        rows: The classes to show as rows; columns are all.
    """
    count = len(names)
    cell = _CELL if count <= _MANY else _SMALL_CELL
    short = [_short(name) for name in names]
    left = round(max(map(len, short)) * _CHARACTER) + 14
    top = round(max(map(len, short)) * _CHARACTER * 0.75) + 20
    right = round(len(short[-1]) * _CHARACTER * 0.75)
    width, height = left + count * cell + right, top + len(rows) * cell + 4
    parts = [
        f'<svg class="matrix" role="img" aria-label="Confusion matrix" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}">'
    ]
    for column, name in enumerate(short):
        x, y = left + column * cell + cell / 2, top - 8
        parts.append(
            f'<text x="{x}" y="{y}" transform="rotate(-45 {x} {y})">{text(name)}'
            f"<title>{text(names[column])}</title></text>"
        )
    for place, row in enumerate(rows):
        total = int(matrix[row].sum())
        y = top + place * cell
        parts.append(
            f'<text x="{left - 8}" y="{y + cell / 2 + 4}" text-anchor="end">{text(short[row])}'
            f"<title>{text(names[row])}</title></text>"
        )
        for column in range(count):
            number = int(matrix[row, column])
            parts += _cell(
                (left + column * cell, y, cell),
                (number, total),
                row == column,
                f"{names[row]} predicted as {names[column]}: {number:,} of {total:,}",
            )
    return "".join([*parts, "</svg>"])


def _cell(
    place: tuple[int, int, int], numbers: tuple[int, int], is_right: bool, title: str
) -> Iterable[str]:
    x, y, cell = place
    number, total = numbers
    share = number / total if total else 0.0
    kind = "right" if is_right else "wrong"
    yield f'<rect class="empty" x="{x + 1}" y="{y + 1}" width="{cell - 2}" height="{cell - 2}"/>'
    if not number:
        return
    # A single mistake must be visible among thousands of photos.
    opacity = 0.2 + 0.8 * share
    yield (
        f'<g><rect class="{kind}" x="{x + 1}" y="{y + 1}" width="{cell - 2}" '
        f'height="{cell - 2}" fill-opacity="{opacity:.2f}"/>'
    )
    if cell == _CELL:
        style = "number strong" if opacity > 0.6 else "number"
        yield f'<text class="{style}" x="{x + cell / 2}" y="{y + cell / 2 + 4}">{number}</text>'
    yield f"<title>{text(title)}</title></g>"


def _short(name: str) -> str:
    return name if len(name) <= _LABEL else f"{name[: _LABEL - 1]}…"


_SIDE, _LEFT, _TOP = 260, 46, 12


def reliability_drawing(before: Sequence[Bin], after: Sequence[Bin]) -> str:
    """Return the share of right predictions by score as SVG; the diagonal is what scores promise.

    Args:
        before: The ranges of scores.
        after: The same with a temperature; empty if there is none.
    """
    width, height = _LEFT + _SIDE + 26, _TOP + _SIDE + 44
    parts = [
        f'<svg class="reliability" role="img" aria-label="Reliability diagram" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}">'
    ]
    for step in range(0, 101, 25):
        x, y = _place(step / 100, step / 100)
        parts += [
            f'<path class="grid" d="M{_LEFT} {y}H{_LEFT + _SIDE}M{x} {_TOP}V{_TOP + _SIDE}"/>',
            f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{step} %</text>',
            f'<text x="{x}" y="{_TOP + _SIDE + 16}" text-anchor="middle">{step} %</text>',
        ]
    start, end = _place(0, 0), _place(1, 1)
    parts.append(f'<path class="ideal" d="M{start[0]} {start[1]}L{end[0]} {end[1]}"/>')
    most = max((each.photos for each in before), default=1)
    for bins, kind in ((after, "after"), (before, "before")):
        parts += _curve(bins, kind, most)
    middle = _LEFT + _SIDE / 2
    parts.append(
        f'<text x="{middle}" y="{height - 8}" text-anchor="middle">score of the best class</text>'
        "</svg>"
    )
    return "".join(parts)


def _curve(bins: Sequence[Bin], kind: str, most: int) -> Iterable[str]:
    if not bins:
        return
    places = [_place(each.score, each.right) for each in bins]
    line = "L".join(f"{x} {y}" for x, y in places)
    yield f'<path class="{kind} line" d="M{line}"/>'
    for each, (x, y) in zip(bins, places, strict=True):
        radius = 2.5 + 5.5 * (each.photos / most) ** 0.5
        right = percent(each.right)
        title = f"{each.photos:,} photos with a mean score of {percent(each.score)}: {right} right"
        yield (
            f'<circle class="{kind}" cx="{x}" cy="{y}" r="{radius:.1f}">'
            f"<title>{title}</title></circle>"
        )


def _place(score: float, right: float) -> tuple[float, float]:
    return round(_LEFT + score * _SIDE, 1), round(_TOP + (1 - right) * _SIDE, 1)
