"""What one check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Check:
    """What one check found.

    Attributes:
        group: Under which heading it stands.
        name: What was looked at.
        state: ``ok``; ``warn``: works, with less; ``fail``: must be mended.
        text: What was seen.
        advice: What to do; never empty for ``fail``.
    """

    group: str
    name: str
    state: State
    text: str
    advice: str = ""


def gigabytes(size: int) -> str:
    """Return a number of bytes in gigabytes."""
    return f"{size / 1e9:,.1f} GB"
