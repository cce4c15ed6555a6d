"""Records to write, and the bytes that a format makes of them."""

from __future__ import annotations

import io

from mnv2cli.records import Prediction, Record
from mnv2cli.results.formats import load_format
from mnv2cli.results.output import Output
from mnv2cli.results.schema import Layout

CAT = Prediction("n02124075", "Egyptian cat", 0.9)
BOW = Prediction("n02879718", "bow", 1.25e-07)
RECORDS = [
    Record("a.jpg", (CAT, BOW), model="net"),
    Record("b.jpg", (CAT,), model="net"),
    Record("c.jpg", error="truncated: 3 of 9 bytes", model="net"),
]


def written(layout: Layout, records: list[Record]) -> bytes:
    """Return the content of a file with this layout."""
    stream = io.BytesIO()
    with Output(stream, load_format(layout.format), layout) as out:
        for record in records:
            out.write(record)
    return stream.getvalue()
