"""Many numbers are written as a few ranges."""

from __future__ import annotations

from mnv2cli.runs.ranges import missing_text, names_text, ranges_of


def test_numbers_are_grouped_into_ranges() -> None:
    assert list(ranges_of([1, 2, 3, 7, 9, 10])) == [(1, 3), (7, 7), (9, 10)]
    assert list(ranges_of([])) == []


def test_missing_items_are_named_by_ranges() -> None:
    assert missing_text("row", [(7, 7)], 900) == "missing row 7 of 900"
    assert (
        missing_text("row", [(1, 1340), (2000, 2000)], 2000)
        == "missing 1,341 of 2,000 rows: 1-1,340, 2,000"
    )
    many = [(i, i) for i in range(1, 14, 2)]
    assert (
        missing_text("shard", many, 13) == "missing 7 of 13 shards: 1, 3, 5, 7, 9 and 2 more ranges"
    )
    assert missing_text("shard", many[:6], 13).endswith("9 and 1 more range")


def test_only_the_first_names_are_listed() -> None:
    assert names_text(["a", "b"]) == "'a', 'b'"
    assert names_text(list("abcdefg")) == "'a', 'b', 'c', 'd', 'e' and 2 more files"
