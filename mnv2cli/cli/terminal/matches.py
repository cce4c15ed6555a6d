"""The photos that ``mnv2 find`` finds, as a table on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from mnv2cli.cli.terminal.bars import bar
from mnv2cli.cli.terminal.console import PlainConsole
from mnv2cli.cli.terminal.text import printable, shorten

if TYPE_CHECKING:
    from mnv2cli.selecting.matches import Match

_SCORE, _BAR, _GAP = 7, 12, 2
_WIDE = 64  # the narrowest terminal with bars
_LABEL = 28
_LEAST = 8
_SURE = 0.5


def print_matches(matches: Sequence[Match], *, has_what: bool) -> None:
    """Print photos with their scores and best labels on standard output.

    Args:
        matches: The photos, in order.
        has_what: Also print what each was found by.
    """
    console = PlainConsole(highlight=False)
    width = console.width
    has_bars = width >= _WIDE
    rows = [_names(match) for match in matches]
    label = min(max(len("Label"), *(len(label) for _, label in rows)), _LABEL)
    what = min(max(len("What"), *(len(what) for what, _ in rows)), _LABEL) if has_what else 0
    taken = [_SCORE, label] + ([_BAR] if has_bars else []) + ([what] if has_what else [])
    path = max(width - sum(taken) - _GAP * len(taken), _LEAST)

    def table() -> Table:
        grid = Table.grid(padding=(0, _GAP, 0, 0))
        grid.add_column(width=_SCORE, justify="right", no_wrap=True)
        if has_bars:
            grid.add_column(width=_BAR, no_wrap=True)
        if has_what:
            grid.add_column(width=what, no_wrap=True, overflow="ellipsis")
        grid.add_column(width=label, no_wrap=True, overflow="ellipsis")
        grid.add_column(no_wrap=True)
        return grid

    def cells(score: Text, drawn: Text, name: Text, best: Text, where: Text) -> list[Text]:
        return [score, *([drawn] if has_bars else []), *([name] if has_what else []), best, where]

    grid = table()
    titles = [Text(title, style="bold") for title in ("Score", "", "What", "Label", "Image")]
    grid.add_row(*cells(*titles))
    for match, (name, best) in zip(matches, rows, strict=True):
        colour = "green" if match.score >= _SURE else "yellow"
        drawn = bar(match.score, _BAR, ascii_only=console.options.ascii_only)
        grid.add_row(
            *cells(
                Text(f"{match.score * 100:.1f} %"),
                Text(drawn, style=colour),
                Text(name, style="bold"),
                Text(best),
                Text(shorten(printable(match.record.path), path), style="cyan"),
            )
        )
    console.print(grid)


def _names(match: Match) -> tuple[str, str]:
    best = match.record.predictions
    return printable(match.what), printable(best[0].label) if best else ""
