"""``mnv2 models path``: print the path of a network's weights."""

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
    examples=(("copy the weights to a USB stick", 'cp "$(mnv2 models path)" /media/stick/'),),
)
@model_argument
def path(model: ModelOptions) -> None:
    """Print the path of a network's weights; exit with 1 if they do not exist yet."""
    from mnv2cli.models import open_model

    chosen = open_model(model)
    found = chosen.find()
    print_path(found or chosen.cached)
    if not found:
        click.echo(f"The file does not exist yet. Get it with: {chosen.how_to_get}", err=True)
        click.get_current_context().exit(ExitCode.FAILED)
