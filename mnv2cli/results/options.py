"""Where results go and in which format, as the user asks for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OutputTarget:
    """Where results go.

    Attributes:
        path: The file; None for standard output.
        format: Name of the format; empty for the one that the file's suffix names, or that fits
            standard output.
        long: In tables, a row for each image and rank.
        safe: In CSV, an apostrophe before cells that a spreadsheet would take for a formula.
        force: Overwrite the file if it exists.
    """

    path: str | None = None
    format: str = ""
    long: bool = False
    safe: bool = False
    force: bool = False
