"""``mnv2 models clean``: what can be made or downloaded again."""

from __future__ import annotations

import os

import click

from mnv2cli.cli.models.options import option
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.cli.terminal.text import printable


@click.command(
    cls=ExampleCommand,
    examples=(
        ("what there is to gain", "mnv2 models clean --dry-run"),
        ("downloaded weights as well", "mnv2 models clean --weights"),
    ),
)
@option("--weights", is_flag=True, help="Remove downloaded weights as well, once you confirm it.")
@option("--dry-run", is_flag=True, help="Tell what would be removed, and remove nothing.")
@option("-y", "--yes", is_flag=True, help="Do not ask.")
def clean(weights: bool, dry_run: bool, yes: bool) -> None:
    """Remove compiled models, which the next run makes again, and leftovers of killed runs.

    Nothing else in the cache folder is touched.
    """
    from mnv2cli.cli.terminal.text import size_text
    from mnv2cli.engines.cache import remove_all
    from mnv2cli.models.cleanup import (
        downloaded_weights,
        interrupted_downloads,
        remove_downloads,
        remove_weights,
    )

    count, size = remove_all(dry_run=dry_run)
    left = interrupted_downloads()
    if not dry_run:
        remove_downloads(left)
    done = "would be removed" if dry_run else "removed"
    click.echo(f"{count} compiled models {done}, {size_text(size)}", err=True)
    if left:
        click.echo(f"{len(left)} interrupted downloads {done}", err=True)
    if not weights:
        return
    found = downloaded_weights()
    size = sum(map(os.path.getsize, found))
    if found and not (dry_run or yes):
        for file in found:
            click.echo(printable(file), err=True)
        click.confirm(
            f"Remove these {len(found)} weights files, {size_text(size)}?", abort=True, err=True
        )
    if not dry_run:
        remove_weights(found)
    click.echo(f"{len(found)} weights files {done}, {size_text(size)}", err=True)
