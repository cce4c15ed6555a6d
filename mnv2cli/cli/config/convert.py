"""Check and convert values of config files and variables by the types of the options."""

from __future__ import annotations

import os
from typing import Any

import click

from mnv2cli.cli.types import ModelName, Score, Share
from mnv2cli.config import Setting
from mnv2cli.config.read import HINT
from mnv2cli.errors import InputError
from mnv2cli.models import MODELS

_NETWORK = "keras:"


def from_setting(setting: Setting, option: click.Option) -> Any:
    """Return the value of a config file for an option, as click's default map takes it.

    Raises:
        InputError: It does not have the type of the option; the message has file and line.
    """
    value, shown = setting.value, f"{setting.key} = {toml_text(setting.value)}"
    if expected := _mistyped(value, option):
        raise InputError(f"{setting.origin}: {shown}: {expected}", HINT)
    if isinstance(value, str) and _is_path(option, value):
        value = path_of(setting)
    if option.is_flag:
        return value is False if option.flag_value is False else value
    try:
        for each in value if option.multiple else [value]:
            option.type.convert(each, option, None)
    except click.UsageError as error:
        raise InputError(f"{setting.origin}: {shown}: {error.message}", HINT) from error
    return value


def path_of(setting: Setting) -> str:
    """Return a path in a config file, which starts in the folder of the file."""
    return os.path.normpath(os.path.join(setting.file.folder, os.path.expanduser(setting.value)))


def from_variable(name: str, text: str, option: click.Option) -> Any:
    """Return the value of an environment variable for an option.

    Raises:
        InputError: It does not have the type of the option.
    """
    if option.multiple:
        return option.type.split_envvar_value(text)
    try:
        value = (click.BOOL if option.is_flag else option.type).convert(text, option, None)
    except click.UsageError as error:
        why = error.message
        if option.is_flag or not _is_number(text, option):
            why = f"{text!r} is not a valid value: {_mistyped(None, option)}"
        raise InputError(
            f"the environment variable {name}: {why}", "Correct or unset it."
        ) from error
    return value is False if option.is_flag and option.flag_value is False else value


def is_own_model(value: object) -> bool:
    """Return whether the value of ``model`` is not the name of a built-in network."""
    return isinstance(value, str) and value not in MODELS and not value.startswith(_NETWORK)


def _mistyped(value: Any, option: click.Option) -> str:
    """Return what is expected; empty if a value of a config file has the type of an option."""
    type = option.type
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if option.is_flag:
        return "" if isinstance(value, bool) else "expected true or false"
    if option.multiple:
        is_list = isinstance(value, list) and all(isinstance(each, str) for each in value)
        return "" if is_list else 'expected a list of texts, as in ["*.jpg"]'
    if isinstance(type, click.types.IntParamType):
        return "" if is_number and isinstance(value, int) else "expected a whole number"
    if isinstance(type, click.types.FloatParamType | Score):
        return "" if is_number else "expected a number"
    if isinstance(type, Share):
        return "" if is_number or isinstance(value, str) else "expected a share such as 0.1"
    return "" if isinstance(value, str) else 'expected a text in quotes, as in "text"'


def _is_number(text: str, option: click.Option) -> bool:
    """Return whether text is a number as an option takes it; always if it takes others."""
    type = option.type
    try:
        if isinstance(type, click.types.IntParamType):
            int(text)
        elif isinstance(type, click.types.FloatParamType):
            float(text)
    except ValueError:
        return False
    return True


def _is_path(option: click.Option, value: str) -> bool:
    """Return whether a value is a local path, which starts in the folder of its file."""
    if isinstance(option.type, ModelName):
        return is_own_model(value) and (value.startswith((".", "~")) or os.sep in value
                                        or "." in value)  # fmt: skip
    return isinstance(option.type, click.Path) or option.name == "model_labels"


def toml_text(value: Any) -> str:
    """Return a value as in a config file, cut if it is long."""
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, list | tuple):
        text = f"[{', '.join(map(toml_text, value))}]"
    elif isinstance(value, dict):
        text = f"{{{', '.join(f'{key} = {toml_text(each)}' for key, each in value.items())}}}"
    else:
        text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
