"""An interrupted run is resumed; its file equals that of an uninterrupted run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from mnv2cli.results.check import log_path
from mnv2cli.results.formats import Row
from mnv2cli.results.schema import Layout
from mnv2cli.runs.kept import row_access
from mnv2cli.runs.resume import Resumed
from tests.conftest import FakeEngine, draw
from tests.runs.helpers import Invoke, cut, events, run

pytestmark = pytest.mark.usefixtures("fake_engine")


@pytest.mark.parametrize(
    ("name", "args"),
    [("a.csv", ()), ("a.csv", ("--long",)), ("a.csv", ("--csv-safe",)), ("a.jsonl", ()),
     ("a.csv", ("--shard", "1/2")), ("a.jsonl", ("--category",))],
)  # fmt: skip
def test_a_file_truncated_anywhere_is_completed(
    album: Path, invoke: Invoke, name: str, args: tuple[str, ...]
) -> None:
    run(invoke, name, *args)
    output, whole = album / name, (album / name).read_bytes()
    ends = {0, 1, len(whole) - 1, len(whole)} | set(range(0, len(whole), 83))
    for end in sorted(ends):
        cut(output, whole, end)
        run(invoke, name, *args, "--resume")
        assert output.read_bytes() == whole, end


@pytest.mark.parametrize("format", ["csv", "jsonl"])
@pytest.mark.parametrize("long", [False, True])
def test_complete_rows_of_a_truncated_file_are_kept(
    album: Path, invoke: Invoke, format: str, long: bool
) -> None:
    if long and format == "jsonl":
        pytest.skip("long is for csv")
    name = f"a.{format}"
    run(invoke, name, *(["--long"] if long else []))
    output, layout = album / name, Layout(format, 2, long)
    whole = output.read_bytes()
    rows = [row for row in row_access(layout).scan(str(output), layout) if row]
    assert len(rows) == 9 and rows[-1].end == len(whole)
    for end in range(len(whole)):
        output.write_bytes(whole[:end])
        resumed = Resumed(str(output), layout, ".", whole=False, retry_errors=False)
        assert output.read_bytes() == whole[:end]  # unchanged before clean()
        resumed.clean()
        left = output.read_bytes()
        assert whole.startswith(left)
        whole_rows = sum(row.end <= end for row in rows)
        # The last image of a long table may lack rows, which cannot be detected.
        assert resumed.kept in ((whole_rows, whole_rows - 1) if long else (whole_rows,))
        assert left == whole[: (*rows, Row("", "", None, end, end))[resumed.kept].start] or (
            not resumed.kept
        )


def test_only_images_without_a_row_are_classified(
    album: Path, invoke: Invoke, fake_engine: FakeEngine
) -> None:
    run(invoke, "a.csv")
    whole = (album / "a.csv").read_bytes()
    fake_engine.batches.clear()
    cut(album / "a.csv", whole, len(whole) - 3)
    result = invoke("classify", "album", "-k", "2", "-o", "a.csv", "--resume")
    assert sum(fake_engine.batches) == 1
    assert "Kept       8 rows from earlier runs" in result.stderr
    assert "Classifying the images of 1 damaged or incomplete row again" in result.stderr
    assert result.exit_code == 4  # of the rows that were kept
    fake_engine.batches.clear()
    result = invoke("classify", "album", "-k", "2", "-o", "a.csv", "--resume")
    assert "Images     nothing new to classify" in result.stderr and result.exit_code == 4
    assert not fake_engine.batches and (album / "a.csv").read_bytes() == whole
    assert events(album / "a.csv") == ["begin", "resume", "finished", "finished"]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_only_a_damaged_row_is_replaced(
    album: Path, invoke: Invoke, fake_engine: FakeEngine, name: str
) -> None:
    run(invoke, name)
    output = album / name
    whole = output.read_bytes()
    row = whole.index(b"a.png")
    for damage in (b"\0" * 40, b'"', b"{\n,,,\n"):
        output.write_bytes(whole[: row + 3] + damage + whole[row + 3 + len(damage) :])
        fake_engine.batches.clear()
        run(invoke, name, "--resume")
        assert output.read_bytes() == whole, damage
        assert sum(fake_engine.batches) <= 2


def test_results_among_the_images_are_skipped(album: Path, invoke: Invoke) -> None:
    run(invoke, "album/a.csv", "--all-files")
    whole = (album / "album" / "a.csv").read_bytes()
    assert b"a.csv" not in whole
    cut(album / "album" / "a.csv", whole, len(whole) // 2)
    run(invoke, "album/a.csv", "--all-files", "--resume")
    assert (album / "album" / "a.csv").read_bytes() == whole


@pytest.mark.parametrize("command", ["classify", "sort"])
def test_results_and_logs_of_other_runs_are_not_images(
    album: Path, invoke: Invoke, command: str
) -> None:
    run(invoke, "album/a.csv")
    args = ("album", "--all-files", "--hidden")
    if command == "classify":
        assert "a.csv" not in invoke("classify", *args, "-f", "csv").stdout
        return
    plan = invoke("sort", *args, "--by", "label", "--into", "sorted", "--dry-run", "-v")
    assert "bad.jpg" in plan.stdout and "a.csv" not in plan.stdout
    lines = [line for line in plan.stderr.splitlines() if "a.csv" in line]
    assert lines == [
        "skipped    album/.a.csv.mnv2: results of mnv2",
        "skipped    album/a.csv: results of mnv2",
    ]


def test_an_image_beside_a_file_named_like_a_log_is_classified(album: Path, invoke: Invoke) -> None:
    for name in ("y", "z.mnv2"):
        shutil.copy(album / "album" / "a.png", album / name)
    (album / "y.mnv2").touch()
    (album / ".z.mnv2.mnv2").write_text("my notes")
    result = invoke("classify", "y", "z.mnv2", "-f", "csv", "-k", "1")
    assert [line.split(",")[:2] for line in result.stdout.splitlines()[1:]] == [
        ["y", "ok"],
        ["z.mnv2", "ok"],
    ]
    run(invoke, "a.csv")
    result = invoke("classify", "a.csv", "y", "-f", "csv")
    assert result.stdout.count("\n") == 2 and "Skipped    1: results of mnv2 1" in result.stderr


def test_relative_paths_are_not_resumed_from_another_folder(
    album: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(invoke, "a.csv")
    monkeypatch.chdir(album / "album")
    args = ("classify", "../album", "-q", "-k", "2", "-o", "../a.csv", "--resume")
    result = invoke(*args)
    assert result.exit_code == 2 and f"are relative to {str(album)!r}" in result.stderr
    # Another spelling of the same path is accepted.
    monkeypatch.chdir(album)
    whole = (album / "a.csv").read_bytes()
    args = ("classify", f"./{album.name}/../album/", "-q", "-k", "2", "-o", "a.csv", "--resume")
    (album / album.name).mkdir()
    assert invoke(*args).exit_code == 4
    assert (album / "a.csv").read_bytes() == whole


def test_a_moved_folder_is_resumed(
    album: Path, invoke: Invoke, tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    run(invoke, "a.csv")
    whole = (album / "a.csv").read_bytes()
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "x"
    monkeypatch.chdir("/")
    shutil.move(album, elsewhere)
    monkeypatch.chdir(elsewhere)
    cut(elsewhere / "a.csv", whole, len(whole) - 5)
    run(invoke, "a.csv", "--resume")
    assert (elsewhere / "a.csv").read_bytes() == whole


@pytest.mark.parametrize("gone", [(2,), (3, 4), (5,), (4, 5)])
def test_an_image_of_a_long_table_that_lacks_ranks_is_replaced(
    album: Path, invoke: Invoke, gone: tuple[int, ...]
) -> None:
    for damage in (b"", b"\0" * 50 + b"\n"):
        args = ("classify", "album", "-q", "-o", "a.csv", "--long")
        assert invoke(*args, "--force").exit_code == 4
        whole = (album / "a.csv").read_bytes()
        lines = whole.splitlines(keepends=True)
        first = next(i for i, line in enumerate(lines) if line.startswith(b"album/a.png,ok,1,"))
        for rank in gone:
            lines[first + rank - 1] = damage
        if gone[-1] == 5 and not damage:
            continue  # cannot be distinguished from an image with fewer predictions
        cut(album / "a.csv", b"".join(lines), 10**6)
        assert invoke(*args, "--resume").exit_code == 4
        assert (album / "a.csv").read_bytes() == whole


def test_the_same_name_in_another_folder_is_another_image(
    album: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    absolute = str(draw(album / "x.png"))
    args = ("-q", "-o", str(album / "o.csv"))
    for folder in ("A", "B"):
        draw(album / folder / "y.png", (len(folder), 9, 0))
    monkeypatch.chdir(album / "A")
    assert invoke("classify", absolute, "y.png", *args).exit_code == 0
    monkeypatch.chdir(album / "B")
    result = invoke("classify", absolute, "y.png", *args, "--resume")
    assert result.exit_code == 2 and "are relative to" in result.stderr


def test_paths_that_are_invalid_are_resumed(album: Path, invoke: Invoke) -> None:
    listed = b"album/a.png\nalbum/\0.png\nalbum/sub/z.png\n"
    args = ("classify", "--files-from", "-", "-q", "-o")
    for name, long in (("a.csv", ()), ("a.csv", ("--long",)), ("a.jsonl", ())):
        assert invoke(*args, name, *long, "--force", input=listed).exit_code == 4
        whole = (album / name).read_bytes()
        for end in range(0, len(whole), 40):
            cut(album / name, whole, end)
            assert invoke(*args, name, *long, "--resume", input=listed).exit_code == 4
            assert (album / name).read_bytes() == whole


def test_a_dangling_link_is_resumed(album: Path, invoke: Invoke) -> None:
    (album / "link.csv").symlink_to("real.csv")
    run(invoke, "link.csv", "--resume")
    whole = (album / "real.csv").read_bytes()
    cut(album / "real.csv", whole, len(whole) - 4)
    run(invoke, "link.csv", "--resume")
    assert (album / "real.csv").read_bytes() == whole and (album / "link.csv").is_symlink()


def test_hostile_results_cause_no_traceback(album: Path, invoke: Invoke) -> None:
    run(invoke, "a.jsonl")
    run(invoke, "a.csv")
    lines = (
        b'{"path": "\\ud800x", "status": "ok", "error": null, "predictions": []}\n',
        b"[" * 100_000 + b"\n", b"null\n", b'{"path": 7, "status": "ok", "error": 7}\n',
    )  # fmt: skip
    for name, text in (("a.jsonl", b"".join(lines)), ("a.csv", b'"' + b"\n" * 200_000)):
        whole = (album / name).read_bytes()
        cut(album / name, whole + text, 10**7)
        run(invoke, name, "--resume")
        assert (album / name).read_bytes() == whole


def test_the_temporary_file_of_a_killed_run_is_removed(album: Path, invoke: Invoke) -> None:
    run(invoke, "a.csv")
    (album / ".a.csv.x1y2.part").write_text("left")
    draw(album / "album" / "0.png")
    run(invoke, "a.csv", "--resume")
    assert not list(album.glob(".*.part"))


def test_int8_of_a_list_is_calibrated_on_the_whole_list(
    album: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = []

    def opened(options: Any, network: Any, calibration: Any, notice: Any) -> FakeEngine:
        keys.append(calibration.key)
        return FakeEngine()

    monkeypatch.setattr("mnv2cli.inference.classifier.open_engine", opened)
    listed = "".join(f"album/{name}\n" for name in ("a.png", "com,ma.png", "sub/z.png", "bad.jpg"))
    args = ("classify", "--files-from", "-", "-q", "--precision", "int8", "-o")
    assert invoke(*args, "a.csv", input=listed).exit_code == 4
    whole = (album / "a.csv").read_bytes()
    cut(album / "a.csv", whole, len(whole) - 300)
    assert invoke(*args, "a.csv", "--resume", input=listed).exit_code == 4
    for i in (1, 2):
        shard = (f"part{i}.csv", "--shard", f"{i}/2")
        assert invoke(*args, *shard, input=listed).exit_code in (0, 4)
    assert len(set(keys)) == 1 and len(keys) == 4
    assert (album / "a.csv").read_bytes() == whole


def _events_of(album: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line) for line in Path(log_path(str(album / "a.csv"))).read_text().splitlines()
    ]


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ((), ("--accurate",), "written without --accurate, now with --accurate"),
        (("--accurate",), (), "written with --accurate, now without --accurate"),
    ],
)
def test_a_run_is_not_resumed_with_another_accuracy(
    album: Path,
    invoke: Invoke,
    fake_engine: FakeEngine,
    first: tuple[str, ...],
    second: tuple[str, ...],
    message: str,
) -> None:
    run(invoke, "a.csv", *first)
    whole = (album / "a.csv").read_bytes()
    fake_engine.batches.clear()
    result = run(invoke, "a.csv", *second, "--resume", code=2)
    assert message in result.stderr and not fake_engine.batches
    cut(album / "a.csv", whole, len(whole) // 2)
    run(invoke, "a.csv", *first, "--resume")
    assert (album / "a.csv").read_bytes() == whole


def test_a_log_of_an_earlier_version_is_resumed_without_accurate_only(
    album: Path, invoke: Invoke
) -> None:
    run(invoke, "a.csv")
    whole = (album / "a.csv").read_bytes()
    begin = _events_of(album)[0]
    del begin["settings"]["accurate"]
    cut(album / "a.csv", whole, len(whole) // 2)
    Path(log_path(str(album / "a.csv"))).write_text(json.dumps(begin) + "\n")
    result = run(invoke, "a.csv", "--accurate", "--resume", code=2)
    assert "with model mobilenet_v2_1.0_224, now with model mobilenet_v2_1.0_224_accurate" in (
        result.stderr
    )
    run(invoke, "a.csv", "--resume")
    assert (album / "a.csv").read_bytes() == whole
