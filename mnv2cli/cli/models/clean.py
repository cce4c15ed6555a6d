"""``mnv2 models clean``: remove what can be compiled or downloaded again."""

from __future__ import annotations

import os

import click

from mnv2cli.cli.models.options import option
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.cli.terminal.text import printable


@click.command(
    cls=ExampleCommand,
    examples=(
        ("show how much space it would free", "mnv2 models clean --dry-run"),
        ("remove downloaded weights, too", "mnv2 models clean --weights"),
    ),
)
@option("--weights", is_flag=True, help="Also remove downloaded weights, after confirmation.")
@option("--dry-run", is_flag=True, help="Show what would be removed; remove nothing.")
@option("-y", "--yes", is_flag=True, help="Do not ask for confirmation.")
def clean(weights: bool, dry_run: bool, yes: bool) -> None:
    """Remove compiled models, cached features and leftovers of killed runs.

    Later runs compile and compute them again. Other files in the cache folder are kept.
    """
    from mnv2cli.cli.terminal.text import size_text
    from mnv2cli.engines.cache import remove_all
    from mnv2cli.inference.feature_database import remove_features
    from mnv2cli.models.cleanup import (
        downloaded_weights,
        interrupted_downloads,
        remove_downloads,
        remove_weights,
    )
    from mnv2cli.system.messages import count

    compiled, size = remove_all(dry_run=dry_run)
    left = interrupted_downloads()
    if not dry_run:
        remove_downloads(left)
    removed = "Would remove" if dry_run else "Removed"
    click.echo(f"{removed} {count(compiled, 'compiled model')}, {size_text(size)}", err=True)
    if features := remove_features(dry_run=dry_run):
        click.echo(f"{removed} the cached features of photos, {size_text(features)}", err=True)
    if left:
        click.echo(f"{removed} {count(len(left), 'interrupted download')}", err=True)
    if not weights:
        return
    found = downloaded_weights()
    size = sum(map(os.path.getsize, found))
    if found and not (dry_run or yes):
        for file in found:
            click.echo(printable(file), err=True)
        click.confirm(
            f"Remove {count(len(found), 'weights file')}, {size_text(size)}?", abort=True, err=True
        )
    if not dry_run:
        remove_weights(found)
    click.echo(f"{removed} {count(len(found), 'weights file')}, {size_text(size)}", err=True)
