"""Rows of a resumed run are in the order of its images, also if images were added or removed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import FakeEngine, draw
from tests.runs.helpers import Invoke, cut, run

pytestmark = pytest.mark.usefixtures("fake_engine")


@pytest.mark.parametrize("args", [(), ("--long",), ("--shard", "1/1")])
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_rows_of_new_photos_are_put_in_order(
    album: Path, invoke: Invoke, name: str, args: tuple[str, ...]
) -> None:
    args = () if name == "a.jsonl" and args == ("--long",) else args
    run(invoke, name, *args)
    for i, new in enumerate(("album/0.png", "album/b.png", "album/sub/zz.png", "album/new/n.png")):
        draw(album / new, (i + 100, 9, 0), (8, 8))
    run(invoke, name, *args, "--resume")
    run(invoke, f"fresh-{name}", *args)
    assert (album / name).read_bytes() == (album / f"fresh-{name}").read_bytes()


@pytest.mark.parametrize("args", [(), ("--shard", "1/1")])
def test_rows_of_deleted_photos_keep_their_places(
    album: Path, invoke: Invoke, args: tuple[str, ...]
) -> None:
    run(invoke, "a.jsonl", *args)
    before = [json.loads(line)["path"] for line in (album / "a.jsonl").read_text().splitlines()]
    for gone in ("a.png", "com,ma.png", "sub/z.png"):
        (album / "album" / gone).unlink()
    draw(album / "album" / "b.png", (8, 8, 8), (8, 8))
    run(invoke, "a.jsonl", *args, "--resume")
    rows = [json.loads(line) for line in (album / "a.jsonl").read_text().splitlines()]
    after = [row["path"] for row in rows]
    assert [path for path in after if path != "album/b.png"] == before
    assert after.index("album/b.png") == before.index("album/a.png") + 1
    if args:
        assert [row["position"] for row in rows if row["position"] is not None] == list(range(7))


def test_errors_are_retried_on_request(album: Path, invoke: Invoke) -> None:
    run(invoke, "a.csv")
    draw(album / "album" / "bad.jpg", (5, 9, 0), (8, 8))
    before = (album / "a.csv").read_bytes()
    run(invoke, "a.csv", "--resume")
    assert (album / "a.csv").read_bytes() == before
    run(invoke, "a.csv", "--resume", "--retry-errors")
    run(invoke, "b.csv")
    assert (album / "a.csv").read_bytes() == (album / "b.csv").read_bytes() != before


@pytest.mark.parametrize("args", [("--alpha", "0.5"), ("--fit", "pad")])
def test_a_refused_run_keeps_rows_of_errors(
    album: Path, invoke: Invoke, args: tuple[str, ...]
) -> None:
    run(invoke, "a.csv")
    whole = (album / "a.csv").read_bytes()
    run(invoke, "a.csv", "--resume", "--retry-errors", *args, code=2)
    assert (album / "a.csv").read_bytes() == whole


def test_errors_of_photos_outside_the_inputs_are_kept(album: Path, invoke: Invoke) -> None:
    run(invoke, "a.csv")
    whole = (album / "a.csv").read_bytes()
    (album / "empty").mkdir()
    args = ("-q", "-k", "2", "-o", "a.csv", "--resume", "--retry-errors")
    assert invoke("classify", "empty", *args).exit_code == 4
    assert (album / "a.csv").read_bytes() == whole
    draw(album / "album" / "bad.jpg", (5, 9, 0), (8, 8))
    draw(album / "album" / "sub" / "worse.jpg", (6, 9, 0), (8, 8))
    assert invoke("classify", "album/sub", *args).exit_code == 4  # bad.jpg is still an error
    result = invoke("classify", "album", *args[1:])
    assert result.exit_code == 0 and "Kept       8 rows from earlier runs" in result.stderr
    run(invoke, "b.csv", code=0)
    assert (album / "a.csv").read_bytes() == (album / "b.csv").read_bytes()


@pytest.mark.parametrize("retry", [(), ("--retry-errors",)])
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_killed_retry_of_errors_leaves_no_duplicate_rows(
    album: Path, invoke: Invoke, fake_engine: FakeEngine, name: str, retry: tuple[str, ...]
) -> None:
    run(invoke, name)
    before = (album / name).read_bytes()
    draw(album / "album" / "bad.jpg", (5, 9, 0), (8, 8))
    run(invoke, f"new-{name}")
    row = next(x for x in (album / f"new-{name}").read_bytes().split(b"\n") if b"bad.jpg" in x)
    cut(album / name, before + row + b"\n", 10**6)  # as SIGKILL leaves it
    fake_engine.batches.clear()
    run(invoke, name, "--resume", *retry)
    assert not fake_engine.batches
    assert (album / name).read_bytes() == (album / f"new-{name}").read_bytes()
