"""Give the values of config files and variables to a command that is about to run."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

import click

from mnv2cli.cli.terminal.text import home_text, printable
from mnv2cli.errors import ExitCode, InputError, Mnv2Error

NO_CONFIG = "mnv2.no_config"
VALUES = "mnv2.config_values"
"""Keys in the context: whether config files are ignored, and the values that a command uses."""
_BARE = ("alpha", "size")
"""Options that errors about models name without dashes."""
_QUOTED = re.compile(r"'[^'-][^']*'|\"[^\"-][^\"]*\"")
"""A name of a file or class, or another value, in an error."""


def words_of(ctx: click.Context) -> tuple[str, ...]:
    """Return the words of a command, such as ``("models", "download")``."""
    words: list[str] = []
    while ctx.parent is not None:
        words.insert(0, str(ctx.command.name if ctx.info_name is None else ctx.info_name))
        ctx = ctx.parent
    return tuple(words)


def is_off(ctx: click.Context) -> bool:
    """Return whether config files are ignored, by the option or by ``MNV2_NO_CONFIG``.

    Raises:
        InputError: The variable is neither true nor false.
    """
    if ctx.meta.get(NO_CONFIG):
        return True
    text = os.environ.get("MNV2_NO_CONFIG", "").strip()
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("", "0", "false", "no", "off"):
        return False
    raise InputError(
        f"the environment variable MNV2_NO_CONFIG: {text!r} is not a valid value: "
        "expected true or false",
        "Correct or unset it.",
    )


def configure(ctx: click.Context, typed: Mapping[str, Any]) -> None:
    """Set the default map of a command from variables and config files.

    Args:
        ctx: The context of the command.
        typed: The values on the command line, by the parameters' names.

    Raises:
        InputError: A file cannot be read, or has a key or value that is not valid.
    """
    from mnv2cli.cli.config.layers import check_own, check_tables, chosen, layers
    from mnv2cli.cli.config.options import key_of, settable
    from mnv2cli.config import Config, read_config

    command, words = ctx.command, words_of(ctx)
    if not settable(command):
        return
    config = Config() if is_off(ctx) else read_config()
    root = ctx.find_root().command
    if isinstance(root, click.Group):
        check_tables(config, dict.fromkeys(root.list_commands(ctx)))
    check_own(config, words, command)
    given = {key_of(param): typed[param.name] for param in command.params
             if param.name in typed and key_of(param)}  # fmt: skip
    values = chosen(layers(config, words, command), given, " ".join(words))
    ctx.meta[VALUES] = values
    ctx.default_map = {
        str(each.option.name): each.value
        for each in values.values()
        if each.variable != each.option.envvar or not each.variable
    }
    _notice(ctx, values, typed, config.untrusted)


def _notice(
    ctx: click.Context, values: Mapping[str, Any], typed: Mapping[str, Any], ignored: Any
) -> None:
    """Show which values are from a folder's file, which may not be the user's own."""
    for path in ignored:
        shown = printable(home_text(path))
        click.echo(f"Warning: ignoring {shown}: it belongs to another user.", err=True)
    quiet = values.get("quiet")
    is_own = quiet and quiet.value and not (quiet.setting and quiet.setting.file.is_project)
    if typed.get("quiet") or is_own:
        return
    used: dict[str, list[str]] = {}
    for key, each in values.items():
        if each.setting and each.setting.file.is_project:
            used.setdefault(each.setting.file.path, []).append(key)
    for path, keys in used.items():
        shown = printable(near(path))
        click.echo(f"Using {shown}: {', '.join(sorted(keys))}.", err=True)


def near(path: str) -> str:
    """Return a path relative to the current folder if the file is in it."""
    try:
        is_here = os.path.dirname(path) == os.getcwd()
    except FileNotFoundError:
        is_here = False
    return os.path.basename(path) if is_here else home_text(path)


def explain(ctx: click.Context, error: click.UsageError | Mnv2Error) -> str:
    """Return where the options are set that an error names, if they were not typed; or ''."""
    if isinstance(error, Mnv2Error) and error.exit_code != ExitCode.USAGE:
        return ""
    values = ctx.meta.get(VALUES, {})
    hint = error.hint if isinstance(error, Mnv2Error) else ""
    words = _QUOTED.sub("", error.message)
    found = [
        f"--{key} is set in {printable(each.origin)}."
        for key, each in values.items()
        if re.search(rf"(?<![\w-])--{key}(?![\w-])", f"{error.message} {hint}")
        or (key in _BARE and re.search(rf"(?<![\w-]){key}(?![\w-])", words))
    ]
    if found and any(each.setting for each in values.values()):
        found.append("To ignore config files, add --no-config.")
    return "\n".join(found)
