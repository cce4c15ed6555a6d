"""Print the report of ``mnv2 learn``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from mnv2cli.cli.terminal.console import PlainConsole
from mnv2cli.cli.terminal.text import printable
from mnv2cli.learning.summary import summary

if TYPE_CHECKING:
    from mnv2cli.learning.learned import Learned

_HEADINGS = ("Learned ", "Accuracy ", "Class ", "Wrote ")
_WARNINGS = (
    "Unreadable",
    "In several classes",
    "Probably in the wrong",
    "Not found",
    "Classes with",
)


def print_report(learned: Learned, *, verbose: bool = False) -> None:
    """Print the report on standard output.

    Args:
        learned: What was learned.
        verbose: Name all photos, not only the first.
    """
    console = PlainConsole(highlight=False)
    for line in summary(learned, verbose=verbose):
        console.print(Text(printable(line), style=style_of(line)), soft_wrap=True)


def style_of(line: str) -> str:
    """Return the style of a line of the report."""
    if line.startswith(_HEADINGS):
        return "bold"
    if line.startswith(_WARNINGS):
        return "yellow"
    return "dim" if line.startswith(("Recall:", "Precision:")) else ""
