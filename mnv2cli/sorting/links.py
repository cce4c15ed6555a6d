"""Symbolic links: their text, and moving a link itself instead of its target."""

from __future__ import annotations

import os

from mnv2cli.journals.running import FileChangedError
from mnv2cli.sorting.journal import JournalEntry


def link_text(source: str, target: str) -> str:
    """Return the text of a symbolic link at the target: a relative path if there is one."""
    try:
        # From the real folder: ".." in a linked folder is not its parent in the path.
        return os.path.relpath(source, os.path.realpath(os.path.dirname(target)))
    except ValueError:  # another drive
        return source


def is_link(path: str, text: str) -> bool:
    """Return whether a path is a symbolic link with this text."""
    try:
        return os.readlink(path) == text
    except OSError:
        return False


def is_same_link(path: str, other: str) -> bool:
    """Return whether two paths are the same link."""
    try:
        first, second = os.lstat(path), os.lstat(other)
    except OSError:
        return False
    return (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino)


def drop_link(entry: JournalEntry, target: str) -> None:
    """Remove the old name of a symbolic link that was moved; if that fails, its new name."""
    try:
        if not is_link(entry.source, entry.link) or is_same_link(entry.source, target):
            raise FileChangedError
        os.unlink(entry.source)
    except (OSError, FileChangedError):
        os.unlink(target)
        raise
