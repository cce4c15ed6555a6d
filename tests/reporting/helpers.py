"""Reports of drawn photos, for tests."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from mnv2cli.records import CategoryScore, Prediction, Record
from mnv2cli.reporting.content import Content, Entry
from mnv2cli.reporting.places import Places
from mnv2cli.reporting.write import ReportTarget, write_report

CLASSES = (("n02123045", "tabby"), ("n02099601", "golden retriever"), ("n04285008", "sports car"),
           ("n07920052", "espresso"), ("n03126707", "crane"))  # fmt: skip
CATEGORIES = ("cat", "dog", "car", "drink", "machine")


def record(number: int, folder: str = "photos", classes: int = len(CLASSES)) -> Record:
    """Return the record of an invented photo: its class, score and folder follow its number."""
    first = number % classes
    score = round(0.99 - 0.9 * (number * 7 % 100) / 100, 4)
    rest = round((1 - score) * 0.6, 4)
    scores = (score, rest) if score >= rest else (rest, score)
    order = (first, (first + 1) % classes)
    return Record(
        f"{folder}/{number % 3}/photo {number:05}.jpg",
        tuple(Prediction(*CLASSES[i], score) for i, score in zip(order, scores, strict=True)),
        model="mobilenet_v2_1.0_224",
        category=CategoryScore(CATEGORIES[first], scores[0], round(scores[0] - scores[1], 4)),
    )


def unreadable(path: str, error: str = "truncated: 12 of 40 rows") -> Record:
    """Return the record of a photo that cannot be read."""
    return Record(path, error=error, model="mobilenet_v2_1.0_224")


def picture(number: int = 0, size: tuple[int, int] = (160, 107)) -> bytes:
    """Return a small WebP of one colour."""
    file = io.BytesIO()
    colour = (number * 53 % 256, number * 97 % 256, number * 151 % 256)
    Image.new("RGB", size, colour).save(file, "WEBP", quality=50)
    return file.getvalue()


def make_page(
    path: Path, records: Sequence[Record | Entry], pictures: bool = True, **content: Any
) -> Path:
    """Write a page of records or entries, with thumbnails of one colour each."""
    entries = [each if isinstance(each, Entry) else Entry(each) for each in records]
    made = Content(content.pop("title", "labels.csv"), entries, **content)
    thumbnails = (each.record.error or picture(number) for number, each in enumerate(entries))
    target = ReportTarget(str(path), force=True, thumbnails=pictures)
    write_report(made, target, Places(), thumbnails if pictures else ())
    return path


def report_data(path: Path, element: str = "report") -> Any:
    """Return the data of a page, or that of another of its elements."""
    text = path.read_text(encoding="utf-8")
    found = re.search(f'<script type="application/json" id="{element}">(.*?)</script>', text, re.S)
    assert found
    return json.loads(found[1])
