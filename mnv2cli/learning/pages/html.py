"""Parts of the panels of learning: shares, lists, and tables of classes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from mnv2cli.learning.summary import percent
from mnv2cli.reporting.html import Figure, number, table, text
from mnv2cli.system.messages import count

if TYPE_CHECKING:
    from mnv2cli.learning.metrics import ClassFigures, Metrics

MOST_CLASSES = 40
"""The number of classes that a table shows before it is folded, and that a matrix shows."""

_MOST_PAIRS = 20
_MOST_NAMED = 20


def share(value: float) -> str:
    """Return a share for people that is not broken into two lines."""
    return percent(value).replace(" ", "\u00a0")


def figure(name: str, value: float, note: str = "") -> str:
    """Return a figure for a list of class ``figures``."""
    more = f"<small>{note}</small>" if note else ""
    return f"<div><dt>{name}</dt><dd>{share(value)}{more}</dd></div>"


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
        [
            text(each.name),
            number(each.photos),
            Figure(share(each.precision) if each.predicted else "–"),
            Figure(share(each.recall)),
            Figure(_bar(each.f1)),
        ]
        for each in sorted(classes, key=lambda figures: figures.f1)
    ]
    yield table("Classes", ["Class", "Photos", "Precision", "Recall", "F1"], rows)
    if is_long:
        yield "</details>\n"


def _bar(value: float) -> str:
    """Return a share with a bar; a script sets its length, because styles may not."""
    return f'<span class="bar" data-share="{value:.3f}">{share(value)}</span>'


def confusion_table(metrics: Metrics) -> Iterator[str]:
    """Yield the pairs of classes that are confused most often; nothing if there are none."""
    pairs = metrics.confusions(_MOST_PAIRS)
    if not pairs:
        return
    yield "<h3>Most confused</h3>\n"
    rows = [[text(pair.true), text(pair.predicted), number(pair.photos)] for pair in pairs]
    yield table("Most confused", ["True", "Predicted", "Photos"], rows)
