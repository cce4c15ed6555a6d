"""Results and features files for tests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from mnv2cli.records import CategoryScore, Prediction, Record
from mnv2cli.results.features import Contents, FeaturesInfo, features_format
from mnv2cli.results.formats import load_format
from mnv2cli.results.schema import Layout, extras

MODEL = "mobilenet_v2_1.0_224"
WNIDS = {"tabby": "n02123045", "golden retriever": "n02099601", "espresso": "n07920052",
         "sports car": "n04285008"}  # fmt: skip


def labelled(
    path: str, *scores: tuple[str, float], category: tuple[str, float] | None = None
) -> Record:
    """Return the record of a photo with its labels and scores, best first."""
    predictions = tuple(Prediction(WNIDS.get(name, name), name, score) for name, score in scores)
    made = None if category is None else CategoryScore(category[0], category[1], 0.1)
    return Record(path, predictions, model=MODEL, category=made)


def write(path: Path, records: Iterable[Record], *, top: int = 2, long: bool = False) -> str:
    """Write a results file in the format of its suffix; return its path."""
    records = list(records)
    format = path.suffix[1:]
    layout = Layout(
        format,
        top,
        long,
        extras(
            category=any(each.category for each in records),
            node=any(each.node for each in records),
        ),
    )
    with open(path, "wb") as stream:
        writer = load_format(format).writer(stream, layout)
        writer.begin()
        for record in records:
            writer.write(record)
        writer.finish()
    return str(path)


def write_features(path: Path, records: Iterable[Record]) -> str:
    """Write a features file of zeros in the format of its suffix; return its path."""
    records = [
        each if each.error else replace(each, embedding=np.zeros(4, np.float32)) for each in records
    ]
    info = FeaturesInfo(MODEL, "0" * 16, "litert", "float32", 4, False)
    with open(path, "wb") as stream:
        features_format(str(path)).write(stream, Contents(info, len(records)), records)
    return str(path)
