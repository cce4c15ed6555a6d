"""``mnv2 models import``: import a weights file from another machine."""

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
        (
            "import a file with its published name",
            "mnv2 models import mobilenet_v2_weights_tf_*_1.0_224.h5",
        ),
        ("import a file with another name", "mnv2 models import narrow.h5 --alpha 0.35 --size 96"),
    ),
)
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False))
@variant_option_group
@option("--force", is_flag=True, help="Replace existing weights.")
def import_file(file: str, model: ModelOptions, force: bool) -> None:
    """Check a weights file and copy it into Keras's cache.

    The published name determines network, width and size; for any other name, add --alpha and
    --size. A .pth file is for efficientnet_lite0.
    """
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.models import open_model
    from mnv2cli.models.importing import import_weights, options_of_file

    Screen(quiet=False, verbose=False)  # hides messages of the libraries
    try:
        options = options_of_file(file, model)
    except InputError as error:
        raise click.UsageError(error.message) from error
    chosen = open_model(options)
    copied = import_weights(file, chosen, force=force)
    state = "" if copied else " already exists"
    click.echo(f"{chosen.model}{state}: {printable(chosen.cached)}", err=True)
