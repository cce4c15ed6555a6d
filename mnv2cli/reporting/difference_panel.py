"""The difference of two runs as a tab of a page: the same figures as on the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mnv2cli.reporting.content import Panel
from mnv2cli.reporting.difference import NO_CATEGORY, NO_LABEL, Difference, Pair
from mnv2cli.reporting.html import Figure, number, table, text
from mnv2cli.system.messages import count, share_text

TITLE = "Differences"

MOST_ROWS = 50
"""Rows of a table."""


def difference_panel(difference: Difference) -> Panel:
    """Return the tab with the difference of two runs.

    Everything from names and files is escaped.
    """
    return Panel(TITLE, "".join(_content(difference)))


def _content(difference: Difference) -> Iterator[str]:
    yield f'<p class="lead">{_headline(difference)}</p>\n'
    yield table("Both runs", ["", "Before", "After"], [
        ["Results", text(difference.before), text(difference.after)],
        ["Photos", number(difference.images_before), number(difference.images_after)],
        ["Only here", number(difference.only_before), number(difference.only_after)],
        ["Readable only here", number(difference.now_unreadable),
         number(difference.now_readable)],
        ["Mean score", _score(difference.mean_before), _score(difference.mean_after)],
    ], names_rows=True)  # fmt: skip
    yield from _pairs("Changed labels", difference.pairs, NO_LABEL)
    yield from _pairs("Changed categories", difference.category_pairs, NO_CATEGORY)
    rows = [
        [text(each.name or NO_LABEL), *map(number, (each.before, each.after)),
         number(each.gained, "+"), number(each.lost, "−")]
        for each in difference.classes
    ]  # fmt: skip
    yield from _section("Changes by class", ["Class", "Before", "After", "Gained", "Lost"], rows)
    rows = [
        [text(each.path), text(each.before or NO_LABEL), _score(each.before_score),
         text(each.after or NO_LABEL), _score(each.after_score)]
        for each in difference.most_changed_labels
    ]  # fmt: skip
    headings = ["Photo", "Before", "Score", "After", "Score"]
    yield from _section("Changed labels of which both runs were sure", headings, rows)
    rows = [
        [text(each.path), text(each.label), _score(each.before_score), _score(each.after_score)]
        for each in difference.most_changed_scores
    ]
    yield from _section("Most changed scores", ["Photo", "Label", "Before", "After"], rows)


def _headline(difference: Difference) -> str:
    if difference.agreement is None:
        return "No photo could be read in both runs."
    share = share_text(difference.agreement).replace(" ", "\u00a0")
    return f"<b>{share}</b> of {count(difference.compared, 'photo')} have the same label."


def _pairs(title: str, pairs: Sequence[Pair], nothing: str) -> Iterator[str]:
    rows = [
        [text(each.before or nothing), text(each.after or nothing), number(each.count)]
        for each in pairs
    ]
    yield from _section(title, ["Before", "After", "Photos"], rows)


def _section(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if not rows:
        return
    yield f"<h2>{title}</h2>\n"
    yield table(title, headings, rows[:MOST_ROWS])
    if (more := len(rows) - MOST_ROWS) > 0:
        yield f"<p>and {more:,} more: mnv2 summary --against lists them with --all</p>\n"


def _score(score: float | None) -> Figure:
    return Figure("–" if score is None else f"{100 * score:.1f}\u00a0%")
