"""``mnv2 config path``: show where config files are looked for."""

from __future__ import annotations

import json
import os

import click

from mnv2cli.cli.grouping import section
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.cli.terminal.text import print_path, printable
from mnv2cli.errors import Mnv2Error

_options = section("Options")


@click.command(
    cls=ExampleCommand,
    examples=(
        ("list the places, and which files exist", "mnv2 config path"),
        ("create your config file", 'mkdir -p "$(dirname "$(mnv2 config path --user)")"'),
    ),
)
@_options("--user", "of_user", is_flag=True, help="Print only the path of the user's file.")
@_options("--json", "as_json", is_flag=True, help="Print JSON.")
def path(of_user: bool, as_json: bool) -> None:
    """List where config files are looked for, highest precedence first.

    Of the current folder and those above it, only the first file counts.
    """
    from mnv2cli.config.locate import user_file

    if of_user and as_json:
        raise click.UsageError("--user cannot be combined with --json: choose one.")
    if of_user:
        print_path(user_file())
        return
    rows = _rows()
    if as_json:
        click.echo(json.dumps([{"path": name, "state": state} for name, state in rows], indent=1))
        return
    width = max(len(state) for _, state in rows)
    for name, state in rows:
        click.echo(f"{state:{width}}  {printable(name)}")


def _rows() -> list[tuple[str, str]]:
    """Return the places, each with its state; of a folder without files, only mnv2.toml."""
    from mnv2cli.config.locate import PYPROJECT, is_user_file, project_files, user_file

    rows: list[tuple[str, str]] = []
    is_found = False
    for name in project_files():
        if is_user_file(name):  # it is the last row
            is_found = is_found or os.path.lexists(name)
            continue
        state = "not read" if is_found and os.path.lexists(name) else _state(name, project=True)
        if state in ("missing", "no [tool.mnv2]") and os.path.basename(name) == PYPROJECT:
            continue
        is_found = is_found or state in ("used", "broken", "ignored")
        rows.append((name, state))
    own = user_file()
    return [*rows, (own, _state(own, project=False))]


def _state(path: str, *, project: bool) -> str:
    from mnv2cli.config.locate import is_trusted
    from mnv2cli.config.read import is_of_another, read_file

    if not os.path.lexists(path):
        return "missing"
    if project and not is_trusted(path):
        return "ignored" if is_of_another(path) else "no [tool.mnv2]"
    try:
        return "no [tool.mnv2]" if read_file(path, is_project=project) is None else "used"
    except Mnv2Error:
        return "broken"
