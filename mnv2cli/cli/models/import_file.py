"""``mnv2 models import``: a weights file that was carried over by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mnv2cli.cli.models.options import option, variant_option_group
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.cli.terminal.text import printable
from mnv2cli.errors import InputError

if TYPE_CHECKING:
    from mnv2cli.models import ModelOptions


@click.command(
    "import",
    cls=ExampleCommand,
    examples=(
        ("under its published name", "mnv2 models import mobilenet_v2_weights_tf_*_1.0_224.h5"),
        ("under another name", "mnv2 models import narrow.h5 --alpha 0.35 --size 96"),
    ),
)
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False))
@variant_option_group
@option("--force", is_flag=True, help="Replace weights that are already there.")
def import_file(file: str, model: ModelOptions, force: bool) -> None:
    """Take in a weights file that was carried over by hand, once it is checked.

    The published name says which network, width and size it is for; otherwise say so. A .pth file
    is taken for efficientnet_lite0.
    """
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.models import open_model
    from mnv2cli.models.importing import import_weights, options_of_file

    Screen(quiet=False, verbose=False)  # keeps the libraries' own lines off the terminal
    try:
        options = options_of_file(file, model)
    except InputError as error:
        raise click.UsageError(error.message) from error
    chosen = open_model(options)
    copied = import_weights(file, chosen, force=force)
    state = "" if copied else " is already there"
    click.echo(f"{chosen.model}{state}: {printable(chosen.cached)}", err=True)
