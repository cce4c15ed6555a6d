"""Read a dataset, or results, into records: which of the formats it is comes from its content."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from mnv2cli.datasets.formats import (
    DATASETS,
    DatasetFormat,
    ReadOptions,
    detect_format,
    load_dataset_format,
)
from mnv2cli.errors import InputError
from mnv2cli.records import Record
from mnv2cli.reporting.places import Places
from mnv2cli.results.check import check_regular
from mnv2cli.results.fields import ERROR, PATH, PREDICTION, STATUS
from mnv2cli.results.formats import load_format, suffix_format
from mnv2cli.results.read import read_results
from mnv2cli.sources.urls import is_url
from mnv2cli.system.messages import reason
from mnv2cli.system.urls import redact

_HEAD = 1 << 20  # bytes: enough for the first record of results


def read_dataset(
    path: str | os.PathLike[str], format: str = "", options: ReadOptions | None = None
) -> Iterator[Record]:
    """Return the records of a dataset, in its order.

    Args:
        path: Its file or folder.
        format: The name of its format; empty to detect it.
        options: Where its images are, and which paths the records get.

    Returns:
        One record for each photo. A label that people gave has the score 1; records that this tool
        wrote are as they were, as far as the format can hold them.

    Raises:
        InputError: It does not exist, is not a dataset of this format, or is damaged; when the
            damage is reached, with the line or the item.
    """
    path = os.fspath(path)
    found = dataset_format(path, format)
    if found is None:
        raise InputError(f"{path!r} has results, not a dataset", "Read it with read_results.")
    return found.reader(path, options or ReadOptions())


@dataclass(frozen=True, slots=True)
class Source:
    """Records that can be read more than once.

    Attributes:
        read: Returns them, from the first.
        origin: The file or folder that they come from; empty for none.
        format: The format of the dataset that they come from; None for results.
    """

    read: Callable[[], Iterator[Record]]
    origin: str = ""
    format: DatasetFormat | None = None

    @property
    def is_dataset(self) -> bool:
        """Whether relative paths start at the current folder, as those of datasets do."""
        return self.format is not None


def open_source(path: str, format: str = "", options: ReadOptions | None = None) -> Source:
    """Return the records of results of ``mnv2 classify``, or of a dataset.

    Args:
        path: The file or folder.
        format: The name of a format of datasets; empty to detect it.
        options: How a dataset is read.

    Raises:
        InputError: It does not exist, or is neither. While they are read: it is damaged.
    """
    found = dataset_format(path, format)
    if found is None:
        return Source(lambda: read_results(path), path)
    reader = found.reader
    given = options or ReadOptions()
    if given.base and given.original:
        return Source(lambda: _moved(lambda: reader(path, given), given.base or ""), path, found)
    return Source(lambda: reader(path, given), path, found)


def _moved(read: Callable[[], Iterator[Record]], base: str) -> Iterator[Record]:
    """Yield records whose photos are found below a folder, if they are no longer where they were.

    Names of images in datasets start at that folder already; the paths that photos had when this
    tool wrote the dataset do not.
    """
    missing = {record.path for record in read() if not _exists(record.path)}
    places = Places.of_results(missing, "", base)
    for record in read():
        place = places.local(record.path) if record.path in missing else ""
        is_found = place and os.path.lexists(place)
        yield replace(record, path=place) if is_found else record


def _exists(path: str) -> bool:
    return is_url(path) or os.path.lexists(path)


def dataset_format(path: str, format: str = "") -> DatasetFormat | None:
    """Return the format of a dataset, or None for results of ``mnv2 classify``.

    Args:
        path: The file or folder.
        format: The name of the format; empty to detect it.

    Raises:
        InputError: It does not exist, is neither, or a library is missing.
    """
    if is_url(path):
        raise InputError(f"cannot read {redact(path)!r}: it is not on this machine", "Download it.")
    if not os.path.exists(path):
        why = "is a link to nothing" if os.path.islink(path) else "does not exist"
        raise InputError(f"{path!r} {why}", "Check its path.")
    if not os.path.isdir(path):
        check_regular(path)
    if format:
        found: DatasetFormat | None = load_dataset_format(format)
    else:
        found = None if are_results(path) else detect_format(path)
        if found is None and not _may_be_results(path):
            kind = "folder" if os.path.isdir(path) else "file"
            raise InputError(
                f"{path!r} is not a {kind} of results or of a dataset that mnv2 reads",
                f"Datasets are: {', '.join(DATASETS)}. Name the format with --from if it is one.",
            )
    if found is not None:
        found.check()
    return found


def _may_be_results(path: str) -> bool:
    """Return whether the reader of results explains best what is wrong with a file."""
    name = suffix_format(path)
    if os.path.isdir(path) or not name:
        return False
    if not load_format(name).is_text or name == "csv":
        return True
    head = _head(path).strip()
    return head.removeprefix("[").lstrip() in ("", "]") or PATH.name in head


def are_results(path: str) -> bool:
    """Return whether a file certainly has results of ``mnv2 classify``, by its beginning."""
    name = suffix_format(path)
    if not name or not os.path.isfile(path):
        return False
    if name == "parquet":
        return _is_results_parquet(path)
    head = _head(path)
    return _is_results_csv(head) if name == "csv" else _is_results_json(head)


def _head(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(_HEAD).decode("utf-8-sig", "replace")
    except OSError as error:
        raise InputError(f"cannot read {path!r}: {reason(error)}") from error


def _is_results_csv(head: str) -> bool:
    try:
        names = next(csv.reader([head.splitlines()[0]]), []) if head else []
    except csv.Error:
        return False
    return {PATH.name, STATUS.name, ERROR.name} <= set(names)


def _is_results_json(head: str) -> bool:
    text = head.lstrip().removeprefix("[").lstrip()
    try:
        first, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):  # the first object does not end within the beginning
        return text.startswith('{"path":')
    return isinstance(first, dict) and {PATH.name, PREDICTION.name} <= first.keys()


def _is_results_parquet(path: str) -> bool:
    try:
        from pyarrow import ArrowException, parquet

        return {PATH.name, STATUS.name} <= set(parquet.read_schema(path).names)
    except ImportError:
        return False
    except (OSError, ArrowException):
        return False
