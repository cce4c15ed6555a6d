"""Values for the options of a command: from variables, the project's file and the user's."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import click

from mnv2cli.cli.config.conflicts import gives_way, ordered
from mnv2cli.cli.config.convert import from_setting, from_variable, is_own_model, path_of
from mnv2cli.cli.config.options import (
    ONLY_USER,
    PER_COMMAND,
    SHARED,
    all_commands,
    is_refused,
    key_of,
    settable,
    why_not,
)
from mnv2cli.cli.terminal.suggest import did_you_mean
from mnv2cli.config import Config, ConfigFile, Setting
from mnv2cli.config.read import HINT
from mnv2cli.errors import InputError
from mnv2cli.models import MODELS
from mnv2cli.system.files import is_really_within


@dataclass(frozen=True)
class Value:
    """A value for an option.

    Attributes:
        key: The option's name without dashes.
        option: The option.
        value: The value, as click's default map takes it.
        setting: Where it is in a config file; None if it is from a variable.
        variable: The name of the environment variable.
    """

    key: str
    option: click.Option
    value: Any
    setting: Setting | None = None
    variable: str = ""

    @property
    def origin(self) -> str:
        """Where the value is from: ``FILE, line N``, or the name of a variable."""
        return self.setting.origin if self.setting else self.variable


def variables(words: tuple[str, ...], key: str) -> list[str]:
    """Return the names of an option's environment variables, the first that counts first."""
    own = "_".join(["MNV2", *words, key]).upper().replace("-", "_")
    shared = f"MNV2_{key}".upper().replace("-", "_")
    return [own, shared] if key in SHARED and len(words) == 1 else [own]


def check_tables(config: Config, commands: Mapping[str, Any]) -> None:
    """Check what can be checked without importing commands: shared keys and names of tables.

    Raises:
        InputError: A key or table does not exist there.
    """
    for file in config.files:
        for key, value in file.content.items():
            name = key.replace("_", "-")
            if isinstance(value, dict):
                if name in SHARED:
                    raise InputError(f"{file.at((key,))}: {key!r} is an option, not a table", HINT)
                if key not in commands:
                    raise unknown_table(file, (key,), commands)
            elif name in PER_COMMAND:
                raise InputError(
                    f"{file.at((key,))}: {key!r} must be in the table of a command{_example(name)}",
                    HINT,
                )
            elif key in commands:
                raise InputError(f"{file.at((key,))}: {key!r} must be a table, as in [{key}]", HINT)
            elif is_refused(name):
                raise InputError(
                    f"{file.at((key,))}: {key!r} cannot be set in a config file: {why_not(name)}",
                    f"Add --{name} to the command line instead.",
                )
            elif name not in SHARED:
                raise _unknown_key(file, (key,), [*SHARED, *commands])


def check_own(config: Config, words: tuple[str, ...], command: click.Command) -> None:
    """Check the keys in the table of a command.

    Raises:
        InputError: A key is not an option, or cannot be set.
    """
    known, keys = settable(command), {key_of(param) for param in command.params} - {""}
    for file in config.files:
        for key, value in table_of(file, words).items():
            if not isinstance(value, dict):
                continue
            setting = Setting(words, key, value, file)
            if setting.name in known:
                from_setting(setting, known[setting.name])  # raises: a table is not a value
            raise unknown_table(file, (*words, key), ())
    for setting in config.settings():
        if setting.tables != words or setting.name in known:
            continue
        if setting.name in keys:
            raise InputError(
                f"{setting.origin}: {setting.name!r} cannot be set in a config file: "
                f"{why_not(setting.name)}",
                f"Add --{setting.name} to the command line instead.",
            )
        raise _unknown_key(setting.file, (*words, setting.key), known)


def table_of(file: ConfigFile, words: tuple[str, ...]) -> Mapping[str, Any]:
    """Return the table of a command in a file; empty if there is none."""
    table: Any = file.content
    for word in words:
        table = table.get(word) if isinstance(table, dict) else None
    return table if isinstance(table, dict) else {}


def layers(
    config: Config, words: tuple[str, ...], command: click.Command
) -> Iterator[dict[str, Value]]:
    """Yield the values of each layer for a command: variables, then each file.

    Raises:
        InputError: A value does not have the type of its option, or a project's file must not set
            it.
    """
    options = settable(command)
    shared = settable(command, only_shared=True) if len(words) == 1 else {}
    yield dict(_of_variables(words, options, shared))
    found: dict[int, dict[str, Value]] = {id(file): {} for file in config.files}
    for setting in sorted(config.settings(), key=lambda setting: not setting.tables):
        if setting.tables not in ((), words):
            continue
        key = setting.name
        if (option := (options if setting.tables else shared).get(key)) is None:
            continue
        _check_project(setting)
        layer = found[id(setting.file)]
        if setting.tables or key not in layer:  # the command's table counts first
            layer[key] = Value(key, option, from_setting(setting, option), setting)
    yield from found.values()


def chosen(
    found: Iterator[dict[str, Value]], typed: Mapping[str, Any], command: str
) -> dict[str, Value]:
    """Return the values that apply to a run, by key.

    Args:
        found: The layers, the first that counts first.
        typed: The values on the command line, by key.
        command: The command.
    """
    above, values = dict(typed), {}
    for layer in found:
        below = dict(above)
        for key in ordered(layer):
            each = layer[key]
            if key in above:
                continue
            if not gives_way(key, each.value, below, command):
                values[key] = each
                if key in ("model", "alpha", "size"):
                    continue  # the options of one model stand together in a file
                below[key] = each.value
        above |= {key: each.value for key, each in values.items()}
    return values


def _of_variables(
    words: tuple[str, ...], options: Mapping[str, click.Option], shared: Mapping[str, Any]
) -> Iterator[tuple[str, Value]]:
    for key, option in options.items():
        names = variables(words, key)
        # calibrate --precision is another option than the shared one of that name.
        for name in names if key in shared else names[:1]:
            if (text := os.environ.get(name)) and name != option.envvar:
                yield key, Value(key, option, from_variable(name, text, option), variable=name)
                break
        else:
            if isinstance(option.envvar, str) and (text := os.environ.get(option.envvar)):
                yield key, Value(key, option, text, variable=option.envvar)


def _check_project(setting: Setting) -> None:
    if not setting.file.is_project:
        return
    why = ONLY_USER.get(setting.name)
    if setting.name == "model" and is_own_model(setting.value):
        names = f"only names of networks can.{did_you_mean(str(setting.value)[:100], MODELS)}"
        why = f"{setting.value!r} opens a model file; {names}"
    if setting.name == "categories" and isinstance(setting.value, str):
        is_near = is_really_within(path_of(setting), setting.file.folder)
        why = "" if is_near else "it opens a file elsewhere"
    if why:
        raise InputError(
            f"{setting.origin}: {setting.name!r} cannot be set by the config file of a folder, "
            f"which may come with photos of others: {why}",
            "Set it in your own config file (see mnv2 config path), or on the command line.",
        )


def unknown_table(file: ConfigFile, tables: tuple[str, ...], names: Iterable[str]) -> InputError:
    """Return the error for a table that no command has.

    Args:
        file: The file.
        tables: The name of the table, from the outermost.
        names: The names of tables that exist.
    """
    name = ".".join(tables)
    similar = did_you_mean(name, names)
    return InputError(
        f"{file.at(tables)}: unknown table [{name}].{similar}", HINT if similar else _see("COMMAND")
    )


def _unknown_key(file: ConfigFile, keys: tuple[str, ...], names: Iterable[str]) -> InputError:
    """Return the error for a key that is not an option, in the table of a command or above all."""
    name, place = keys[-1].replace("_", "-"), ".".join(keys[:-1])
    similar = did_you_mean(name, names)
    where = f" in [{place}]" if place else ""
    if not place and not similar and not (similar := did_you_mean(name, PER_COMMAND)):
        where = " above all tables"
    hint = HINT if similar else _see(" ".join(keys[:-1]) or "COMMAND")
    return InputError(f"{file.at(keys)}: unknown key {keys[-1]!r}{where}.{similar}", hint)


def _see(command: str) -> str:
    return f"To see the keys, run: mnv2 --no-config config show {command} --all"


def _example(key: str) -> str:
    """Return the first command that has an option, as the end of an error."""
    if (ctx := click.get_current_context(silent=True)) is not None:
        root = ctx.find_root()
        for words, command in all_commands(root.command, root):
            if key in settable(command):
                return f", such as [{'.'.join(words)}]"
    return ""
