"""``mnv2 models``: which networks there are, where their weights are, and how they are made."""

from __future__ import annotations

import click

from mnv2cli.cli.terminal.help import LazyCommand, LazyGroup

COMMANDS = {
    "list": LazyCommand(
        "mnv2cli.cli.models.list:list_models", "List all networks, and what is on this machine."
    ),
    "download": LazyCommand(
        "mnv2cli.cli.models.download:download", "Download published weights, checked."
    ),
    "path": LazyCommand("mnv2cli.cli.models.path:path", "Print where a network's weights are."),
    "import": LazyCommand(
        "mnv2cli.cli.models.import_file:import_file", "Take in a weights file carried over by hand."
    ),
    "compile": LazyCommand(
        "mnv2cli.cli.models.compile:compile_model", "Compile a network for this processor now."
    ),
    "clean": LazyCommand("mnv2cli.cli.models.clean:clean", "Remove compiled models and leftovers."),
    "show": LazyCommand(
        "mnv2cli.cli.models.show:show", "Show how a network is made, stage by stage."
    ),
}
"""The commands in the order of the help, each with where it is and its line there."""

EXAMPLES = (
    ("what there is, and what is on this machine", "mnv2 models list"),
    ("carry the weights to a machine without internet", 'cp "$(mnv2 models path)" /media/stick/'),
    ("and take them in there", "mnv2 models import /media/stick/mobilenet_v2_*.h5"),
)


@click.group(cls=LazyGroup, lazy=COMMANDS, examples=EXAMPLES)
def models() -> None:
    """List, fetch, check, compile and look at the networks and their weights.

    MODEL is mobilenet_v2 or efficientnet_lite0; MNV2_MODEL in the environment names the default.
    """
