"""Types of option values."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from mnv2cli.cli.terminal.suggest import did_you_mean
from mnv2cli.models import MODELS, elsewhere
from mnv2cli.models.own import find_own, own_models
from mnv2cli.results.stdin import STDIN, results_file

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    _NumberType = click.ParamType[float]
else:
    _NumberType = click.ParamType  # not generic in all supported versions of click


class Score(_NumberType):
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


class Share(_NumberType):
    """A share of photos in [0, 1), such as 0.1 or 10%, or a number of photos from 1."""

    name = "share"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the share or the number; fail with a usage error."""
        text = str(value).strip()
        try:
            number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            number = -1.0
        is_count = number == int(number) and not text.endswith("%") if 0 <= number < 1e15 else False
        if not (0 <= number < 1 or is_count):
            self.fail(
                f"{text!r} is neither a share such as 0.1 nor a number of photos such as 100.",
                param,
                ctx,
            )
        return number


class ResultsPath(click.Path):
    """A file of results, or ``-`` for standard input, which is kept while the command runs.

    Args:
        exists: Check here that it is a file; otherwise the command checks it.
    """

    def __init__(self, *, exists: bool = False) -> None:
        super().__init__(exists=exists, dir_okay=not exists, allow_dash=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path of the file."""
        path = super().convert(value, param, ctx)
        if path != STDIN or ctx is None or ctx.resilient_parsing:
            return path
        return ctx.with_resource(results_file(STDIN))


RESULTS = ResultsPath()
RESULTS_FILE = ResultsPath(exists=True)


class ModelName(click.Choice[str]):
    """The name of a network, the path of a model, or ``keras:NAME``."""

    def __init__(self) -> None:
        super().__init__(list(MODELS))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name or path; fail with a usage error if there is no such model."""
        text = str(value)
        if text.startswith(elsewhere.PREFIX):
            names = elsewhere.network_names()
            if text not in names:
                similar = did_you_mean(text, names)
                self.fail(f"{text!r} is not a network of keras.applications.{similar}", param, ctx)
            return text
        if text not in MODELS and elsewhere.is_elsewhere(text):
            if not os.path.exists(text):
                self.fail(f"{text!r} does not exist.", param, ctx)
            return text
        if text not in MODELS and (find_own(text) or os.path.exists(text)):
            return text
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter as error:
            error.message += did_you_mean(text, [*MODELS, *own_models()])  # type: ignore[misc, unused-ignore]
            raise

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the names that begin as typed, and otherwise have the shell add files."""
        from click.shell_completion import CompletionItem

        names = [*MODELS, *own_models(), *(elsewhere.network_names() if ":" in incomplete else ())]
        found = [CompletionItem(name) for name in names if name.startswith(incomplete)]
        return found or [CompletionItem(incomplete, type="file")]


MODEL_NAME = ModelName()
