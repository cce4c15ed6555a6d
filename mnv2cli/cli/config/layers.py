"""Values for the options of a command: from variables, the project's file and the user's."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import click

from mnv2cli.cli.config.conflicts import gives_way, ordered
from mnv2cli.cli.config.convert import from_setting, from_variable, is_own_model
from mnv2cli.cli.config.options import (
    ONLY_USER,
    PER_COMMAND,
    SHARED,
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
                if key not in commands:
                    raise _unknown(file, (key,), "table", commands, f"[{key}]")
            elif name in PER_COMMAND:
                raise InputError(
                    f"{_at(file, (key,))}: {key!r} must be in the table of a command, such as "
                    f"[{_example(name)}]",
                    HINT,
                )
            elif key in commands:
                raise InputError(
                    f"{_at(file, (key,))}: {key!r} must be a table, as in [{key}]", HINT
                )
            elif is_refused(name):
                raise InputError(
                    f"{_at(file, (key,))}: {key!r} cannot be set in a config file: {why_not(name)}",
                    f"Add --{name} to the command line instead.",
                )
            elif name not in SHARED:
                raise _unknown(file, (key,), "key", [*SHARED, *commands], key)


def check_own(config: Config, words: tuple[str, ...], command: click.Command) -> None:
    """Check the keys in the table of a command.

    Raises:
        InputError: A key is not an option, or cannot be set.
    """
    known, keys = settable(command), {key_of(param) for param in command.params} - {""}
    for setting in config.settings():
        if setting.tables != words or setting.name in known:
            continue
        if setting.name in keys:
            raise InputError(
                f"{setting.origin}: {setting.name!r} cannot be set in a config file: "
                f"{why_not(setting.name)}",
                f"Add --{setting.name} to the command line instead.",
            )
        place = f"[{'.'.join(words)}]"
        raise _unknown(setting.file, (*words, setting.key), "key", known, setting.key, place)


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
    found: dict[ConfigFile | int, dict[str, Value]] = {id(file): {} for file in config.files}
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
            if not gives_way(key, each.value, below, typed, command):
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
        for name in names[: 2 if key in shared else 1]:
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
        names = f"only names of networks can.{did_you_mean(str(setting.value), MODELS)}"
        why = f"{setting.value!r} opens a model file; {names}"
    if why:
        raise InputError(
            f"{setting.origin}: {setting.name!r} cannot be set by the config file of a folder, "
            f"which may come with photos of others: {why}",
            "Set it in your own config file (see mnv2 config path), or on the command line.",
        )


def _at(file: ConfigFile, keys: tuple[str, ...]) -> str:
    line = file.line(keys)
    return f"{file.path}, line {line}" if line else file.path


def _unknown(
    file: ConfigFile,
    keys: tuple[str, ...],
    kind: str,
    names: Any,
    shown: str,
    place: str = "",
) -> InputError:
    name = keys[-1].replace("_", "-")
    similar = did_you_mean(name, names)
    where = f" in {place}" if place else ""
    if kind == "key" and not place and not similar:
        similar = did_you_mean(name, PER_COMMAND)
        if not similar:
            where = " above all tables"
    why = f"unknown {kind} {shown!r}{where}." if kind == "key" else f"unknown table {shown}."
    hint = HINT if similar else "To see the keys, run: mnv2 config show COMMAND --all"
    return InputError(f"{_at(file, keys)}: {why}{similar}", hint)


def _example(key: str) -> str:
    return {"threshold": "sort", "by": "sort", "what": "tag"}.get(key, "classify")
