"""Read any file of rows that this tool writes: labels, or features without labels."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from dataclasses import replace

from mnv2cli.errors import InputError
from mnv2cli.records import Record
from mnv2cli.results.check import check_regular, is_regular
from mnv2cli.results.features import open_features
from mnv2cli.results.formats import suffix_format
from mnv2cli.results.read import read_results
from mnv2cli.sources.names import IMAGE_SUFFIXES
from mnv2cli.sources.urls import is_url
from mnv2cli.system.urls import redact


def _first(folder: str) -> str:
    """Return the hint for what is not results: how to make some, for a shell."""
    command = shlex.join(["mnv2", "classify", folder, "-o", "labels.csv"])
    return f"First label the photos: {command}"


def read_any(path: str) -> Iterator[Record]:
    """Yield the records of results of ``mnv2 classify``, or of features, without the features.

    Args:
        path: Ends in ``.csv`` (wide or long), ``.json``, ``.jsonl``, ``.parquet`` or ``.npz``.

    Raises:
        InputError: The file does not exist, is a folder or an image, or is neither.
    """
    check_any(path)
    if has_features(path):
        return (replace(each, embedding=None) for each in open_features(path).records())
    return read_results(path)


def check_any(path: str) -> None:
    """Check that a file may be results, without reading it.

    Raises:
        InputError: It does not exist, is not a regular file, or has the suffix of an image or
            another file.
    """
    if is_url(path):
        raise InputError(f"cannot read {redact(path)!r}: it is not on this machine", "Download it.")
    if os.path.isdir(path):
        raise InputError(f"{path!r} is a folder, not results", _first(path))
    if not os.path.lexists(path):
        raise InputError(f"{path!r} does not exist", _first("FOLDER"))
    if not os.path.exists(path):
        raise InputError(
            f"cannot read {path!r}: it is a link to {os.readlink(path)!r}, which does not exist",
            "Remove the link, or name another file.",
        )
    check_regular(path)
    if path.lower().endswith(IMAGE_SUFFIXES):
        raise InputError(f"{path!r} is an image, not results", _first(path))
    if not path.lower().endswith(".npz") and not suffix_format(path):
        raise InputError(
            f"cannot read {path!r}: its name does not end in .csv, .json, .jsonl, .parquet or .npz",
            "Name results of mnv2 classify, or features of mnv2 embed.",
        )


def has_features(path: str) -> bool:
    """Return whether a file has the features of images, not their labels."""
    suffix = path.lower().rpartition(".")[2]
    if suffix != "parquet" or not is_regular(path):
        return suffix == "npz"
    try:
        open_features(path)
    except InputError:
        return False
    return True
