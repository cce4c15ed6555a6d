"""``mnv2 models path``: where the weights of a network are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mnv2cli.cli.models.options import model_argument
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.cli.terminal.text import print_path
from mnv2cli.errors import ExitCode

if TYPE_CHECKING:
    from mnv2cli.models import ModelOptions


@click.command(
    cls=ExampleCommand,
    examples=(("onto a stick", 'cp "$(mnv2 models path)" /media/stick/'),),
)
@model_argument
def path(model: ModelOptions) -> None:
    """Print where a network's weights are; exit 1 if they are not there yet."""
    from mnv2cli.models import open_model

    chosen = open_model(model)
    found = chosen.find()
    print_path(found or chosen.cached)
    if not found:
        click.echo(f"Not there yet. To get it: {chosen.how_to_get}", err=True)
        click.get_current_context().exit(ExitCode.FAILED)
