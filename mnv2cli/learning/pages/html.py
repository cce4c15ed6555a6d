"""Parts of panels: text, shares, tables and lists as HTML without style attributes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from mnv2cli.learning.summary import percent
from mnv2cli.system.messages import count

if TYPE_CHECKING:
    from mnv2cli.learning.metrics import ClassFigures, Metrics

MOST_CLASSES = 40
"""The number of classes that a table shows before it is folded, and that a matrix shows."""

_MOST_PAIRS = 20
_MOST_NAMED = 20


def text(value: str) -> str:
    """Return any text, such as a path, as HTML that shows it: escaped, and valid UTF-8."""
    known = os.fsencode(value).decode("utf-8", "replace")
    return escape("".join(char if char.isprintable() else "\ufffd" for char in known))


def share(value: float) -> str:
    """Return a share for people that is not broken into two lines."""
    return percent(value).replace(" ", "\u00a0")


def figure(name: str, value: float, note: str = "") -> str:
    """Return a figure for a list of class ``figures``."""
    more = f"<small>{note}</small>" if note else ""
    return f"<div><dt>{name}</dt><dd>{share(value)}{more}</dd></div>"


def scrolling(name: str, content: str) -> str:
    """Return wide content in a box that scrolls, also by keyboard.

    Args:
        name: Its name for screen readers.
        content: HTML.
    """
    return f'<div class="scroll" role="group" tabindex="0" aria-label="{name}">{content}</div>\n'


def listed(names: Sequence[str]) -> str:
    """Return the first names, escaped, and the number of the others."""
    shown = ", ".join(text(name) for name in names[:_MOST_NAMED])
    more = len(names) - _MOST_NAMED
    return shown + (f" and {more:,} more" if more > 0 else "")


def not_included(lists: Iterable[tuple[str, Sequence[str], int]]) -> Iterator[str]:
    """Yield which photos the figures do not include.

    Args:
        lists: A reason, what it is the reason for, and the number of photos.
    """
    items = [
        f"<li>{count(photos, 'photo')} {why}: {listed(names)}</li>"
        for why, names, photos in lists
        if names
    ]
    if items:
        yield f"<h2>Not included</h2>\n<ul>{''.join(items)}</ul>\n"


def class_table(classes: Sequence[ClassFigures]) -> Iterator[str]:
    """Yield the table of the classes, the worst first; a long one is folded."""
    is_long = len(classes) > MOST_CLASSES
    if is_long:
        yield f"<details><summary><h2>All {len(classes):,} classes</h2></summary>"
    else:
        yield "<h2>Classes</h2>"
    yield (
        "\n<p>Precision: of the photos predicted to be of the class, the share "
        "that is. Recall: of its photos, the share that was predicted. F1 joins both.</p>\n"
    )
    rows = [
        '<table><tr><th scope="col">Class<th scope="col" class="n">Photos<th scope="col" class="n">'
        'Precision<th scope="col" class="n">Recall<th scope="col" class="n">F1</tr>'
    ]
    for each in sorted(classes, key=lambda figures: figures.f1):
        precision = share(each.precision) if each.predicted else "–"
        rows.append(
            f'<tr><td>{text(each.name)}<td class="n">{each.photos:,}<td class="n">{precision}'
            f'<td class="n">{share(each.recall)}<td class="n">{_bar(each.f1)}</tr>'
        )
    yield scrolling("Classes", "".join([*rows, "</table>"])) + ("</details>\n" if is_long else "")


def _bar(value: float) -> str:
    """Return a share with a bar; a script sets its length, because styles may not."""
    return f'<span class="bar" data-share="{value:.3f}">{share(value)}</span>'


def confusion_table(metrics: Metrics) -> Iterator[str]:
    """Yield the pairs of classes that are confused most often; nothing if there are none."""
    pairs = metrics.confusions(_MOST_PAIRS)
    if not pairs:
        return
    yield "<h3>Most confused</h3>\n"
    rows = [
        '<table><tr><th scope="col">True<th scope="col">Predicted'
        '<th scope="col" class="n">Photos</tr>'
    ]
    rows += [
        f'<tr><td>{text(pair.true)}<td>{text(pair.predicted)}<td class="n">{pair.photos:,}</tr>'
        for pair in pairs
    ]
    yield scrolling("Most confused", "".join([*rows, "</table>"]))
