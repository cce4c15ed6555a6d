"""Check where results may be written, before any work is done."""

from __future__ import annotations

import os
import stat

from mnv2cli.errors import InputError
from mnv2cli.results.formats import load_format, suffixes
from mnv2cli.sources.names import IMAGE_SUFFIXES
from mnv2cli.sources.urls import is_url
from mnv2cli.system.urls import redact

_ELSEWHERE = "Name a file in a writable folder."

LOG_SUFFIX = ".mnv2"
"""The suffix of the log of a run."""

OWN_FILE = "results of mnv2"
"""Why a file that this tool has written is not one of the photos, for messages."""


def log_path(output: str) -> str:
    """Return the path of the log of a results file: ``.labels.csv.mnv2`` beside ``labels.csv``."""
    return possible_logs(os.path.realpath(output))[0]


def earlier_log_path(output: str) -> str:
    """Return where earlier versions kept the log of a results file: ``labels.csv.mnv2``."""
    return possible_logs(os.path.realpath(output))[1]


def has_log(output: str) -> bool:
    """Return whether a results file has a log, from this version or an earlier one."""
    return any(map(os.path.lexists, possible_logs(output)))


def possible_logs(output: str) -> tuple[str, str]:
    """Return where the log of a results file may be: in this version, and in earlier ones."""
    if os.path.islink(output):  # else the log is in the same folder, however that is reached
        output = os.path.realpath(output)
    folder, name = os.path.split(output)
    hidden = os.path.join(folder, f".{name}{LOG_SUFFIX}")
    return hidden, output + LOG_SUFFIX


def is_results(path: str) -> bool:
    """Return whether a file is results of mnv2: it has a log, or starts as results in JSON do."""
    if not is_regular(path):
        return False
    if has_log(path):
        return True
    try:
        with open(path, "rb", buffering=0) as file:
            head = file.read(64)
    except OSError:
        return False
    return b"".join(head.split()).startswith(b'[{"path":')


def check_output(path: str, format: str, *, force: bool) -> None:
    """Check that results can be written to a file, before any work is done.

    Raises:
        InputError: The file exists and ``force`` is not given; it is a folder, or has the suffix
            of an image; its folder does not exist or cannot be written to; a library is missing.
    """
    check_not_folder(path)
    made = load_format(format)
    made.check()
    if path.lower().endswith(IMAGE_SUFFIXES):
        raise InputError(
            f"cannot write results to {redact(path)!r}: it is named like an image",
            f"Use a name that ends in {', '.join(suffixes())}.",
        )
    if is_url(path):
        from mnv2cli.sources.remote import upload

        upload.check_output(path, force=force)
        return
    path = destination(path)
    folder = existing_folder(path, "results to ")
    if is_regular(path):
        if not force:
            may_resume = made.rows is not None and has_log(path)
            resume = ", continue it with --resume" if may_resume else ""
            raise InputError(
                f"{path!r} already exists",
                f"Overwrite it with --force{resume}, or name another file.",
            )
        if not os.access(path, os.W_OK) or (made.needs_end and not os.access(folder, os.W_OK)):
            raise InputError(f"cannot write {path!r}: permission denied", _ELSEWHERE)
    elif not os.path.lexists(path) and not os.access(folder, os.W_OK):
        raise InputError(f"cannot write to {folder!r}: permission denied", _ELSEWHERE)


def existing_folder(path: str, what: str = "") -> str:
    """Return the folder of a file to write.

    Args:
        path: The file.
        what: What is written, for errors, such as "results to ".

    Raises:
        InputError: The folder does not exist.
    """
    folder = os.path.dirname(path) or os.curdir
    if not os.path.isdir(folder):
        raise InputError(
            f"cannot write {what}{path!r}: the folder {folder!r} does not exist",
            "Create the folder first.",
        )
    return folder


def already_exists(path: str) -> InputError:
    """Return the error for a file that may not be overwritten."""
    return InputError(
        f"{path!r} already exists", "Overwrite it with --force, or name another file."
    )


def check_not_folder(path: str, what: str = "results") -> None:
    """Check that results, or ``what``, are not written to a folder; raises InputError."""
    if os.path.isdir(path):
        raise InputError(f"cannot write {what} to {path!r}: it is a folder", "Name a file in it.")


def is_file(path: str) -> bool:
    """Return whether a path is a local regular file, or would become one."""
    if is_url(path):
        return False
    path = destination(path)
    return is_regular(path) or not os.path.lexists(path)


def destination(path: str) -> str:
    """Return the target of a dangling link; any other path unchanged."""
    is_dangling = os.path.islink(path) and not os.path.exists(path)
    return os.path.realpath(path) if is_dangling else path


def check_regular(path: str) -> None:
    """Check that an existing file is not a pipe or a device, which may never end.

    Raises:
        InputError: It is not a regular file.
    """
    if os.path.exists(path) and not is_regular(path):
        raise InputError(
            f"cannot read {path!r}: it is not a regular file", "Name a file on a disk."
        )


def is_regular(path: str) -> bool:
    """Return whether a path is a regular file, or a link to one."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False
