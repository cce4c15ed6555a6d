"""``mnv2 models remove``: remove one of the user's models."""

from __future__ import annotations

import click

from mnv2cli.cli.models.options import option
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.cli.terminal.text import printable


@click.command(cls=ExampleCommand, examples=(("remove a model", "mnv2 models remove rooms"),))
@click.argument("name")
@option("-y", "--yes", is_flag=True, help="Do not ask for confirmation.")
def remove(name: str, yes: bool) -> None:
    """Remove a model that mnv2 models add copied. The file it was copied from stays."""
    from mnv2cli.models.adding import remove_own
    from mnv2cli.models.own import find_own

    path = find_own(name)
    if path and not yes:
        click.confirm(f"Remove {printable(path)}?", abort=True, err=True)
    click.echo(f"Removed {printable(remove_own(name))}", err=True)
