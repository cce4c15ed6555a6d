"""The label of a record, and records as JSON objects within datasets."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from mnv2cli.datasets.formats import LabelBy
from mnv2cli.records import Prediction, Record
from mnv2cli.results.fields import CATEGORY, NODE, PATH, PREDICTION, STATUS
from mnv2cli.results.parquet_format import utf8_text
from mnv2cli.results.schema import Extras, Layout, Schema, record_from_object

KEY = "mnv2"
"""The key under which a JSON object of a dataset has what :func:`packed` returns."""


PLURALS = {"label": "labels", "category": "categories", "node": "nodes"}
"""What records have, by what a label is made of."""

OPTIONS = {"category": "--category", "node": "--rollup P"}
"""The option of ``mnv2 classify`` that writes it; labels are always written."""


def label_of(record: Record, by: LabelBy) -> str:
    """Return the label to learn from a record; empty if it has none."""
    if by == "category":
        return record.category.name if record.category else ""
    if by == "node":
        return record.node.label if record.node else ""
    return record.predictions[0].label if record.predictions else ""


def packed(record: Record) -> dict[str, Any]:
    """Return the JSON object of a record as in results, with a path that is valid UTF-8."""
    wanted = {CATEGORY.name: record.category, NODE.name: record.node}
    extras = tuple(name for name, value in wanted.items() if value is not None)
    made = _schema(max(1, len(record.predictions)), extras).to_object(record)
    del made[STATUS.name]
    made[PATH.name] = utf8_text(record.path)
    return made


@lru_cache(maxsize=64)  # records of one dataset have few layouts
def _schema(top: int, extras: Extras) -> Schema:
    return Schema(Layout("json", top, extras=extras))


def unpacked(item: Mapping[str, Any]) -> Record:
    """Return the record of what :func:`packed` returned.

    Raises:
        KeyError, TypeError, ValueError or AttributeError: It is not such an object.
    """
    return record_from_object({STATUS.name: "ok", "error": "", PREDICTION.name: [], **item})


def labelled(path: str, label: str, score: float = 1.0) -> Record:
    """Return the record of a photo that a person labelled; without a label if it is empty."""
    return Record(path, (Prediction("", label, score),) if label else ())
