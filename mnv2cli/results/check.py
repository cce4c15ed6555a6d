"""Where results may go, checked before the work begins."""

from __future__ import annotations

import os
import stat

from mnv2cli.errors import InputError
from mnv2cli.results.formats import load_format
from mnv2cli.sources.names import IMAGE_SUFFIXES
from mnv2cli.sources.urls import is_url, redact

LOG_SUFFIX = ".mnv2"
"""What the log of a run has behind the name of the results that it stands beside."""


def check_output(path: str, format: str, *, force: bool) -> None:
    """Check before the work begins that results can be written to a file.

    Raises:
        InputError: The file is there and ``force`` is not given; it is a folder, or has the name
            of an image; its folder is not there or cannot be written; a library is missing.
    """
    made = load_format(format)
    made.check()
    if path.lower().endswith(IMAGE_SUFFIXES):
        raise InputError(f"results would go into {redact(path)!r}, which has the name of an image")
    if is_url(path):
        from mnv2cli.sources.remote import upload

        upload.check_output(path, force=force)
        return
    path = destination(path)
    folder = os.path.dirname(path) or os.curdir
    if os.path.isdir(path):
        raise InputError(f"{path!r} is a folder", "Name a file in it.")
    if not os.path.isdir(folder):
        raise InputError(f"there is no folder {folder!r}", "Make it first.")
    if is_regular(path):
        if not force:
            log = os.path.realpath(path) + LOG_SUFFIX
            resume = " --resume goes on with it." if os.path.exists(log) else ""
            raise InputError(
                f"{path!r} exists", f"Overwrite it with --force, or name another.{resume}"
            )
        if not os.access(path, os.W_OK) or (made.needs_end and not os.access(folder, os.W_OK)):
            raise InputError(f"{path!r} cannot be written: permission denied")
    elif not os.path.lexists(path) and not os.access(folder, os.W_OK):
        raise InputError(f"nothing can be written in {folder!r}: permission denied")


def is_file(path: str) -> bool:
    """Return whether a path is, or would become, a regular file here, and no device or pipe."""
    if is_url(path):
        return False
    path = destination(path)
    return is_regular(path) or not os.path.lexists(path)


def destination(path: str) -> str:
    """Return where a link leads to what is not there yet; any other path as it is."""
    is_dangling = os.path.islink(path) and not os.path.exists(path)
    return os.path.realpath(path) if is_dangling else path


def is_regular(path: str) -> bool:
    """Return whether a path is a regular file, or a link to one."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False
