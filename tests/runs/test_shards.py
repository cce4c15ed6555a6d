"""Every image is in one shard, the same on every machine."""

from __future__ import annotations

import pytest

from mnv2cli.errors import InputError
from mnv2cli.records import Source
from mnv2cli.runs.shards import Shard, shard_number


def test_a_shard_is_written_as_its_number_and_the_count() -> None:
    assert Shard.parse("2/8") == Shard(2, 8) and str(Shard(2, 8)) == "2/8"
    for text in (
        "0/3",
        "4/3",
        "1",
        "1/",
        "/2",
        "a/b",
        "1/0",
        "-1/2",
        "1/2/3",
        "1/999999",
        "²/3",
        "",
    ):
        with pytest.raises(InputError, match="is not a shard"):
            Shard.parse(text)


def test_the_shard_of_a_path_is_the_same_on_every_machine() -> None:
    # Never change these: results of older versions are merged with those of newer ones.
    assert [shard_number(f"photos/{i}.jpg", 5) for i in range(10)] == [1, 5, 1, 1, 3, 3, 4, 3, 1, 2]
    assert shard_number("./photos//1.jpg", 99) == shard_number("photos/1.jpg", 99)
    assert shard_number("caf\u00e9.jpg", 999) == shard_number("cafe\u0301.jpg", 999)
    assert shard_number("s3://a//b.jpg", 9999) != shard_number("s3://a/b.jpg", 9999)
    counts = [0] * 8
    for i in range(8000):
        counts[shard_number(f"img{i}.jpg", 8) - 1] += 1
    assert min(counts) > 900 and max(counts) < 1100


def test_every_source_is_in_one_shard_with_its_position() -> None:
    sources = [Source(f"{i}.jpg") for i in range(50)]
    found = [s for i in range(1, 4) for s in Shard(i, 3).of(sources)]
    assert sorted((s.position, s.path) for s in found) == [
        (i, s.path) for i, s in enumerate(sources)
    ]
