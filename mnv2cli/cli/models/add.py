"""``mnv2 models add``: give a learned model a name that ``--model`` accepts."""

from __future__ import annotations

import click

from mnv2cli.cli.models.options import option
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.cli.terminal.text import printable


@click.command(
    cls=ExampleCommand,
    examples=(
        ("use a model by its name, from any folder",
         "mnv2 models add rooms.keras && mnv2 classify photos --model rooms"),
    ),
)  # fmt: skip
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@option("--name", metavar="NAME", help="Name of the model.  [default: as FILE]")
@option("--force", is_flag=True, help="Replace another model of that name.")
def add(file: str, name: str | None, force: bool) -> None:
    """Copy a model that mnv2 learn wrote, so that --model NAME works in any folder."""
    from mnv2cli.models.adding import add_own
    from mnv2cli.models.own import find_own

    named, is_copied = add_own(file, name or "", force=force)
    done = "Added" if is_copied else "Already there:"
    click.echo(f"{done} {named} ({printable(find_own(named))})", err=True)
    click.echo(f"Use it with: mnv2 classify PHOTOS --model {named}", err=True)
