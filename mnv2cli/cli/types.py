"""Types of option values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    _ScoreType = click.ParamType[float]
else:
    _ScoreType = click.ParamType  # not generic in all supported versions of click


class Score(_ScoreType):
    """A score in [0, 1]; for a percentage, the error names the score to use.

    Args:
        min_open: Reject 0 as well.
    """

    name = "score"

    def __init__(self, *, min_open: bool = False) -> None:
        self._min_open = min_open

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the score; fail with a usage error."""
        text = str(value).strip()
        is_percent = text.endswith("%")
        try:
            number = float(text.removesuffix("%"))
        except ValueError:
            self.fail(f"{text!r} is not a number from 0 to 1.", param, ctx)
        if (is_percent and 0 <= number <= 100) or 2 <= number <= 100:
            self.fail(f"scores are 0 to 1: for {number:g}%, use {number / 100:g}.", param, ctx)
        if not 0 <= number <= 1:
            self.fail(f"{text!r} is not a number from 0 to 1.", param, ctx)
        if self._min_open and not number:
            self.fail("the score must be above 0.", param, ctx)
        return number


SCORE = Score()
POSITIVE_SCORE = Score(min_open=True)


class ModelName(click.Choice[str]):
    """The name of a network or of a model of the user's, or the path of a model."""

    @property
    def _own(self) -> list[str]:
        from mnv2cli.models.own import own_models

        return list(own_models())

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from mnv2cli.models.registry import is_file

        return value if is_file(value) or value in self._own else super().convert(value, param, ctx)
