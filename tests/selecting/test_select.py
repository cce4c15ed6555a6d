"""Rows of a CSV are selected by their cells exactly as their records are by their attributes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mnv2cli.errors import InputError
from mnv2cli.records import CategoryScore, Prediction, Record
from mnv2cli.results.read import read_results
from mnv2cli.selecting import csv_lines
from mnv2cli.selecting.conditions import SORTS, Conditions, Order
from mnv2cli.selecting.csv_rows import CsvRows
from mnv2cli.selecting.select import select
from tests.reporting.results_files import write


@pytest.fixture(autouse=True)
def own_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore the size of blocks after each test."""
    monkeypatch.setattr(csv_lines, "_BLOCK", csv_lines._BLOCK)


NAMES = st.sampled_from(["cat", "Egyptian cat", "dog, a", 'say "hi"', "straße", "x\ny", "CAT"])
SCORES = st.integers(0, 100).map(lambda n: n / 100)
PATHS = st.sampled_from(
    ["a.jpg", "b/IMG_2.png", "b/img_10.png", "c,d.jpg", 'q"q.jpg', "caf\udce9.jpg", "l\nf.jpg"]
)


@st.composite
def records(draw: st.DrawFn) -> Record:
    path = draw(PATHS)
    if draw(st.integers(0, 5)) == 0:
        return Record(path, error=draw(st.sampled_from(["not an image", "truncated: at 5"])))
    found = sorted(draw(st.lists(SCORES, max_size=3)), reverse=True)
    predictions = tuple(Prediction(draw(st.sampled_from(["n1", "n2"])), draw(NAMES), each)
                        for each in found)  # fmt: skip
    category = draw(st.one_of(
        st.none(), st.builds(CategoryScore, st.one_of(st.just(""), NAMES), SCORES, SCORES)
    ))  # fmt: skip
    node = draw(st.one_of(st.none(), st.builds(Prediction, st.just("n9"), NAMES, SCORES)))
    return Record(path, predictions, category=category, node=node, model="m")


NAMED = st.lists(
    st.sampled_from(["cat", "n2", "STRASSE", "dog, a", "none"]), min_size=1, max_size=2
).map(tuple)
BOUNDS = st.tuples(SCORES, SCORES).map(sorted).flatmap(
    lambda pair: st.sampled_from([(None, None), (pair[0], None), (None, pair[1]), tuple(pair)])
)  # fmt: skip


@st.composite
def conditions(draw: st.DrawFn) -> Conditions:
    errors = draw(st.sampled_from([(), (), ("Truncated",)]))
    paths = draw(st.sampled_from([(), (), ("*.png",), ("b/*",)]))
    if draw(st.integers(0, 7)) == 0:
        return Conditions(status="error", errors=errors, paths=paths)
    kind = draw(st.sampled_from(["", "labels", "categories", "nodes", "any"]))
    values = {"labels" if kind == "any" else kind: draw(NAMED)} if kind else {}
    has_margin = kind not in ("nodes", "any")
    low, high = draw(BOUNDS)
    least, most = draw(BOUNDS) if has_margin else (None, None)
    return Conditions(
        **values,
        min_score=low,
        max_score=high,
        min_margin=least,
        max_margin=most,
        status=draw(st.sampled_from(["", "ok"])),
        errors=errors,
        paths=paths,
        any_rank=kind == "any",
    )


ORDERS = st.builds(
    Order, st.none() | st.sampled_from(SORTS), st.booleans(), st.none() | st.integers(1, 5),
    st.none() | st.integers(1, 5), st.integers(0, 3),
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(records(), max_size=12), conditions(), ORDERS, st.sampled_from([40, 1 << 20]))
def test_cells_are_selected_as_records_are(
    tmp_path: Path, rows: list[Record], where: Conditions, order: Order, block: int
) -> None:
    csv_lines._BLOCK = block  # rows end in the middle of small blocks
    path = write(tmp_path / "r.csv", rows, top=3)
    jsonl = write(tmp_path / "r.jsonl", rows, top=3)
    fast = CsvRows.of(path)
    assert fast is not None
    from_cells = list(fast.selected(where, order))
    assert list(map(fast.record, from_cells)) == list(select(jsonl, where, order))
    lines = Path(path).read_bytes()
    assert all(row.raw in lines for row in from_cells)
    assert [fast.path_of(row) for row in from_cells] == [
        record.path for record in select(path, where, order)
    ]


@pytest.mark.parametrize(
    ("order", "found"),
    [
        (Order("score"), "high mid low same error empty"),
        (Order("score", reverse=True), "low same mid high error empty"),
        (Order("score", reverse=True, limit=1), "low"),
        (Order("score", reverse=True, limit=5), "low same mid high error"),
        (Order("margin"), "mid low high error same empty"),
        (Order("margin", reverse=True), "high low mid error same empty"),
        (Order("margin", reverse=True, limit=4), "high low mid error"),
        (Order("label"), "low same mid high error empty"),
        (Order("label", reverse=True), "high mid low same error empty"),
        (Order("label", reverse=True, limit=2), "high mid"),
        (Order("path", reverse=True, limit=2), "same mid"),
        (Order(reverse=True, limit=3), "empty same low"),
    ],
)
@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_rows_without_a_value_to_sort_by_are_last_in_both_directions(
    tmp_path: Path, format: str, order: Order, found: str
) -> None:
    def record(path: str, *found: tuple[str, float]) -> Record:
        return Record(path, tuple(Prediction("", *each) for each in found), model="m")

    rows = [
        Record("error", error="truncated", model="m"),
        record("high", ("dog", 0.9), ("cat", 0.1)),
        record("mid", ("cow", 0.6), ("cat", 0.5)),
        record("low", ("cat", 0.3), ("dog", 0.1)),
        record("same", ("cat", 0.3)),
        record("empty"),
    ]
    path = write(tmp_path / f"r.{format}", rows, top=2)
    assert [each.path for each in select(path, order=order)] == found.split()


def test_all_rows_are_those_of_the_file(tmp_path: Path) -> None:
    rows = [Record(name, (Prediction("n1", "cat", 0.5),)) for name in ("a\nb", "c\rd", 'e"', "f")]
    path = write(tmp_path / "r.csv", rows, top=1)
    fast = CsvRows.of(path)
    assert fast is not None
    raw = fast.header + b"".join(row.raw for row in fast.selected(Conditions(), Order()))
    assert raw == Path(path).read_bytes()
    assert list(select(path)) == list(read_results(path))


def test_line_ends_of_windows_and_a_missing_one_are_read(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(
        b"\xef\xbb\xbfpath,status,label_1,wnid_1,score_1,error\r\na,ok,cat,n1,0.5,\r\n\r\nb,ok,dog,n2,0.4,"
    )
    assert [record.path for record in select(str(path))] == ["a", "b"]
    assert [r.path for r in select(str(path), Conditions(labels=("dog",)))] == ["b"]


@pytest.mark.parametrize(
    ("row", "line"),
    [(b"a,ok,cat,n1\n", 3), (b"a,fine,cat,n1,0.5,\n", 3), (b"a,ok,cat,n1,many,\n", 3),
     (b'"a,ok,cat,n1,0.5,\n', 3)],
)  # fmt: skip
def test_a_damaged_row_is_an_error_with_its_line(tmp_path: Path, row: bytes, line: int) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(b"path,status,label_1,wnid_1,score_1,error\nx,ok,cat,n1,0.5,\n" + row)
    with pytest.raises(InputError, match=f"is damaged in line {line}"):
        list(select(str(path), Conditions(min_score=0.1)))


@pytest.mark.parametrize("score", ["nan", "-0.1", "inf", "2.5", "0_9"])
@pytest.mark.parametrize(
    "where", [Conditions(min_score=0.1), Conditions(max_score=0.6), Conditions(max_margin=0.3),
              Conditions(labels=("cat",), min_score=0.1, any_rank=True)],
)  # fmt: skip
def test_numbers_that_are_no_scores_are_damaged_rows(
    tmp_path: Path, score: str, where: Conditions
) -> None:
    path = tmp_path / "r.csv"
    head = "path,status,label_1,wnid_1,score_1,label_2,wnid_2,score_2,error\n"
    path.write_text(f"{head}x,ok,cat,n1,0.5,dog,n2,0.3,\na,ok,cat,n1,{score},dog,n2,0.1,\n")
    with pytest.raises(InputError, match="is damaged in line 3"):
        list(select(str(path), where))


@pytest.mark.parametrize(
    ("values", "message"),
    [({"min_score": 0.5, "max_score": 0.4}, "no score is at least 0.5 and at most 0.4"),
     ({"any_rank": True}, "requires --label"),
     ({"nodes": ("dog",), "max_margin": 0.1}, "cannot be combined with a margin"),
     ({"status": "error", "labels": ("cat",)}, "no image with an error"),
     ({"labels": "cat"}, "labels must be a tuple of names or patterns, not a string"),
     ({"paths": "*.jpg"}, "paths must be a tuple")],
)  # fmt: skip
def test_conditions_that_cannot_be_met_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Conditions(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "message"),
    [({"sort": "size"}, "sort must be score or margin or path or label, not 'size'"),
     ({"sort": ""}, "sort must be"),
     ({"limit": -1}, "limit must be 1 or more, not -1"),
     ({"limit": 0}, "limit must be 1 or more"),
     ({"sample": 0}, "sample must be 1 or more")],
)  # fmt: skip
def test_orders_out_of_range_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Order(**values)  # type: ignore[arg-type]


def test_results_are_named_by_a_path_object(tmp_path: Path) -> None:
    rows = [Record("a", (Prediction("n1", "cat", 0.5),), model="m")]
    for format in ("csv", "jsonl"):
        path = Path(write(tmp_path / f"r.{format}", rows, top=1))
        assert list(select(path)) == rows


def test_a_sample_is_the_same_for_the_same_seed_and_keeps_the_order(tmp_path: Path) -> None:
    rows = [Record(f"{i:03}.jpg", (Prediction("n1", "cat", 0.5),)) for i in range(200)]
    path = write(tmp_path / "r.csv", rows, top=1)

    def drawn(seed: int) -> list[str]:
        return [record.path for record in select(path, order=Order(sample=20, seed=seed))]

    assert drawn(1) == drawn(1) == sorted(drawn(1))
    assert len(set(drawn(1))) == 20
    assert drawn(1) != drawn(2)


def test_top_trims_labels(tmp_path: Path) -> None:
    rows = [Record("a", (Prediction("n1", "cat", 0.5), Prediction("n2", "dog", 0.4)))]
    path = write(tmp_path / "r.csv", rows, top=2)
    found: Iterator[Record] = select(path, top=1)
    assert [len(record.predictions) for record in found] == [1]
