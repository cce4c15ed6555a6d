"""``mnv2 config``: show what config files set, and where they are."""

from __future__ import annotations

import click

from mnv2cli.cli.terminal.help import LazyCommand, LazyGroup

COMMANDS = {
    "show": LazyCommand("mnv2cli.cli.config.show:show", "Show values, and where each is from."),
    "path": LazyCommand("mnv2cli.cli.config.path:path", "Show where config files are."),
}
EXAMPLES = (
    ("show the values that are set", "mnv2 config show"),
    ("show all options of a command", "mnv2 config show classify --all"),
    ("edit your config file", '"$EDITOR" "$(mnv2 config path --user)"'),
)


@click.group(cls=LazyGroup, lazy=COMMANDS, examples=EXAMPLES)
def config() -> None:
    """Show what config files set.

    A file mnv2.toml in the current folder or one above it, [tool.mnv2] in a pyproject.toml there,
    and your own mnv2.toml set options. Command-line options and MNV2_* variables take precedence.
    """
