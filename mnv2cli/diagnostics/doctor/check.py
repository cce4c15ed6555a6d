"""The result of one check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Check:
    """The result of one check.

    Attributes:
        group: The heading it is shown under.
        name: What was checked.
        state: ``ok``, ``warn`` if it works with limitations, or ``fail`` if it must be fixed.
        text: What was found.
        advice: What to do about it; never empty unless ``ok``.
    """

    group: str
    name: str
    state: State
    text: str
    advice: str = ""


def gigabytes(size: int) -> str:
    """Return a number of bytes as text in gigabytes."""
    return f"{size / 1e9:,.1f} GB"
