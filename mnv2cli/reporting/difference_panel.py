"""The difference of two runs as a tab of a page: the same figures as on the terminal."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from html import escape

from mnv2cli.reporting.content import Panel
from mnv2cli.reporting.difference import Difference, Pair
from mnv2cli.system.messages import count

TITLE = "Differences"

MOST_ROWS = 50
"""Rows of a table."""

_NO_LABEL = "no label"
_NO_CATEGORY = "no category"


def difference_panel(difference: Difference) -> Panel:
    """Return the tab with the difference of two runs.

    Its tables have the classes of all tables of a page: ``n`` for figures, and ``scroll`` around a
    table that may be wider than the page. Everything from names and files is escaped.
    """
    return Panel(TITLE, "".join(_content(difference)))


def _content(difference: Difference) -> Iterator[str]:
    yield f'<p class="lead">{_headline(difference)}</p>\n'
    yield _table(["", "Before", "After"], [
        ["Results", _text(difference.before), _text(difference.after)],
        ["Photos", _number(difference.images_before), _number(difference.images_after)],
        ["Only here", _number(difference.only_before), _number(difference.only_after)],
        ["Readable only here", _number(difference.now_unreadable),
         _number(difference.now_readable)],
        ["Mean score", _score(difference.mean_before), _score(difference.mean_after)],
    ])  # fmt: skip
    yield from _pairs("Changed labels", difference.pairs, _NO_LABEL)
    yield from _pairs("Changed categories", difference.category_pairs, _NO_CATEGORY)
    rows = [
        [_text(each.name or _NO_LABEL), *map(_number, (each.before, each.after)),
         _number(each.gained, "+"), _number(each.lost, "−")]
        for each in difference.classes
    ]  # fmt: skip
    yield from _section("Changes by class", ["Class", "Before", "After", "Gained", "Lost"], rows)
    rows = [
        [_text(each.path), _text(each.before or _NO_LABEL), _score(each.before_score),
         _text(each.after or _NO_LABEL), _score(each.after_score)]
        for each in difference.most_changed_labels
    ]  # fmt: skip
    headings = ["Photo", "Before", "Score", "After", "Score"]
    yield from _section("Changed labels of which both runs were sure", headings, rows)
    rows = [
        [_text(each.path), _text(each.label), _score(each.before_score), _score(each.after_score)]
        for each in difference.most_changed_scores
    ]
    yield from _section("Most changed scores", ["Photo", "Label", "Before", "After"], rows)


def _headline(difference: Difference) -> str:
    if difference.agreement is None:
        return "No photo could be read in both runs."
    share = difference.agreement if not difference.label_changed else min(
        difference.agreement, 0.999
    )  # fmt: skip
    photos = count(difference.compared, "photo")
    return f"<b>{_score(share)}</b> of {photos} have the same label."


def _pairs(title: str, pairs: Sequence[Pair], nothing: str) -> Iterator[str]:
    rows = [
        [_text(each.before or nothing), _text(each.after or nothing), _number(each.count)]
        for each in pairs
    ]
    yield from _section(title, ["Before", "After", "Photos"], rows)


def _section(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if not rows:
        return
    yield f"<h3>{title}</h3>\n"
    yield _table(headings, rows[:MOST_ROWS])
    if (more := len(rows) - MOST_ROWS) > 0:
        yield f"<p>and {more:,} more: mnv2 summary --against lists them with --all</p>\n"


class _Figure(str):
    """The text of a figure, which is aligned to the right."""


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; figures have the class ``n``, and so has the heading above them."""
    lines = [
        "".join(
            f"<th{_sign(all(isinstance(row[place], _Figure) for row in rows))}>{heading}</th>"
            for place, heading in enumerate(headings)
        )
    ]
    lines += [
        "".join(f"<td{_sign(isinstance(cell, _Figure))}>{cell}</td>" for cell in row)
        for row in rows
    ]
    body = "\n".join(f"<tr>{line}</tr>" for line in lines)
    return f'<div class="scroll"><table>\n{body}\n</table></div>\n'


def _sign(is_figure: bool) -> str:
    return ' class="n"' if is_figure else ""


def _number(number: int, sign: str = "") -> _Figure:
    return _Figure(f"{sign if number else ''}{number:,}")


def _score(score: float | None) -> _Figure:
    return _Figure("–" if score is None else f"{100 * score:.1f}\u00a0%")


def _text(value: str) -> str:
    """Return any text, such as a path, as HTML that shows it: escaped, and valid UTF-8."""
    known = os.fsencode(value).decode("utf-8", "replace")
    return escape("".join(char if char.isprintable() else "\ufffd" for char in known))
