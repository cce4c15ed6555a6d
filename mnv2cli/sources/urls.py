"""Addresses of images elsewhere: recognised, and shown without their secrets."""

from __future__ import annotations

import os
import re

from mnv2cli.system.urls import redact

__all__ = ["LOCAL_SCHEMES", "absolute", "is_url", "redact", "scheme_of", "split_chain"]

# Two letters at least: C:// is a drive of Windows.
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")

LOCAL_SCHEMES = ("file", "local")


def is_url(text: str) -> bool:
    """Return whether an input is a URL; a local file that is named like one is none."""
    return "://" in text and _URL.match(text) is not None and not os.path.lexists(text)


def scheme_of(url: str) -> str:
    """Return a URL's scheme in lower case, such as ``s3``; empty for what is none."""
    match = _URL.match(url)
    return match[1].lower() if match else ""


def absolute(name: str, folder: str) -> str:
    """Return a path, or an archive's in a URL, as seen from a folder; other URLs as they are."""
    if "://" not in name:
        return os.path.join(folder, name)
    head, sep, container = name.rpartition("::")
    if sep and "://" not in container:
        return f"{head}::{os.path.join(folder, container)}"
    return name


def split_chain(url: str) -> tuple[str, str]:
    """Return a URL's own part, and the ``::`` with what is behind it: where it is found."""
    head, sign, rest = url.partition("::")
    return head, sign + rest
