"""Any record is read back as it was written, in every format and layout."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mnv2cli.records import CategoryScore, Prediction, Record
from mnv2cli.results.formats import FORMATS, load_format
from mnv2cli.results.read import read_results
from mnv2cli.results.schema import Layout, extras
from mnv2cli.system.csvtext import NUL_SIGN

TOP = 3
LAYOUTS = [
    Layout(name, TOP, long, (), safe)
    for name in FORMATS
    for long in ((False, True) if load_format(name).is_table else (False,))
    for safe in ((False, True) if load_format(name).may_be_safe else (False,))
]

# Human texts, file names of any bytes, and texts that spreadsheets take for formulas.
special = st.sampled_from(
    ["\n", "\r", "\r\n", "\0", '"', '""', ",", "'", "''", "=", "+", "-", "@", "\t", "\x1b[31m",
     " ", "\ufeff", "\u2028", "\\xff", "\\", "\udcff", "＝", "a"]
)  # fmt: skip
texts = st.one_of(
    st.text(max_size=8),
    st.binary(max_size=8).map(os.fsdecode),
    st.lists(special, max_size=6).map("".join),
)
scores = st.floats(0, 1, width=32).map(lambda score: float(str(np.float32(score))))
predictions = st.builds(Prediction, wnid=texts, label=texts, score=scores)
categories = st.builds(CategoryScore, name=texts, score=scores, margin=scores)


@st.composite
def records(draw: Callable[..., object]) -> Record:
    record = draw(
        st.builds(
            Record,
            path=texts.filter(bool),
            predictions=st.lists(predictions, max_size=TOP).map(tuple),
            error=st.just("") | texts,
            model=texts,
            category=st.none() | categories,
            node=st.none() | predictions,
            position=st.none() | st.integers(0, 10**17 - 1),
        )
    )
    assert isinstance(record, Record)
    return replace(record, predictions=()) if record.error else record


wanted_extras = st.builds(
    extras, category=st.booleans(), node=st.booleans(), position=st.booleans()
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("properties")


def write(path: Path, layout: Layout, given: list[Record]) -> None:
    with open(path, "wb") as file:
        writer = load_format(layout.format).writer(file, layout)
        writer.begin()
        for record in given:
            writer.write(record)
        writer.finish()


def texts_of(record: Record) -> Iterator[str]:
    yield from (record.path, record.error, record.model)
    for prediction in (*record.predictions, *([record.node] if record.node else [])):
        yield from (prediction.wnid, prediction.label)
    if record.category:
        yield record.category.name


def changed(record: Record, change: Callable[[str], str]) -> Record:
    def prediction(given: Prediction) -> Prediction:
        return replace(given, wnid=change(given.wnid), label=change(given.label))

    return replace(
        record,
        path=change(record.path),
        error=change(record.error),
        model=change(record.model),
        predictions=tuple(map(prediction, record.predictions)),
        node=record.node and prediction(record.node),
        category=record.category and replace(record.category, name=change(record.category.name)),
    )


def expected(record: Record, layout: Layout) -> Record:
    """Return a record as a file of this layout represents it, without the fields it lacks.

    Parquet has UTF-8 only: each other byte is described, such as ``\\xff``.
    """
    missing = {name: None for name in ("category", "node", "position") if name not in layout.extras}
    record = replace(record, **missing)  # type: ignore[arg-type]
    if load_format(layout.format).utf8_only:
        record = changed(record, lambda t: os.fsencode(t).decode("utf-8", "backslashreplace"))
    return record


def can_hold(layout: Layout, given: list[Record]) -> bool:
    """Return False for the one text that a CSV cannot hold: NUL together with its stand-in.

    The stand-in, U+FDD0, is not a character; Unicode reserves it for internal use.
    """
    found = {character for record in given for text in texts_of(record) for character in text}
    return layout.format != "csv" or not {"\0", NUL_SIGN} <= found


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@given(given_records=st.lists(records(), min_size=1, max_size=4), also=wanted_extras)
@settings(deadline=None, max_examples=60)
def test_a_record_is_read_back_as_it_was_written(
    folder: Path, layout: Layout, given_records: list[Record], also: tuple[str, ...]
) -> None:
    assume(can_hold(layout, given_records))
    layout = replace(layout, extras=also)
    path = folder / f"results.{layout.format}"
    write(path, layout, given_records)
    wanted = [expected(record, layout) for record in given_records]
    assert list(read_results(str(path), safe=layout.safe)) == wanted
    assert list(read_results(str(path))) == wanted


@pytest.mark.parametrize(
    "layout", [each for each in LAYOUTS if load_format(each.format).rows], ids=str
)
@given(given_records=st.lists(records(), min_size=1, max_size=4), also=wanted_extras)
@settings(deadline=None, max_examples=60)
def test_a_scan_finds_the_rows_of_every_record(
    folder: Path, layout: Layout, given_records: list[Record], also: tuple[str, ...]
) -> None:
    assume(can_hold(layout, given_records))
    layout = replace(layout, extras=also)
    path = folder / f"scanned.{layout.format}"
    write(path, layout, given_records)
    access = load_format(layout.format).rows
    assert access
    rows = list(access.scan(str(path), layout))
    wanted = [expected(record, layout) for record in given_records]
    assert [row and (row.path, row.error, row.position) for row in rows] == [
        (record.path, record.error, record.position) for record in wanted
    ]
    ends = [access.first_row(str(path)), *(row.end for row in rows if row)]
    assert [row.start for row in rows if row] == ends[:-1]
    assert ends[-1] == path.stat().st_size
    if "position" not in also:
        return
    # Only the position of a moved row changes.
    content = path.read_bytes()
    moved = [
        access.with_position(content[row.start : row.end], place, layout)
        for place, row in enumerate(rows)
        if row
    ]
    path.write_bytes(content[: ends[0]] + b"".join(moved))
    assert list(read_results(str(path), safe=layout.safe)) == [
        replace(record, position=place) for place, record in enumerate(wanted)
    ]
