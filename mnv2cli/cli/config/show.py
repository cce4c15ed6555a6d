"""``mnv2 config show``: show the values of options, and where each is from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import click

from mnv2cli.cli.config.apply import is_off, near
from mnv2cli.cli.config.convert import toml_text
from mnv2cli.cli.config.layers import (
    check_own,
    check_tables,
    chosen,
    layers,
    table_of,
    unknown_table,
)
from mnv2cli.cli.config.options import SHARED, all_commands, settable
from mnv2cli.cli.grouping import section
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.cli.terminal.suggest import did_you_mean
from mnv2cli.config import Config, read_config
from mnv2cli.config.read import HINT
from mnv2cli.errors import InputError

_options = section("Options")


class Row(NamedTuple):
    """A value of an option of a command."""

    command: str
    option: str
    value: Any
    origin: str
    line: int | None


@click.command(
    cls=ExampleCommand,
    examples=(
        ("show the values that are set", "mnv2 config show"),
        ("show all options of a command", "mnv2 config show classify --all"),
        ("list the values from files", "mnv2 config show --json | jq '.[] | select(.line)'"),
    ),
)
@click.argument("command", nargs=-1, metavar="[COMMAND]")
@_options("--all", "everything", is_flag=True, help="Also show options at their defaults.")
@_options("--json", "as_json", is_flag=True, help="Print JSON.")
def show(command: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """Show the values of options that are set, and where each is from.

    A value is from a config file, whose line is shown, or from a variable. All tables are checked.

    Exit codes: 0 if all is valid, 2 if a config file is not.
    """
    ctx = click.get_current_context()
    root = ctx.find_root()
    names = dict(all_commands(root.command, root))
    commands = {words: each for words, each in names.items() if settable(each)}
    if command and command not in commands:
        name = " ".join(command)
        similar = did_you_mean(name, [" ".join(words) for words in commands])
        raise click.UsageError(f"{name!r} has no options that a config file can set.{similar}")
    config = Config() if is_off(ctx) else read_config()
    check_tables(config, {words[0]: None for words in names})
    _check_all(config, names)
    rows: list[Row] = []
    for words, each in commands.items():
        found = list(layers(config, words, each))  # all values are checked
        if not command or words == command:
            values = chosen(iter(found), {}, " ".join(words))
            rows += _rows(words, each, values, everything=everything)
    if as_json:
        click.echo(json.dumps([row._asdict() for row in rows], indent=1, default=str))
    else:
        _print(rows, is_one=bool(command), off=is_off(ctx))


def _check_all(config: Config, commands: dict[tuple[str, ...], click.Command]) -> None:
    for words, command in commands.items():
        check_own(config, words, command)
    groups = {words[:-1] for words in commands}
    names = [".".join(words) for words in commands]
    for setting in config.settings():
        if setting.tables in commands or setting.tables == ():
            continue
        having = [
            ".".join(words)
            for words, command in commands.items()
            if words[:-1] == setting.tables and setting.name in settable(command)
        ]
        if setting.tables not in groups:
            raise unknown_table(setting.file, setting.tables, names)
        similar = f" Did you mean {having[0]!r}?" if having else ""
        name = ".".join(setting.tables)
        raise InputError(f"{setting.origin}: there is no command for [{name}].{similar}", HINT)
    for file in config.files:
        for group in groups - {()}:
            for key, value in table_of(file, group).items():
                if isinstance(value, dict) and (*group, key) not in commands:
                    raise unknown_table(file, (*group, key), names)


def _rows(
    words: tuple[str, ...], command: click.Command, values: Any, *, everything: bool
) -> Iterator[Row]:
    name = " ".join(words)
    for key, option in settable(command).items():
        if each := values.get(key):
            value = not each.value if option.flag_value is False else each.value
            if each.setting:
                yield Row(name, key, value, each.setting.file.path, each.setting.line or None)
            else:
                yield Row(name, key, value, each.variable, None)
        elif everything:
            default = option.to_info_dict()["default"]
            if option.flag_value is False:
                default = False
            elif not isinstance(default, str | int | float | bool | list | tuple):
                default = None
            yield Row(name, key, default, "default", None)


def _print(rows: list[Row], *, is_one: bool, off: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    from mnv2cli.cli.terminal.console import PlainConsole
    from mnv2cli.cli.terminal.text import printable

    if not rows:
        why = "Config files are ignored, and no" if off else "No"
        click.echo(f"{why} option is set. To see all, add --all.", err=True)
        return
    table = Table.grid(padding=(0, 2, 0, 0))
    headings = ("Option", "Value", "From") if is_one else ("Command", "Option", "Value", "From")
    for heading in headings:
        table.add_column(no_wrap=heading in ("Command", "Option"), overflow="fold")
    table.add_row(*(Text(heading, style="bold") for heading in headings))
    for command, key, value, origin, line in _merged(rows):
        place = f"{near(origin)}:{line}" if line else near(origin)
        text = "" if value is None else toml_text(value)
        texts = [printable(each) for each in (command, key, text, place)][is_one:]
        styles = ("", "cyan", "", "dim" if origin == "default" else "")[is_one:]
        table.add_row(*(Text(each, style) for each, style in zip(texts, styles, strict=True)))
    PlainConsole(highlight=False).print(table)


def _merged(rows: list[Row]) -> list[Row]:
    """Join the rows of a shared option that has one value in several commands."""
    counts: dict[Any, list[Row]] = {}
    for row in rows:
        place = "" if row.option in SHARED and row.origin != "default" else row.command
        counts.setdefault((place, row.option, str(row.value), row.origin, row.line), []).append(row)
    return [
        same[0]._replace(command=f"{len(same)} commands") if len(same) > 1 else same[0]
        for same in counts.values()
    ]
