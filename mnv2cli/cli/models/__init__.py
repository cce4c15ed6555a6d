"""``mnv2 models``: which networks there are, where their weights are, and how they are made."""

from __future__ import annotations

import click

from mnv2cli.cli.models.clean import clean
from mnv2cli.cli.models.compile import compile_model
from mnv2cli.cli.models.download import download
from mnv2cli.cli.models.import_file import import_file
from mnv2cli.cli.models.list import list_models
from mnv2cli.cli.models.path import path
from mnv2cli.cli.models.show import show
from mnv2cli.cli.terminal.help import ExampleGroup

EXAMPLES = (
    ("what there is, and what is on this machine", "mnv2 models list"),
    ("carry the weights to a machine without internet", 'cp "$(mnv2 models path)" /media/stick/'),
    ("and take them in there", "mnv2 models import /media/stick/mobilenet_v2_*.h5"),
)


@click.group(cls=ExampleGroup, examples=EXAMPLES, short_help="List, fetch and look at networks.")
def models() -> None:
    """List, fetch, check, compile and look at the networks and their weights.

    MODEL is mobilenet_v2 or efficientnet_lite0; MNV2_MODEL in the environment names the default.
    """


models.add_command(list_models)
models.add_command(download)
models.add_command(path)
models.add_command(import_file)
models.add_command(compile_model)
models.add_command(clean)
models.add_command(show)
