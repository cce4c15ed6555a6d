"""Recognise URLs, and take them apart."""

from __future__ import annotations

import os
import re

from mnv2cli.errors import InputError
from mnv2cli.system.urls import redact

# At least two letters: C:// is a drive on Windows.
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")

LOCAL_SCHEMES = ("file", "local")
ARCHIVE_SCHEMES = ("zip", "tar")


def is_url(text: str) -> bool:
    """Return whether an input is a URL, and not a local file with this name."""
    return "://" in text and _URL.match(text) is not None and not os.path.lexists(text)


def check_local(path: str, verb: str) -> None:
    """Check that a path is on this machine.

    Args:
        path: The path.
        verb: What cannot be done to other paths, for the error, such as ``sort``.

    Raises:
        InputError: The path is a URL.
    """
    if is_url(path):
        raise InputError(
            f"cannot {verb} {redact(path)!r}: it is not on this machine",
            "Copy the photos to this machine first. Only mnv2 classify reads remote photos.",
        )


def scheme_of(url: str) -> str:
    """Return the scheme of a URL in lower case, such as ``s3``; empty for other text."""
    match = _URL.match(url)
    return match[1].lower() if match else ""


def absolute(name: str, folder: str) -> str:
    """Join a folder with a path, or with an archive's path in a URL; keep other URLs unchanged."""
    if "://" not in name:
        return os.path.join(folder, name)
    head, sep, container = name.rpartition("::")
    if sep and "://" not in container:
        return f"{head}::{os.path.join(folder, container)}"
    return name


def split_chain(url: str) -> tuple[str, str]:
    """Split a chained URL into its first part, and ``::`` with the location that follows."""
    head, sign, rest = url.partition("::")
    return head, sign + rest
