"""Types of option values."""

from __future__ import annotations

from typing import Any

import click


class Score(click.FloatRange):
    """A score from 0 to 1; for a percentage, the error names the score."""

    name = "score"

    def __init__(self, *, min_open: bool = False) -> None:
        super().__init__(0, 1, min_open=min_open)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the score; raises BadParameter."""
        if isinstance(value, str) and (score := _from_percentage(value)) is not None:
            self.fail(f"{value!r} is not a score from 0 to 1: use {score:g}.", param, ctx)
        return float(super().convert(value, param, ctx))


def _from_percentage(text: str) -> float | None:
    """Return the score that ``80`` or ``50%`` stands for; None for anything else."""
    number = text.strip().removesuffix("%")
    is_percentage = number != text.strip()
    try:
        value = float(number)
    except ValueError:
        return None
    if (is_percentage and 0 <= value <= 100) or 1 < value <= 100:
        return value / 100
    return None
