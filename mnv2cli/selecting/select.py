"""Select rows of results: their records, or the rows themselves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from mnv2cli.records import Record
from mnv2cli.results.any_file import check_any
from mnv2cli.results.read import read_results
from mnv2cli.results.schema import Layout, UsedColumns
from mnv2cli.selecting.conditions import Conditions, Order, Subject
from mnv2cli.selecting.csv_rows import CsvRows

if TYPE_CHECKING:
    from mnv2cli.inference.classifier import StrPath

_EVERYTHING, _IN_ORDER = Conditions(), Order()


def select(
    path: StrPath,
    where: Conditions = _EVERYTHING,
    order: Order = _IN_ORDER,
    *,
    top: int | None = None,
) -> Iterator[Record]:
    """Yield the records of results that meet conditions; no image is read or classified.

    Args:
        path: A file that ``mnv2 classify`` wrote, in any format.
        where: The conditions.
        order: The order, the limit and the sample.
        top: Keep at most this many labels of each record; None for all.

    Raises:
        InputError: The file cannot be read, or is not results.
    """
    path = os.fspath(path)
    check_any(path)
    rows = CsvRows.of(path)
    if rows is not None:
        found: Iterator[Record] = map(rows.record, rows.selected(where, order))
    else:
        matching = filter(where.matches, read_results(path))
        key = where.key(order.sort) if order.sort else lambda record: None
        found = order.sorted(matching, key)
    for record in found:
        yield record if top is None else replace(record, predictions=record.predictions[:top])


def layout_of(path: str, format: str, where: Conditions, top: int | None) -> Layout:
    """Return the layout in which selected rows are written in a format.

    Args:
        path: The results; those that have no columns are read once.
        format: The format to write.
        where: The conditions: only columns that selected rows have are written.
        top: Labels of each row; None for as many as there are.

    Raises:
        InputError: The file cannot be read, or is not results.
    """
    rows = CsvRows.of(path)
    if rows is not None:
        layout = rows.layout
        return replace(layout, format=format, top=min(top or layout.top, layout.top))
    layout = UsedColumns.of(filter(where.matches, read_results(path))).layout(format)
    return replace(layout, top=min(top or layout.top, layout.top))


def names_in(path: str, field: Subject, *, any_rank: bool = False) -> set[str]:
    """Return names and WordNet IDs that rows of results have, to suggest one for a typo.

    Args:
        path: The results.
        field: Whose names: those of the best label, the category or the node.
        any_rank: Those of all labels.
    """
    names = set()
    for record in read_results(path):
        if field == "category":
            names.add(record.category.name if record.category else "")
        elif field == "node":
            names |= {record.node.label, record.node.wnid} if record.node else set()
        else:
            for each in record.predictions[: None if any_rank else 1]:
                names |= {each.label, each.wnid}
        if len(names) > 10_000:
            break
    return names - {""}
