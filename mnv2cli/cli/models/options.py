"""Arguments and options that the commands of ``mnv2 models`` share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from mnv2cli.cli.options import section, variant_options
from mnv2cli.models import DEFAULT_MODEL, MODELS, ModelOptions

option = section("Options")
json_option = option("--json", "as_json", is_flag=True, help="Print it as JSON.")

_argument = click.argument(
    "model",
    type=click.Choice(MODELS),
    default=DEFAULT_MODEL,
    envvar="MNV2_MODEL",
    metavar="[MODEL]",
)


def variant_option_group(function: Callable[..., Any]) -> Callable[..., Any]:
    """Declare the options for width and size; the command gets them as ``model``."""

    @wraps(function)
    def command(*, alpha: float | None, size: int | None, model: str = "", **others: Any) -> Any:
        return function(model=ModelOptions(model, alpha, size), **others)

    return variant_options(command)


def model_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """Declare the argument and the options that name a model; the command gets it as ``model``."""
    return _argument(variant_option_group(function))
