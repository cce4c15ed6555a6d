"""Check local inputs before the work begins, so that a mistyped path does not cost a run."""

from __future__ import annotations

import os

from mnv2cli.sources.patterns import is_glob
from mnv2cli.sources.urls import ARCHIVE_SCHEMES, LOCAL_SCHEMES, is_url, scheme_of
from mnv2cli.system.urls import redact


def why_missing(given: str) -> str:
    """Return why an input cannot exist, as a sentence without its full stop.

    Only local files are checked; inputs in a store or on a web server are assumed to exist.

    Args:
        given: A path, a pattern or a URL.

    Returns:
        The sentence; empty if the input may exist.

    Raises:
        InputError: A library for a URL is missing.
    """
    if not is_url(given):
        found = os.path.lexists(given) or is_glob(given)
        return "" if found else f"No such file or folder: {given!r}"
    scheme = scheme_of(given)
    if scheme in ARCHIVE_SCHEMES:
        from mnv2cli.sources.remote.archives import container_of

        return _why_no_archive(scheme, container_of(given))
    path = _local_path(given)
    return "" if path is None else why_missing(path) and f"No such file or folder: {given!r}"


def _why_no_archive(kind: str, container: str) -> str:
    path = _local_path(container)
    if path is None:
        return why_missing(container)
    name = redact(container)
    if not os.path.lexists(path):
        return f"No such archive: {name!r}"
    if os.path.isdir(path):
        return f"{name!r} is a folder, not a {kind} archive"
    return "" if _may_be_archive(kind, path) else f"{name!r} is not a {kind} archive"


def _may_be_archive(kind: str, path: str) -> bool:
    if not (os.path.isfile(path) and os.access(path, os.R_OK)):
        return True  # reading it gives a row with the reason
    if kind == "zip":
        from zipfile import is_zipfile

        return is_zipfile(path)
    from tarfile import is_tarfile

    try:
        return is_tarfile(path)  # reads its first header only
    except Exception:  # of the decompressor: reading it gives a row with the reason
        return True


def _local_path(name: str) -> str | None:
    """Return the path of a file on this machine, given by path or ``file://``; else None."""
    if not is_url(name):
        return name
    if scheme_of(name) not in LOCAL_SCHEMES:
        return None
    from mnv2cli.sources.remote.fetch import local_path

    return local_path(name)
