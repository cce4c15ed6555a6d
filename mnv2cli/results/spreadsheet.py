"""Cells that no spreadsheet takes for a formula."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mnv2cli.records import Prediction, Record

_STARTERS = frozenset("=+-@\t\r\n＝＋－＠'")
"""What begins a formula, also in full width, or stands for a text: OWASP, "CSV Injection"."""


def safe(text: str) -> str:
    """Return text with an apostrophe before it if it begins like a formula.

    A text that begins with an apostrophe gets another, so that :func:`restored` is exact.
    """
    return f"'{text}" if text[:1] in _STARTERS and text else text


def restored(text: str) -> str:
    """Return what :func:`safe` was given."""
    return text[1:] if text[:1] == "'" and text[1:2] in _STARTERS and text[1:] else text


def safe_record(record: Record) -> Record:
    """Return a record whose path, labels, names and error are safe."""
    return _with_texts(record, safe)


def restored_record(record: Record) -> Record:
    """Return what :func:`safe_record` was given."""
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
