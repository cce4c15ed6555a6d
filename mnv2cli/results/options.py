"""The user's choice of the destination and format of results."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OutputTarget:
    """The destination and format of results.

    Attributes:
        path: The file; None for standard output.
        format: Name of the format; empty for the format that the file's suffix names, or for the
            default of standard output.
        long: In tables, write one row for each rank of an image.
        safe: In CSV, put an apostrophe before cells that look like formulas.
        force: Overwrite the file if it exists.
    """

    path: str | None = None
    format: str = ""
    long: bool = False
    safe: bool = False
    force: bool = False
