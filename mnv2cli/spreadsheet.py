"""Cells that no spreadsheet takes for a formula."""

from __future__ import annotations

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
    return replace(
        record,
        path=safe(record.path),
        predictions=tuple(map(_safe_prediction, record.predictions)),
        error=safe(record.error),
        model=safe(record.model),
        category=record.category and replace(record.category, name=safe(record.category.name)),
        node=record.node and _safe_prediction(record.node),
    )


def _safe_prediction(prediction: Prediction) -> Prediction:
    return replace(prediction, label=safe(prediction.label), wnid=safe(prediction.wnid))
