"""Parts of panels: text, shares and tables as HTML without style attributes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from html import escape


class Figure(str):
    """The HTML of a figure in a table; figures are aligned to the right."""


def shown(value: str) -> str:
    """Return any text, such as a path, as valid UTF-8 that can be shown; it is not escaped."""
    known = os.fsencode(value).decode("utf-8", "replace")
    return "".join(char if char.isprintable() else "\ufffd" for char in known)


def text(value: str) -> str:
    """Return any text, such as a path, as HTML that shows it: escaped, and valid UTF-8."""
    return escape(shown(value))


def number(value: int, sign: str = "") -> Figure:
    """Return a number for people; ``sign`` is before it, unless it is 0."""
    return Figure(f"{sign if value else ''}{value:,}")


def scrolling(name: str, content: str) -> str:
    """Return wide content in a box that scrolls, also by keyboard.

    Args:
        name: Its name for screen readers.
        content: HTML.
    """
    return f'<div class="scroll" role="region" tabindex="0" aria-label="{name}">{content}</div>\n'


def table(
    name: str,
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    names_rows: bool = False,
) -> str:
    """Return a table in a box that scrolls.

    Args:
        name: Its name for screen readers.
        headings: The HTML of the heading of each column; an empty one is a cell without a heading.
        rows: The HTML of the cells; a column of nothing but :class:`Figure` is aligned to the
            right, with its heading.
        names_rows: The first cell of each row is its heading.
    """
    columns = zip(*rows, strict=True) if rows else ((),) * len(headings)
    lines = ["".join(map(_heading, headings, columns))]
    for row in rows:
        first = f'<th scope="row">{row[0]}</th>' if names_rows else ""
        rest = row[1:] if names_rows else row
        lines.append(
            first + "".join(f"<td{_sign(isinstance(cell, Figure))}>{cell}</td>" for cell in rest)
        )
    body = "\n".join(f"<tr>{line}</tr>" for line in lines)
    return scrolling(name, f"<table>\n{body}\n</table>")


def _heading(heading: str, column: Sequence[str]) -> str:
    if not heading:
        return "<td></td>"
    sign = _sign(all(isinstance(cell, Figure) for cell in column))
    return f'<th scope="col"{sign}>{heading}</th>'


def _sign(is_figure: bool) -> str:
    return ' class="n"' if is_figure else ""
