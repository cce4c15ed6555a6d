"""Escape cells so that no spreadsheet reads them as formulas, and restore them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mnv2cli.records import Prediction, Record

_STARTERS = frozenset("=+-@\t\r\n＝＋－＠'")
"""Characters that start a formula, also in full width, or mark a text: OWASP, "CSV Injection"."""


def safe(text: str) -> str:
    """Return a text, with an apostrophe before it if it starts like a formula.

    A text that starts with an apostrophe gets another, so :func:`restored` is exact.
    """
    return f"'{text}" if text[:1] in _STARTERS and text else text


def restored(text: str) -> str:
    """Return the text that :func:`safe` escaped."""
    return text[1:] if is_escaped(text) else text


def is_escaped(text: str) -> bool:
    """Return whether a text looks as if :func:`safe` had escaped it."""
    return text[:1] == "'" and text[1:2] in _STARTERS and bool(text[1:])


def safe_record(record: Record) -> Record:
    """Return a record with its path, labels, names and error escaped."""
    return _with_texts(record, safe)


def restored_record(record: Record) -> Record:
    """Return the record that :func:`safe_record` escaped."""
    return _with_texts(record, restored)


def _with_texts(record: Record, change: Callable[[str], str]) -> Record:
    def prediction(given: Prediction) -> Prediction:
        return replace(given, label=change(given.label), wnid=change(given.wnid))

    return replace(
        record,
        path=change(record.path),
        predictions=tuple(map(prediction, record.predictions)),
        error=change(record.error),
        model=change(record.model),
        category=record.category and replace(record.category, name=change(record.category.name)),
        node=record.node and prediction(record.node),
    )
