"""Journals: files of JSON lines that are on disk before what they announce happens."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Literal

from mnv2cli.errors import OutputError
from mnv2cli.journals.folder import OWN_FOLDER, undo_command
from mnv2cli.system.files import sync_folder
from mnv2cli.system.messages import reason

VERSION = 1
LARGEST_LINE = 1 << 20  # bytes; paths have at most 4,096, six times that when escaped

PAIRS_A_LINE = 20
"""Pairs of paths that fit into one line, however long they are."""

Kind = Literal["sort", "tag"]
"""What a journal is of."""

_SUFFIXES: dict[Kind, str] = {"sort": ".jsonl", "tag": ".tag.jsonl"}


class Journal:
    """A journal open for writing.

    Args:
        path: The file; created if there is a header.
        header: The fields of the first line, beyond version, time and the file's inode number.

    Raises:
        OutputError: The journal cannot be written.
    """

    def __init__(self, path: str, header: dict[str, Any] | None = None) -> None:
        self.path = path
        flags = os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0)
        try:
            if header is None:
                self._descriptor = os.open(path, flags)
                self._mend()
                return
            # Renamed once the header is complete: no journal lacks one.
            new = f"{path}.new"
            self._descriptor = os.open(new, flags | os.O_CREAT | os.O_EXCL, 0o644)
            try:
                number = os.fstat(self._descriptor).st_ino
                self.append([{"mnv2": VERSION, "time": time.time(), "file": number, **header}])
            except BaseException:
                os.close(self._descriptor)
                with suppress(OSError):
                    os.unlink(new)
                raise
            os.close(self._descriptor)  # Windows cannot rename an open file
            os.rename(new, path)
            self._descriptor = os.open(path, flags)
        except OSError as error:
            raise OutputError(f"cannot write the journal {path}: {reason(error)}") from error
        sync_folder(os.path.dirname(path))

    def _mend(self) -> None:
        """Cut off a line that a killed process left torn."""
        with open(self.path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - LARGEST_LINE))
            tail = file.read()
        if tail and not tail.endswith(b"\n"):
            os.truncate(self.path, size - (len(tail) - tail.rfind(b"\n") - 1))

    def append(self, lines: Iterable[dict[str, Any]]) -> None:
        """Write lines, and return when they are on disk.

        Raises:
            OutputError: The journal cannot be written, or a line is too long to be read back.
        """
        encoded = [json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines]
        if any(len(line) >= LARGEST_LINE for line in encoded):
            raise OutputError(f"cannot write the journal {self.path}: a line is too long")
        data = b"".join(encoded)
        if not data:
            return
        size = os.fstat(self._descriptor).st_size
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
            os.fsync(self._descriptor)
        except OSError as error:
            with suppress(OSError):  # half a line would spoil the next one
                os.ftruncate(self._descriptor, size)
            raise OutputError(
                f"cannot write the journal {self.path}: {reason(error)}",
                "No photo is lost. Free some space, then run the same command again, or undo what "
                f"was done: {undo_command(os.path.dirname(os.path.dirname(self.path)))}",
            ) from error

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def kind_of(path: str) -> Kind | None:
    """Return what a journal is of by its name; None if it is not the name of a journal."""
    kinds = [kind for kind, suffix in _SUFFIXES.items() if path.endswith(suffix)]
    return max(kinds, key=lambda kind: len(_SUFFIXES[kind]), default=None)


def all_journals(folder: str) -> list[str]:
    """Return the journals of all kinds in the own folder of a folder, oldest first."""
    own = os.path.join(folder, OWN_FOLDER)
    try:
        names = os.listdir(own)
    except OSError:
        return []
    return [os.path.join(own, name) for name in sorted(names, key=_stem) if kind_of(name)]


def journals(folder: str, kind: Kind = "sort") -> list[str]:
    """Return the journals of one kind in the own folder of a folder, oldest first."""
    return [path for path in all_journals(folder) if kind_of(path) == kind]


def new_journal(folder: str, kind: Kind) -> str:
    """Return the path of a new journal, which sorts after all others of the folder."""
    now = time.time_ns()
    name = time.strftime("%Y%m%d-%H%M%S", time.localtime(now // 10**9)) + f"-{now % 10**9:09}"
    if known := all_journals(folder):  # even if the clock was set back
        name = max(name, _stem(known[-1]) + "+")
    return os.path.join(folder, OWN_FOLDER, name + _SUFFIXES[kind])


def _stem(path: str) -> str:
    name = os.path.basename(path)
    kind = kind_of(name)
    return name.removesuffix(_SUFFIXES[kind]) if kind else name
