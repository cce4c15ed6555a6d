"""The user's choice of where results go, and in which format."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OutputTarget:
    """Where results go, and in which format.

    Attributes:
        path: The file; None for standard output.
        format: Name of the format; empty for the one that the file's suffix names, or for the
            default of standard output.
        long: In tables, write one row for each rank of an image.
        safe: In CSV, put an apostrophe before cells that a spreadsheet would take for a formula.
        force: Overwrite the file if it exists.
    """

    path: str | None = None
    format: str = ""
    long: bool = False
    safe: bool = False
    force: bool = False
