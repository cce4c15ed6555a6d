"""Read config files, and merge them key by key."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from mnv2cli.config.lines import line_of
from mnv2cli.config.locate import (
    PYPROJECT,
    is_trusted,
    is_user_file,
    project_files,
    user_file,
)
from mnv2cli.config.regular import read_regular
from mnv2cli.config.toml import TOMLDecodeError, loads, long_key
from mnv2cli.errors import InputError
from mnv2cli.system.messages import reason

LIMIT = 64 << 10
"""Bytes that an ``mnv2.toml`` has at most."""
_LARGEST_PYPROJECT = 256 << 10  # bytes; a larger one is not read
_DEEPEST = 3  # tables: of a command such as models.download, and one in place of a value
_LONGEST_KEY, _LONGEST_TEXT = 100, 4_096  # characters
_OWN_TABLE = re.compile(rb"\btool\s*\.\s*mnv2\b")
HINT = "Correct it, or add --no-config to ignore config files."
"""What to do about a config file that is not valid."""
_AT = re.compile(r" \(at line (\d+), column \d+\)$")


@dataclass(frozen=True)
class ConfigFile:
    """A config file.

    Attributes:
        path: Its absolute path.
        is_project: Whether it was found in a folder or its parents, and not in the user's folder.
        content: Its keys and tables; those of ``[tool.mnv2]`` in a pyproject.toml.
        tables: The tables above the content: ``tool`` and ``mnv2``, or none.
        text: The whole file.
    """

    path: str
    is_project: bool
    content: Mapping[str, Any] = field(repr=False)
    tables: tuple[str, ...] = ()
    text: str = field(default="", repr=False)

    @property
    def folder(self) -> str:
        """The folder of the file, in which its relative paths start."""
        return os.path.dirname(self.path)

    def line(self, keys: tuple[str, ...]) -> int:
        """Return the line of a key or table; 0 if unknown."""
        return line_of(self.text, (*self.tables, *keys))

    def at(self, keys: tuple[str, ...]) -> str:
        """Return the file and the line of a key or table, as ``FILE, line N``."""
        line = self.line(keys)
        return f"{self.path}, line {line}" if line else self.path


@dataclass(frozen=True)
class Setting:
    """A value in a config file.

    Attributes:
        tables: The names of the tables that it is in: ``("models", "download")``; empty above all
            tables.
        key: Its name as in the file.
        value: Its value as in the file.
        file: The file.
    """

    tables: tuple[str, ...]
    key: str
    value: Any
    file: ConfigFile = field(repr=False)

    @property
    def name(self) -> str:
        """The key with dashes."""
        return self.key.replace("_", "-")

    @cached_property
    def line(self) -> int:
        """The line of the file where it is; 0 if unknown."""
        return self.file.line((*self.tables, self.key))

    @property
    def origin(self) -> str:
        """The file and the line, as ``FILE, line N``."""
        return f"{self.file.path}, line {self.line}" if self.line else self.file.path


@dataclass(frozen=True)
class Config:
    """The values of config files.

    Attributes:
        files: The files, the nearest first.
        untrusted: The files that were ignored, because they belong to another user.
    """

    files: tuple[ConfigFile, ...] = ()
    untrusted: tuple[str, ...] = ()

    def settings(self) -> Iterator[Setting]:
        """Yield all values, of the nearest file first; a value that is overridden is included.

        Raises:
            InputError: A file has a key twice, once with dashes and once with underscores.
        """
        for file in self.files:
            yield from _settings(file, file.content, ())

    @property
    def values(self) -> dict[tuple[str, ...], Setting]:
        """The values that count, by the names of their tables and their name with dashes."""
        found: dict[tuple[str, ...], Setting] = {}
        for setting in self.settings():
            found.setdefault((*setting.tables, setting.name), setting)
        return found


def _settings(
    file: ConfigFile, content: Mapping[str, Any], tables: tuple[str, ...]
) -> Iterator[Setting]:
    names: set[str] = set()
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _settings(file, value, (*tables, key))
            continue
        setting = Setting(tables, key, value, file)
        if setting.name in names:
            raise InputError(f"{setting.origin}: {setting.name!r} is set twice", HINT)
        names.add(setting.name)
        yield setting


def read_config(folder: str = ".") -> Config:
    """Return the values that config files set for commands that run in a folder.

    The first ``mnv2.toml``, or ``pyproject.toml`` with a table ``[tool.mnv2]``, of the folder and
    its parents is read, and the user's ``mnv2.toml``. Values are as in the files: only the command
    line knows which are options. A Classifier does not read them.

    Args:
        folder: The folder.

    Raises:
        InputError: A file cannot be read, is not TOML, or has values or tables that no option has;
            the message has its line.
    """
    files: list[ConfigFile] = []
    untrusted: list[str] = []
    for path in project_files(folder):
        if not os.path.lexists(path):
            continue
        is_own = is_user_file(path)
        if not is_own and is_of_another(path):
            untrusted.append(path)
            break
        if (is_own or is_trusted(path)) and (found := read_file(path, is_project=not is_own)):
            files.append(found)
            break
    path = user_file()
    if os.path.lexists(path) and not any(not file.is_project for file in files):
        found = read_file(path, is_project=False)
        files += [found] if found else []
    return Config(tuple(files), tuple(untrusted))


def is_of_another(path: str) -> bool:
    """Return whether a project's file is ignored, as it belongs to another user.

    It is not parsed, and is opened only if it is a pyproject.toml, which is a config file only if
    it names a table of mnv2.
    """
    if is_trusted(path):
        return False
    if os.path.basename(path) != PYPROJECT:
        return True
    try:
        return _OWN_TABLE.search(read_regular(path, _LARGEST_PYPROJECT)) is not None
    except OSError:
        return False


def read_file(path: str, *, is_project: bool) -> ConfigFile | None:
    """Return a config file; None for a pyproject.toml that does not have a table of mnv2.

    Raises:
        InputError: It cannot be read, is not TOML, or has values or tables that no option has.
    """
    is_shared = os.path.basename(path) == PYPROJECT
    limit = _LARGEST_PYPROJECT if is_shared else LIMIT
    try:
        data = read_regular(path, limit + 1)
    except OSError as error:
        if is_shared:  # a file of other programs
            return None
        raise InputError(f"cannot read the config file {path!r}: {reason(error)}", HINT) from error
    if is_shared and (b"mnv2" not in data or len(data) > limit):
        return None
    if len(data) > limit:
        raise InputError(f"the config file {path!r} is larger than {LIMIT >> 10} kB", HINT)
    text, content = _parse(path, data)
    if not is_shared:
        found = ConfigFile(path, is_project, content, (), text)
    else:
        tool = content.get("tool")
        own = tool.get("mnv2") if isinstance(tool, dict) else None
        if own is None:
            return None
        found = ConfigFile(path, is_project, own, ("tool", "mnv2"), text)
        if not isinstance(own, dict):
            raise InputError(f"{found.at(())}: 'tool.mnv2' must be a table", HINT)
    _check_values(found)
    return found


def _parse(path: str, data: bytes) -> tuple[str, dict[str, Any]]:
    """Return the text of a file and its content."""
    data = data.removeprefix(b"\xef\xbb\xbf")  # Windows editors write a byte order mark
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}, line {line}: the text is not UTF-8", HINT) from error
    if line := long_key(text):
        raise InputError(f"{path}, line {line}: a key has too many parts", HINT)
    try:
        return text, loads(text)
    except TOMLDecodeError as error:
        raise InputError(_not_toml(path, text, str(error)), HINT) from error


def _check_values(file: ConfigFile) -> None:
    """Refuse what no option has, and what conversions do not expect."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), file.content)]
    while waiting:
        keys, value = waiting.pop()
        if isinstance(value, dict):
            if len(keys) > _DEEPEST:
                name = ".".join(keys)
                raise InputError(f"{file.at(keys)}: unknown table [{name}]", HINT)
            if long := [key for key in value if len(key) > _LONGEST_KEY]:
                at = file.at((*keys, long[0]))
                raise InputError(f"{at}: the key {long[0][:20]!r}... is too long", HINT)
            waiting += (((*keys, key), each) for key, each in reversed(value.items()))
        elif isinstance(value, list):
            waiting += ((keys, each) for each in reversed(value))
        elif isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
            raise InputError(f"{file.at(keys)}: the number of {keys[-1]!r} is too large", HINT)
        elif isinstance(value, str) and "\0" in value:
            raise InputError(f"{file.at(keys)}: {keys[-1]!r} contains a NUL character", HINT)
        elif isinstance(value, str) and len(value) > _LONGEST_TEXT:
            raise InputError(
                f"{file.at(keys)}: the text of {keys[-1]!r} is longer than "
                f"{_LONGEST_TEXT:,} characters",
                HINT,
            )


def _not_toml(path: str, text: str, message: str) -> str:
    """Return the error for a file that is not TOML, with the line first."""
    at = _AT.search(message)
    end = " (at end of document)"
    line = int(at[1]) if at else text.rstrip("\n").count("\n") + 1
    where = f"{path}, line {line}" if at or message.endswith(end) else path
    message = _AT.sub("", message).removesuffix(end)
    return f"{where}: not TOML: {message[:1].lower()}{message[1:]}"
