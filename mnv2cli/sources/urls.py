"""Addresses of images elsewhere: recognised, and shown without their secrets."""

from __future__ import annotations

import os
import re

# Two letters at least: C:// is a drive of Windows.
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
# What has no host has no user either: an @ is in a name there.
_USER = re.compile(
    r"(?<!zip)(?<!tar)(?<!memory)(?<!file)(?<!local)(://)[^/?#@]*(?:@[^/?#@]*)*@", re.IGNORECASE
)
_SECRET = re.compile(
    r"([?&#][^=&#\s]*(?:sig|token|secret|passw|pwd|credential|auth|session|jwt|api[-_]?key)"
    r"[^=&#\s]*=|[?&#](?:key|code|access[-_]?key|awsaccesskeyid|googleaccessid)=)[^&#\s]+",
    re.IGNORECASE,
)

LOCAL_SCHEMES = ("file", "local")
ARCHIVE_SCHEMES = ("zip", "tar")


def is_url(text: str) -> bool:
    """Return whether an input is a URL; a local file that is named like one is none."""
    return "://" in text and _URL.match(text) is not None and not os.path.lexists(text)


def scheme_of(url: str) -> str:
    """Return a URL's scheme in lower case, such as ``s3``; empty for what is none."""
    match = _URL.match(url)
    return match[1].lower() if match else ""


def redact(text: str) -> str:
    """Return a URL, or text with URLs, without what must not be seen.

    A user and password become ``***``, and so does the value of each query parameter whose name
    speaks of a secret, such as a signature or token. Other text stays as it is.
    """
    if "://" not in text:
        return text
    return _SECRET.sub(r"\1***", _USER.sub(r"\1***@", text))


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
