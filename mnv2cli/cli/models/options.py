"""Arguments and options shared by the commands of ``mnv2 models``."""

from __future__ import annotations

from typing import Any

import click

from mnv2cli.cli.grouping import grouped, section
from mnv2cli.cli.options.model import variant_options
from mnv2cli.cli.terminal.help import NamesVariable
from mnv2cli.cli.types import MODEL_NAME
from mnv2cli.models import MODELS, ModelOptions

option = section("Options")
json_option = option("--json", "as_json", is_flag=True, help="Print JSON.")


class _ModelArgument(NamesVariable, click.Argument):
    """The network; errors name ``MNV2_MODEL`` if it comes from there."""


_argument = click.argument(
    "model",
    cls=_ModelArgument,
    type=click.Choice(MODELS),
    envvar="MNV2_MODEL",
    required=False,
    metavar="[MODEL]",
)
_any_argument = click.argument(
    "model",
    cls=_ModelArgument,
    type=MODEL_NAME,
    envvar="MNV2_MODEL",
    required=False,
    metavar="[MODEL]",
)


def _model(*, model: str | None = None, **values: Any) -> ModelOptions:
    return ModelOptions(model or "", **values)


variant_option_group = grouped("model", _model, variant_options)
"""Declares the options for width and size; the command receives them as ``model``."""

model_argument = grouped("model", _model, _argument, variant_options)
"""Declares the argument and options for a model; the command receives them as ``model``."""

any_model_argument = grouped("model", _model, _any_argument, variant_options)
"""As ``model_argument``; the model may also be one of the user's, or a file."""

compiled_model_argument = grouped(
    "model",
    _model,
    _argument,
    variant_options,
    option("--accurate", is_flag=True, help="Compile for runs with --accurate."),
)
"""As ``model_argument``, for a model that is compiled."""
