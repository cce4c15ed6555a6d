"""``mnv2 models``: list networks, manage their weights and compiled models, show their layers."""

from __future__ import annotations

import click

from mnv2cli.cli.terminal.help import LazyCommand, LazyGroup

COMMANDS = {
    "list": LazyCommand(
        "mnv2cli.cli.models.list:list_models", "List all networks and what is on this machine."
    ),
    "download": LazyCommand(
        "mnv2cli.cli.models.download:download", "Download and check published weights."
    ),
    "path": LazyCommand("mnv2cli.cli.models.path:path", "Print the path of a network's weights."),
    "import": LazyCommand(
        "mnv2cli.cli.models.import_file:import_file", "Import a weights file from another machine."
    ),
    "add": LazyCommand("mnv2cli.cli.models.add:add", "Add a model of yours under a name."),
    "remove": LazyCommand("mnv2cli.cli.models.remove:remove", "Remove a model of yours."),
    "compile": LazyCommand(
        "mnv2cli.cli.models.compile:compile_model", "Compile a network before the first run."
    ),
    "clean": LazyCommand("mnv2cli.cli.models.clean:clean", "Remove compiled models and leftovers."),
    "show": LazyCommand("mnv2cli.cli.models.show:show", "Show the layers of a network."),
}
"""The commands in the order of the help, each with its place and its line in the help."""

EXAMPLES = (
    ("list networks and what is on this machine", "mnv2 models list"),
    ("copy the weights for a machine without internet", 'cp "$(mnv2 models path)" /media/stick/'),
    ("use a model of yours by its name", "mnv2 models add mine.keras"),
    ("import them there", "mnv2 models import /media/stick/mobilenet_v2_*.h5"),
)


@click.group(cls=LazyGroup, lazy=COMMANDS, examples=EXAMPLES)
def models() -> None:
    """List, download, import, compile and show networks, their weights and your own models.

    MODEL is mobilenet_v2, efficientnet_lite0, mobilenet_v3_large, efficientnet_v2_b0 or
    convnext_tiny; MNV2_MODEL sets the default.
    """
