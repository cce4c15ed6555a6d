"""Symbolic links: what they say, and how they are moved themselves instead of what they lead to."""

from __future__ import annotations

import os

from mnv2cli.sorting.journal import JournalEntry
from mnv2cli.sorting.transfer import FileChangedError


def link_text(source: str, target: str) -> str:
    """Return what a symbolic link at the target has to say: a relative path where there is one."""
    try:
        # Through the real folder: above a linked folder ".." is another one.
        return os.path.relpath(source, os.path.realpath(os.path.dirname(target)))
    except ValueError:  # another drive
        return source


def is_link(path: str, text: str) -> bool:
    """Return whether a path is a symbolic link that says a text."""
    try:
        return os.readlink(path) == text
    except OSError:
        return False


def is_same_link(path: str, other: str) -> bool:
    """Return whether two paths are one and the same link."""
    try:
        first, second = os.lstat(path), os.lstat(other)
    except OSError:
        return False
    return (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino)


def drop_link(entry: JournalEntry, target: str) -> None:
    """Remove a symbolic link that was moved; if that cannot be, the new one."""
    try:
        if not is_link(entry.source, entry.link) or is_same_link(entry.source, target):
            raise FileChangedError
        os.unlink(entry.source)
    except (OSError, FileChangedError):
        os.unlink(target)
        raise
