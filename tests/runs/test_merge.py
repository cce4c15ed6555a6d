"""The merged results of shards equal those of one run."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from mnv2cli.results.formats import FORMATS
from tests.conftest import draw
from tests.runs.helpers import Invoke

pytestmark = pytest.mark.usefixtures("fake_engine")


@pytest.fixture
def album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for i in range(12):
        draw(tmp_path / "album" / f"img{i}.png", (i, 9, 0), (8, 8))
        draw(tmp_path / "album" / "sub" / f"{i},\n'=.png", (i + 50, 9, 0), (8, 8))
    (tmp_path / "album" / "img3.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return tmp_path


def shards(invoke: Invoke, format: str, count: int, *args: str) -> list[str]:
    names = []
    for i in range(1, count + 1):
        names.append(f"part{i}.{format}")
        result = invoke(
            "classify", "album", "-q", "-k", "2", "--shard", f"{i}/{count}", "-o", names[-1],
            "--force", *args,
        )  # fmt: skip
        assert result.exit_code in (0, 4), result.stderr
    return names


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    "args", [(), ("--category", "--rollup", "0.5"), ("--long",), ("--csv-safe",)]
)
def test_merged_shards_equal_one_run_byte_for_byte(
    album: Path, invoke: Invoke, format: str, args: tuple[str, ...]
) -> None:
    if ("--long" in args and "json" in format) or ("--csv-safe" in args and format != "csv"):
        pytest.skip("not for this format")
    names = shards(invoke, format, 3, *args)
    assert invoke("classify", "album", "-q", "-k", "2", "-o", f"one.{format}", *args).exit_code == 4
    result = invoke("merge", *reversed(names), "-o", f"all.{format}")
    assert result.exit_code == 0, result.stderr
    assert (album / f"all.{format}").read_bytes() == (album / f"one.{format}").read_bytes()
    assert "Joined     24 rows of 3 shards" in result.stderr


def test_shards_of_several_formats_are_joined_and_resumed(album: Path, invoke: Invoke) -> None:
    names = shards(invoke, "parquet", 3)[:1] + shards(invoke, "csv", 3)[1:2]
    names += shards(invoke, "jsonl", 3)[2:]
    assert invoke("merge", *names, "-q", "-o", "all.csv").exit_code == 0
    draw(album / "album" / "new.png", (3, 3, 3), (8, 8))
    args = ("classify", "album", "-q", "-k", "2", "-o")
    assert invoke(*args, "all.csv", "--resume").exit_code == 4
    assert invoke(*args, "one.csv").exit_code == 4
    assert (album / "all.csv").read_bytes() == (album / "one.csv").read_bytes()


def test_patterns_that_the_shell_has_not_expanded_are_joined(album: Path, invoke: Invoke) -> None:
    shards(invoke, "csv", 3)
    result = invoke("merge", "part*.csv", "-o", "all-rows.csv")
    assert result.exit_code == 0, result.stderr
    assert "Joined     24 rows of 3 shards" in result.stderr
    result = invoke("merge", "none*.csv", "-o", "new.csv")
    assert result.exit_code == 2 and "'none*.csv' is not a file" in result.stderr


def test_with_more_shards_than_images_some_are_empty(album: Path, invoke: Invoke) -> None:
    names = shards(invoke, "csv", 60)
    assert invoke("merge", *names, "-q", "-o", "all.csv").exit_code == 0
    assert len((album / "all.csv").read_text().split("album/")) == 25
    assert invoke("classify", "nowhere*", "-q", "--shard", "1/2", "-o", "x.csv").exit_code == 3


@pytest.mark.parametrize("format", FORMATS)
def test_a_missing_or_duplicate_shard_is_refused(album: Path, invoke: Invoke, format: str) -> None:
    names = shards(invoke, format, 3)
    result = invoke("merge", *names[:2], "-o", f"all.{format}")
    assert result.exit_code == 2 and "Error: missing shard 3 of 3" in result.stderr
    result = invoke("merge", *names, names[0], "-o", f"all.{format}")
    assert result.exit_code == 2 and "are both shard 1/3" in result.stderr
    result = invoke("merge", *names, "-o", names[0], "--force")
    assert result.exit_code == 2 and "is also an input" in result.stderr
    assert not list(album.glob("*all*"))
    result = invoke("merge", "--partial", *names[:2], "-o", f"all.{format}")
    assert result.exit_code == 0 and "Warning: missing shard 3 of 3" in result.stderr
    assert "Warning: missing 9 of 24 rows: " in result.stderr


def test_missing_shards_and_rows_are_summarized(album: Path, invoke: Invoke) -> None:
    names = shards(invoke, "csv", 60)
    found = [name for name in names if (album / name).read_text().count("\n") > 1]
    for name in found[:2]:
        log = album / f".{name}.mnv2"
        log.write_text(log.read_text().splitlines()[0] + "\n")
    result = invoke("merge", "--partial", *found[:9], "-o", "all.csv")
    warnings = [line for line in result.stderr.splitlines() if line.startswith("Warning: ")]
    assert result.exit_code == 0 and len(warnings) == 3
    assert re.match(
        r"Warning: missing 51 of 60 shards: (\d+(-\d+)?, ){4}.* more ranges$", warnings[0]
    )
    assert warnings[1] == f"Warning: 2 shards not finished: {found[0]!r}, {found[1]!r}"
    rows = (album / "all.csv").read_text().count("album/")
    assert warnings[2].startswith(f"Warning: missing {24 - rows} of 24 rows: ")
    result = invoke("merge", *found[:9], "-o", "none.csv")
    assert result.exit_code == 2 and len(result.stderr.splitlines()) == 3


def test_shards_written_among_the_photos_are_joined(album: Path, invoke: Invoke) -> None:
    args = ("classify", "album", "-q", "-k", "2", "--all-files", "--hidden")
    for form in ("csv", "parquet"):
        parts = [f"album/part{i}.{form}" for i in (1, 2, 3)]
        for i, part in enumerate(parts, 1):
            (album / "album" / f".part{i}.{form}.x7k2.part").touch()  # as a killed run leaves it
            assert invoke(*args, "--shard", f"{i}/3", "-o", part).exit_code in (0, 4)
        assert invoke(*args, "--shard", "1/3", "-o", parts[0], "--force").exit_code in (0, 4)
        result = invoke("merge", *parts, "-q", "-o", "all.csv", "--force")
        assert result.exit_code == 0, result.stderr
        rows = (album / "all.csv").read_text()
        assert "part" not in rows and rows.count("album/") == 24


def test_shards_that_do_not_belong_together_are_refused(album: Path, invoke: Invoke) -> None:
    names = shards(invoke, "csv", 3)
    for args, words in (
        (("--shard", "3/4"), "written with --shard 3/4, the second with --shard 1/3"),
        (("--shard", "3/3", "--fit", "pad"), "written with --fit pad, the second with --fit crop"),
        (
            ("--shard", "3/3", "--min-margin", "0.2"),
            "with --min-margin 0.2, the second with --min-margin 0.0",
        ),
        (
            ("--shard", "3/3", "--alpha", "0.5"),
            "with model mobilenet_v2_0.5_224, the second with model mobilenet_v2_1.0_224",
        ),
    ):
        invoke("classify", "album", "-q", "-k", "2", *args, "-o", "other.csv", "--force")
        result = invoke("merge", *names[:2], "other.csv", "-o", "all.csv")
        assert result.exit_code == 2 and words in result.stderr
    invoke("classify", "album", "-q", "-o", "one.csv")
    assert "is not the results of a shard" in invoke("merge", "one.csv", "-o", "all.csv").stderr
    (album / ".part1.csv.mnv2").unlink()
    assert "Copy the run log" in invoke("merge", *names, "-o", "all.csv").stderr
    (album / "part1.csv").unlink()
    assert "'part1.csv' is not a file" in invoke("merge", *names, "-o", "all.csv").stderr
    assert not (album / "all.csv").exists()


def test_an_incomplete_shard_is_refused(album: Path, invoke: Invoke) -> None:
    names = shards(invoke, "jsonl", 2)
    part, log = album / "part1.jsonl", album / ".part1.jsonl.mnv2"
    whole, events = part.read_text(), log.read_text()
    log.write_text(events.splitlines()[0] + "\n")
    assert "1 shard not finished: " in invoke("merge", *names, "-o", "all.csv").stderr
    log.write_text(events)
    lines = whole.splitlines(keepends=True)
    log.write_text(events.replace('"bytes"', '"x"'))
    for content, words in (
        ("".join(lines[:-1]), "row"),
        ("".join(lines[1:]), "row"),
        ("".join(lines[:3] + lines[2:]), "is not in order"),
        ("".join(reversed(lines)), "missing "),
        (whole.replace('"album/', '"album/x'), "does not belong to shard 1/2"),
        (whole[:-50], "is damaged"),
    ):
        part.write_text(content)
        result = invoke("merge", *names, "-o", "all.csv")
        assert result.exit_code == 2 and words in result.stderr, words
        assert not (album / "all.csv").exists()


@pytest.mark.parametrize("rank", [2, 5])
def test_a_lost_rank_of_a_long_shard_is_detected(album: Path, invoke: Invoke, rank: int) -> None:
    for i in (1, 2):
        args = ("--long", "--shard", f"{i}/2", "-o", f"part{i}.csv")
        assert invoke("classify", "album", "-q", *args).exit_code in (0, 4)
    part = album / "part1.csv"
    lines = part.read_bytes().splitlines(keepends=True)
    gone = next(i for i, line in enumerate(lines) if f",ok,{rank},".encode() in line)
    part.write_bytes(b"".join(lines[:gone] + lines[gone + 1 :]))
    result = invoke("merge", "part1.csv", "part2.csv", "-o", "all.csv")
    assert (
        result.exit_code == 2
        and "1 shard changed after the run finished: 'part1.csv'" in result.stderr
    )
    result = invoke("merge", "--partial", "part1.csv", "part2.csv", "-o", "all.csv")
    assert (result.exit_code == 2) == (rank == 2)


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_a_truncated_row_is_not_joined(album: Path, invoke: Invoke, format: str) -> None:
    names = shards(invoke, format, 2)
    part, log = album / names[1], album / f".{names[1]}.mnv2"
    whole = part.read_bytes()
    log.write_text(log.read_text().splitlines()[0] + "\n")
    last = whole.splitlines(keepends=True)[-1]
    for end in range(len(whole) - len(last), len(whole)):
        part.write_bytes(whole[:end])
        result = invoke("merge", "--partial", *names, "-o", "all.jsonl", "--force")
        assert result.exit_code == 0 and "1 shard not finished: " in result.stderr
        assert len((album / "all.jsonl").read_text().splitlines()) == 23


def test_hostile_shards_cause_no_traceback(album: Path, invoke: Invoke) -> None:
    names = shards(invoke, "jsonl", 2)
    log, part = album / ".part1.jsonl.mnv2", album / "part1.jsonl"
    events, rows = log.read_text(), part.read_text()
    for top in ('"abc"', "null", "[]", "1e400", "300000000", "true", "-1", "1"):
        log.write_text(events.replace('"top": 2', f'"top": {top}'))
        (album / ".part2.jsonl.mnv2").write_text(
            (album / ".part2.jsonl.mnv2").read_text().replace('"top": 2', f'"top": {top}')
        )
        result = invoke("merge", *names, "-o", "all.csv")
        assert result.exit_code == 2 and result.stderr.startswith("Error: "), top
        shards(invoke, "jsonl", 2)
    log.write_text("\n".join(x for x in events.replace('"bytes"', '"x"').splitlines()) + "\n")
    for old, new in (
        ('"label": "', '"label": "\\ud800'),
        ('"model": "', '"model": {"a": 1}, "x": "'),
        ('"predictions": [', '"predictions": 3, "x": ['),
        ('"position": ', '"position": true, "x": '),
        ('"position": ', '"position": "'),
    ):
        part.write_text(rows.replace(old, new))
        for format in ("csv", "jsonl", "parquet"):
            result = invoke("merge", *names, "-o", f"all.{format}")
            assert result.exit_code == 2 and result.stderr.startswith("Error: "), new
    log.unlink()
    os.mkfifo(log)
    assert "Not a regular file".lower() in invoke("merge", *names, "-o", "all.csv").stderr.lower()


def test_the_format_of_a_shard_comes_from_its_log(album: Path, invoke: Invoke) -> None:
    for i in (1, 2):
        args = ("-f", "csv", "--shard", f"{i}/2", "-o", f"part{i}.txt")
        assert invoke("classify", "album", "-q", *args).exit_code in (0, 4)
    assert invoke("merge", "part1.txt", "part2.txt", "-o", "all.jsonl").exit_code == 0


def test_more_shards_than_the_limit_of_open_files_are_joined(album: Path, invoke: Invoke) -> None:
    resource = pytest.importorskip("resource")
    names = shards(invoke, "csv", 40)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    opened = len(os.listdir("/dev/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (opened + 20, hard))
    try:
        assert invoke("merge", *names, "-q", "-o", "all.csv").exit_code == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_rows_of_deleted_photos_have_no_position(album: Path, invoke: Invoke) -> None:
    shards(invoke, "csv", 2)
    again = ("classify", "album", "-q", "-k", "2", "--resume", "--shard")
    for gone in ("img1", "img11", "img10", "img2"):
        (album / "album" / f"{gone}.png").unlink()
        for i in (1, 2):
            assert invoke(*again, f"{i}/2", "-o", f"part{i}.csv").exit_code in (0, 4)
    for i in range(3):
        draw(album / "album" / "sub" / f"z{i}.png", (i, 9, 0), (8, 8))
    for i in (1, 2):
        assert invoke(*again, f"{i}/2", "-o", f"part{i}.csv").exit_code in (0, 4)
    result = invoke("merge", "part1.csv", "part2.csv", "-o", "all.csv")
    assert result.exit_code == 0, result.stderr
    assert "27 rows" in result.stderr  # including those of deleted photos


def test_photos_added_between_shards_are_detected(album: Path, invoke: Invoke) -> None:
    names = shards(invoke, "csv", 3)
    draw(album / "album" / "0.png", (3, 3, 3), (8, 8))
    again = ("classify", "album", "-q", "-k", "2", "--resume", "--shard")
    assert invoke(*again, "2/3", "-o", "part2.csv").exit_code in (0, 4)
    result = invoke("merge", *names, "-o", "all.csv")
    assert result.exit_code == 2
    assert "with --resume" in result.stderr
    for i in (1, 3):
        assert invoke(*again, f"{i}/3", "-o", f"part{i}.csv").exit_code in (0, 4)
    assert invoke("merge", *names, "-q", "-o", "all.csv").exit_code == 0
    invoke("classify", "album", "-q", "-k", "2", "-o", "one.csv")
    assert (album / "all.csv").read_bytes() == (album / "one.csv").read_bytes()


def test_rows_of_shards_have_positions(album: Path, invoke: Invoke) -> None:
    names = shards(invoke, "jsonl", 2)
    rows = [json.loads(line) for name in names for line in (album / name).read_text().splitlines()]
    assert sorted(row["position"] for row in rows) == list(range(24))
    result = invoke("classify", "album", "-q", "--shard", "1/2", "-f", "csv")
    assert result.stdout.splitlines()[0].endswith(",error,model,position")


def test_shards_with_and_without_accurate_are_refused(album: Path, invoke: Invoke) -> None:
    for number, args in ((1, ()), (2, ("--accurate",))):
        shard = ("--shard", f"{number}/2", "-o", f"part{number}.csv")
        assert invoke("classify", "album", "-q", *shard, *args).exit_code in (0, 4)
    result = invoke("merge", "part1.csv", "part2.csv", "-o", "all.csv")
    assert result.exit_code == 2 and "are not shards of one run" in result.stderr
    assert "with --accurate" in result.stderr and "without --accurate" in result.stderr
