"""A run that was ended in any way is gone on with: the file is that of a run that was not."""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from mnv2cli.runs.log import RunLog
from mnv2cli.runs.resume import Layout, Resumed, Row, scan
from tests.cli.test_process import ENVIRONMENT, FAKE, start
from tests.conftest import FakeEngine, draw

pytestmark = pytest.mark.usefixtures("fake_engine")

Invoke = Callable[..., Result]
ODD = ["a.png", "new\nline.png", 'quo"te.png', "com,ma.png", "cr\r.png", os.fsdecode(b"\xe9.png")]


@pytest.fixture
def album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder ``album`` of odd names, two of them unreadable, below the current folder."""
    monkeypatch.chdir(tmp_path)
    for i, name in enumerate(ODD):
        draw(tmp_path / "album" / name, (i + 1, 9, 0), (8, 8))
    for name in ("bad.jpg", "sub/worse.jpg"):
        path = tmp_path / "album" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"\xff\xd8\xff no image")
    draw(tmp_path / "album" / "sub" / "z.png", (77, 9, 0), (8, 8))
    return tmp_path


def run(invoke: Invoke, output: str, *args: str, code: int = 4) -> Result:
    result = invoke("classify", "album", "-q", "-k", "2", "-o", output, *args)
    assert result.exit_code == code, result.stderr
    return result


def events(output: Path) -> list[str]:
    log = Path(f"{output}.mnv2").read_text().splitlines()
    return [json.loads(line)["event"] for line in log]


def cut(output: Path, whole: bytes, end: int) -> None:
    """Leave a file as kill -9 does: so many bytes, and a log without an end."""
    output.write_bytes(whole[:end])
    log = Path(f"{output}.mnv2")
    log.write_text(log.read_text().splitlines()[0] + "\n")


@pytest.mark.parametrize(
    ("name", "args"),
    [("a.csv", ()), ("a.csv", ("--long",)), ("a.csv", ("--csv-safe",)), ("a.jsonl", ()),
     ("a.csv", ("--shard", "1/2")), ("a.jsonl", ("--category",))],
)  # fmt: skip
def test_a_file_cut_anywhere_is_completed(
    album: Path, invoke: Invoke, name: str, args: tuple[str, ...]
) -> None:
    run(invoke, name, *args)
    output, whole = album / name, (album / name).read_bytes()
    ends = {0, 1, len(whole) - 1, len(whole)} | set(range(0, len(whole), 83))
    for end in sorted(ends):
        cut(output, whole, end)
        run(invoke, name, *args, "--resume")
        assert output.read_bytes() == whole, end


@pytest.mark.parametrize("form", ["csv", "jsonl"])
@pytest.mark.parametrize("long", [False, True])
def test_what_is_left_of_a_cut_file_is_whole_rows(
    album: Path, invoke: Invoke, form: str, long: bool
) -> None:
    if long and form == "jsonl":
        pytest.skip("long is for csv")
    name = f"a.{form}"
    run(invoke, name, *(["--long"] if long else []))
    output, layout = album / name, Layout(form, 2, long)
    whole = output.read_bytes()
    rows = [row for row in scan(str(output), layout) if row]
    assert len(rows) == 9 and rows[-1].end == len(whole)
    for end in range(len(whole)):
        output.write_bytes(whole[:end])
        resumed = Resumed(str(output), layout, ".", whole=False, retry_errors=False)
        assert output.read_bytes() == whole[:end]  # nothing is changed before it is decided
        resumed.clean()
        left = output.read_bytes()
        assert whole.startswith(left)
        whole_rows = sum(row.end <= end for row in rows)
        # The last image of a long table may lack rows, which nobody can see.
        assert resumed.kept in ((whole_rows, whole_rows - 1) if long else (whole_rows,))
        assert left == whole[: (*rows, Row("", "", None, end, end))[resumed.kept].start] or (
            not resumed.kept
        )


def test_only_images_without_a_row_are_done(
    album: Path, invoke: Invoke, fake_engine: FakeEngine
) -> None:
    run(invoke, "a.csv")
    whole = (album / "a.csv").read_bytes()
    fake_engine.batches.clear()
    cut(album / "a.csv", whole, len(whole) - 3)
    result = invoke("classify", "album", "-k", "2", "-o", "a.csv", "--resume")
    assert sum(fake_engine.batches) == 1
    assert "Kept       8 that were there" in result.stderr
    assert "1 damaged or half-written rows are done again" in result.stderr
    assert result.exit_code == 4  # of the rows that were kept
    fake_engine.batches.clear()
    result = invoke("classify", "album", "-k", "2", "-o", "a.csv", "--resume")
    assert "Images     nothing was left to do" in result.stderr and result.exit_code == 4
    assert not fake_engine.batches and (album / "a.csv").read_bytes() == whole
    assert events(album / "a.csv") == ["begin", "resume", "finished", "finished"]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_damaged_row_is_done_again_and_no_other(
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


@pytest.mark.parametrize("args", [(), ("--long",), ("--shard", "1/1")])
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_new_photos_are_added_in_their_places(
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
def test_rows_of_photos_that_are_gone_stay_in_their_places(
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


def test_results_among_the_images_are_none_of_them(album: Path, invoke: Invoke) -> None:
    run(invoke, "album/a.csv", "--all-files")
    whole = (album / "album" / "a.csv").read_bytes()
    assert b"a.csv" not in whole
    cut(album / "album" / "a.csv", whole, len(whole) // 2)
    run(invoke, "album/a.csv", "--all-files", "--resume")
    assert (album / "album" / "a.csv").read_bytes() == whole


def test_errors_are_tried_again_on_request(album: Path, invoke: Invoke) -> None:
    run(invoke, "a.csv")
    draw(album / "album" / "bad.jpg", (5, 9, 0), (8, 8))
    before = (album / "a.csv").read_bytes()
    run(invoke, "a.csv", "--resume")
    assert (album / "a.csv").read_bytes() == before
    run(invoke, "a.csv", "--resume", "--retry-errors")
    run(invoke, "b.csv")
    assert (album / "a.csv").read_bytes() == (album / "b.csv").read_bytes() != before


@pytest.mark.parametrize(
    ("args", "difference"),
    [(("--top", "3"), "top was 2 and is now 3"),
     (("--fit", "pad", "--threshold", "0.5"),
      "threshold was 0.0 and is now 0.5; fit was crop and is now pad"),
     (("--category",), "categories was not given and is now"),
     (("--long",), "long was off and is now on"),
     (("--alpha", "0.5"), "model was mobilenet_v2_1.0_224 and is now mobilenet_v2_0.5_224"),
     (("--shard", "1/2"), "shard was not given and is now 1/2")],
)  # fmt: skip
def test_other_settings_are_refused_and_named(
    album: Path, invoke: Invoke, args: tuple[str, ...], difference: str
) -> None:
    run(invoke, "a.csv")
    whole = (album / "a.csv").read_bytes()
    cut(album / "a.csv", whole, len(whole) - 1)
    result = run(invoke, "a.csv", *args, "--resume", code=2)
    assert result.stderr.startswith("Error: 'a.csv' was begun otherwise: ")
    assert difference in result.stderr and "--force" in result.stderr
    left = (album / "a.csv").read_bytes()
    assert whole.startswith(left) and left.count(b"\n") >= whole.count(b"\n") - 1
    run(invoke, "a.csv", *args, "--force")


def test_results_without_a_log_are_refused(album: Path, invoke: Invoke) -> None:
    run(invoke, "a.csv")
    (album / "a.csv.mnv2").unlink()
    assert "does not say how it was made" in run(invoke, "a.csv", "--resume", code=2).stderr
    assert not (album / "a.csv.mnv2").exists()
    (album / "a.csv.mnv2").write_bytes(b'{"event": "begin", "sett')
    assert "does not say how it was made" in run(invoke, "a.csv", "--resume", code=2).stderr
    run(invoke, "new.csv", "--resume")  # nothing to go on with: it is begun
    assert (album / "new.csv").read_bytes() == (album / "a.csv").read_bytes()


@pytest.mark.parametrize(
    ("args", "words"),
    [(("-o", "a.json", "--resume"), ".csv or .jsonl"), (("--resume",), "with -o"),
     (("-o", "/dev/null", "-f", "csv", "--resume"), ".csv or .jsonl"),
     (("-o", "a.csv", "--retry-errors"), "add --resume"),
     (("-o", "a.csv", "--resume", "--force"), "choose one"),
     (("-o", "a.jsonl", "--csv-safe"), "--csv-safe is for csv")],
)  # fmt: skip
def test_what_cannot_be_gone_on_with_is_said(
    album: Path, invoke: Invoke, args: tuple[str, ...], words: str
) -> None:
    result = invoke("classify", "album", *args)
    assert result.exit_code == 2 and words in result.stderr
    assert not list(album.glob("a.*"))


def test_a_run_from_elsewhere_is_refused_for_relative_names(
    album: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(invoke, "a.csv")
    monkeypatch.chdir(album / "album")
    args = ("classify", "../album", "-q", "-k", "2", "-o", "../a.csv", "--resume")
    result = invoke(*args)
    assert result.exit_code == 2 and f"as seen from {str(album)!r}" in result.stderr
    # Names that only look different are the same.
    monkeypatch.chdir(album)
    whole = (album / "a.csv").read_bytes()
    args = ("classify", f"./{album.name}/../album/", "-q", "-k", "2", "-o", "a.csv", "--resume")
    (album / album.name).mkdir()
    assert invoke(*args).exit_code == 4
    assert (album / "a.csv").read_bytes() == whole


def test_a_moved_folder_is_gone_on_with(
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


def test_a_second_run_on_the_same_output_is_refused(album: Path, invoke: Invoke) -> None:
    log = RunLog("a.csv")
    for args in ((), ("--resume",), ("--force",)):
        assert "another mnv2 writes to 'a.csv'" in run(invoke, "a.csv", *args, code=2).stderr
    assert not (album / "a.csv").exists()
    log.close()
    assert not (album / "a.csv.mnv2").exists()
    run(invoke, "a.csv")


def test_other_libraries_are_warned_of(album: Path, invoke: Invoke) -> None:
    run(invoke, "a.csv")
    cut(album / "a.csv", (album / "a.csv").read_bytes(), 300)
    log = album / "a.csv.mnv2"
    begun = json.loads(log.read_text())
    begun["libraries"]["pillow"] = "1.0"
    log.write_text(json.dumps(begun) + "\n")
    assert "Warning: scores may move" in run(invoke, "a.csv", "--resume").stderr


def test_a_hostile_log_is_no_way_out(album: Path, invoke: Invoke) -> None:
    run(invoke, "a.csv")
    target = album / "victim"
    target.write_text("precious")
    (album / "a.csv.mnv2").unlink()
    (album / "a.csv.mnv2").symlink_to(target)
    assert "Warning: this run cannot be gone on with" in run(invoke, "a.csv", "--force").stderr
    assert "cannot be written" in run(invoke, "a.csv", "--resume", code=1).stderr
    assert target.read_text() == "precious"
    (album / "a.csv.mnv2").unlink()
    for text in (
        "[1]\n",
        '{"event": "begin", "settings": 3}\n',
        "[" * 100_000,
        "\0\n",
        '{"event": "begin", "settings": {"top": "\\u001b[31m"}, "folder": 7}\n',
    ):
        (album / "a.csv.mnv2").write_text(text)
        result = run(invoke, "a.csv", "--resume", code=2)
        assert "\x1b" not in result.stderr


@pytest.mark.parametrize("args", [("--alpha", "0.5"), ("--fit", "pad")])
def test_a_refused_run_leaves_rows_of_errors_alone(
    album: Path, invoke: Invoke, args: tuple[str, ...]
) -> None:
    run(invoke, "a.csv")
    whole = (album / "a.csv").read_bytes()
    run(invoke, "a.csv", "--resume", "--retry-errors", *args, code=2)
    assert (album / "a.csv").read_bytes() == whole


def test_errors_of_photos_that_are_not_looked_at_stay(album: Path, invoke: Invoke) -> None:
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
    assert result.exit_code == 0 and "Kept       8 that were there" in result.stderr
    run(invoke, "b.csv", code=0)
    assert (album / "a.csv").read_bytes() == (album / "b.csv").read_bytes()


@pytest.mark.parametrize("retry", [(), ("--retry-errors",)])
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_killed_try_of_errors_leaves_no_double_rows(
    album: Path, invoke: Invoke, fake_engine: FakeEngine, name: str, retry: tuple[str, ...]
) -> None:
    run(invoke, name)
    before = (album / name).read_bytes()
    draw(album / "album" / "bad.jpg", (5, 9, 0), (8, 8))
    run(invoke, f"new-{name}")
    row = next(x for x in (album / f"new-{name}").read_bytes().split(b"\n") if b"bad.jpg" in x)
    cut(album / name, before + row + b"\n", 10**6)  # as kill -9 leaves it
    fake_engine.batches.clear()
    run(invoke, name, "--resume", *retry)
    assert not fake_engine.batches
    assert (album / name).read_bytes() == (album / f"new-{name}").read_bytes()


@pytest.mark.parametrize("gone", [(2,), (3, 4), (5,), (4, 5)])
def test_an_image_of_a_long_table_that_lacks_ranks_is_done_again(
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
            continue  # nobody can tell it from one that has fewer
        cut(album / "a.csv", b"".join(lines), 10**6)
        assert invoke(*args, "--resume").exit_code == 4
        assert (album / "a.csv").read_bytes() == whole


def test_a_full_disk_in_a_long_table_costs_no_rank(tmp_path: Path) -> None:
    for i in range(9):
        draw(tmp_path / "p" / f"{i}.bmp", (i, 0, 0), (4, 4))
    args = ["classify", str(tmp_path / "p"), "-q", "--long", "-o"]
    output, whole = tmp_path / "out.csv", tmp_path / "whole.csv"
    assert ended(*args, str(whole)) == 0
    ends = [i + 1 for i, byte in enumerate(whole.read_bytes()) if byte == 10]
    for limit in (ends[12], ends[13] - 3):
        code = f"import resource as r\nr.setrlimit(r.RLIMIT_FSIZE, ({limit}, {limit}))\n"
        subprocess.run(
            [sys.executable, "-c", code + FAKE.format(delay=0), *args, str(output), "--force"],
            capture_output=True, check=False, env=ENVIRONMENT,
        )  # fmt: skip
        assert ended(*args, str(output), "--resume") == 0
        assert output.read_bytes() == whole.read_bytes()


def test_a_log_that_does_not_fit_on_the_disk_is_an_error(tmp_path: Path) -> None:
    draw(tmp_path / "p" / "1.bmp")
    args = ["classify", str(tmp_path / "p"), "-q", "-o", str(tmp_path / "a.csv")]
    code = "import resource as r\nr.setrlimit(r.RLIMIT_FSIZE, (300, 300))\n"
    result = subprocess.run(
        [sys.executable, "-c", code + FAKE.format(delay=0), *args],
        capture_output=True, text=True, check=False, env=ENVIRONMENT,
    )  # fmt: skip
    assert result.returncode == 1 and "cannot be written" in result.stderr
    assert ended(*args, "--resume") == 0


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
    assert result.exit_code == 2 and "as seen from" in result.stderr


def test_names_that_no_file_can_have_are_gone_on_with(album: Path, invoke: Invoke) -> None:
    listed = b"album/a.png\nalbum/\0.png\nalbum/sub/z.png\n"
    args = ("classify", "--files-from", "-", "-q", "-o")
    for name, long in (("a.csv", ()), ("a.csv", ("--long",)), ("a.jsonl", ())):
        assert invoke(*args, name, *long, "--force", input=listed).exit_code == 4
        whole = (album / name).read_bytes()
        for end in range(0, len(whole), 40):
            cut(album / name, whole, end)
            assert invoke(*args, name, *long, "--resume", input=listed).exit_code == 4
            assert (album / name).read_bytes() == whole


def test_what_only_looks_like_a_log_is_not_written_over(album: Path, invoke: Invoke) -> None:
    (album / "a.csv.mnv2").write_text("my notes")
    assert "is in the way" in run(invoke, "a.csv", code=2).stderr
    assert (album / "a.csv.mnv2").read_text() == "my notes"
    (album / "a.csv.mnv2").unlink()
    os.mkfifo(album / "a.csv.mnv2")
    result = invoke("classify", "album", "-q", "-k", "2", "-o", "a.csv")
    assert result.exit_code == 4 and "cannot be gone on with" in result.stderr
    run(invoke, "a.csv", "--resume", code=1)


def test_a_link_to_what_is_not_there_yet_is_gone_on_with(album: Path, invoke: Invoke) -> None:
    (album / "link.csv").symlink_to("real.csv")
    run(invoke, "link.csv", "--resume")
    whole = (album / "real.csv").read_bytes()
    cut(album / "real.csv", whole, len(whole) - 4)
    run(invoke, "link.csv", "--resume")
    assert (album / "real.csv").read_bytes() == whole and (album / "link.csv").is_symlink()


@pytest.mark.parametrize("name", ["a.json", "a.parquet"])
def test_other_formats_are_locked_and_leave_no_log(album: Path, invoke: Invoke, name: str) -> None:
    log = RunLog(name)
    assert "another mnv2 writes" in run(invoke, name, code=2).stderr
    log.close()
    run(invoke, name)
    assert not list(album.glob("*.mnv2"))


def test_hostile_results_end_in_no_traceback(album: Path, invoke: Invoke) -> None:
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


def test_what_a_killed_run_put_aside_is_removed(album: Path, invoke: Invoke) -> None:
    run(invoke, "a.csv")
    (album / ".a.csv.x1y2.part").write_text("left")
    draw(album / "album" / "0.png")
    run(invoke, "a.csv", "--resume")
    assert not list(album.glob(".*.part"))


def test_int8_of_a_list_is_calibrated_on_all_of_it(
    album: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = []

    def opened(*args: object, calibration: object = None, **kwargs: object) -> FakeEngine:
        keys.append(calibration.key)  # type: ignore[attr-defined]
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


# Processes


def ended(*args: str) -> int:
    """Run to the end; return the exit code."""
    command = [sys.executable, "-c", FAKE.format(delay=0), *args]
    return subprocess.run(command, capture_output=True, check=False, env=ENVIRONMENT).returncode


def killed(args: list[str], output: Path, rows: int, number: int) -> tuple[int, str]:
    """Start a slow run, send a signal once some rows are there; return its end and its words."""
    process = start(0.03, *args)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if output.exists() and output.read_bytes().count(b"\n") > rows:
            break
        time.sleep(0.01)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    return process.returncode, stderr


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_run_killed_many_times_equals_one_that_was_not(tmp_path: Path, form: str) -> None:
    for i in range(240):
        draw(tmp_path / "p" / f"{i}.bmp", (i, 0, 0), (4, 4))
    (tmp_path / "p" / "100.bmp").write_bytes(b"BM")
    whole, output = tmp_path / f"whole.{form}", tmp_path / f"out.{form}"
    args = ["classify", str(tmp_path / "p"), "-q", "-o"]
    assert ended(*args, str(whole)) == 4
    rng = random.Random(form)
    rows = 0
    for _ in range(4):
        rows += rng.randrange(1, 50)
        code, _ = killed([*args, str(output), "--resume"], output, rows, signal.SIGKILL)
        assert code == -signal.SIGKILL
        if rng.random() < 0.5:  # and a power cut
            os.truncate(output, output.stat().st_size - rng.randrange(60))
    assert ended(*args, str(output), "--resume") == 4
    assert output.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_finishes_what_is_in_hand_and_says_how_to_go_on(
    tmp_path: Path, number: int, code: int
) -> None:
    for i in range(200):
        draw(tmp_path / "my photos" / f"{i}.bmp", (i, 0, 0), (4, 4))
    output = tmp_path / "out.csv"
    args = ["classify", str(tmp_path / "my photos"), "-o", str(output), "--force"]
    end, stderr = killed(args, output, 20, number)
    assert end == code and "Traceback" not in stderr
    rows = list(csv.reader(output.read_text().splitlines()))
    assert 20 < len(rows) < 200 and {len(row) for row in rows} == {len(rows[0])}
    assert events(output) == ["begin", "stopped"]
    command = next(x for x in stderr.splitlines() if x.startswith("To go on")).split(None, 3)[3]
    assert command == f"mnv2 classify '{tmp_path}/my photos' -o {output} --resume"
    assert ended(*args[:-1], "--resume") == 0
    assert ended(*args[:2], "-o", str(tmp_path / "b.csv")) == 0
    assert output.read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_a_second_signal_ends_a_run_that_hangs(tmp_path: Path) -> None:
    draw(tmp_path / "p" / "1.bmp")
    hang = "import time, mnv2cli.images.reader as f\nd = f.decode\n"
    hang += "f.decode = lambda p, *o: time.sleep(60) if 'z' in p else d(p, *o)\n"
    code = hang + FAKE.format(delay=0)
    for i in range(9):
        draw(tmp_path / "p" / f"{i}.bmp", (i, 0, 0), (4, 4))
    draw(tmp_path / "p" / "z.bmp")
    output = tmp_path / "out.csv"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "classify", str(tmp_path / "p"), "-o", str(output),
         "--batch-size", "2"],
        stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (
        output.exists() and output.read_bytes().count(b"\n") >= 9
    ):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None  # it waits for what is in hand
    process.send_signal(signal.SIGINT)
    assert process.wait(5) == 130
    assert process.stderr and "Interrupted" in process.stderr.read()
    process.stderr.close()
    assert len(output.read_text().splitlines()) == 9


@pytest.mark.parametrize("place", [0, 50])
def test_an_image_that_crashes_a_run_is_isolated_when_it_is_gone_on_with(
    tmp_path: Path, place: int
) -> None:
    for i in range(60):
        draw(tmp_path / "p" / f"{i}.bmp", (i, 0, 0), (4, 4))
    (tmp_path / "p" / f"{place}.bmp").write_bytes(b"boom")
    crash = "import os, signal, mnv2cli.images.reader as f\nd = f.decode\n"
    crash += "def decode(p, *o):\n    if open(p, 'rb').read(4) == b'boom':\n"
    crash += (
        "        os.kill(os.getpid(), signal.SIGSEGV)\n    return d(p, *o)\nf.decode = decode\n"
    )
    output = tmp_path / "out.csv"
    command = [sys.executable, "-c", crash + FAKE.format(delay=0.02), "classify",
               str(tmp_path / "p"), "-o", str(output), "--resume"]  # fmt: skip
    runs = [
        subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
        for _ in range(2)
    ]
    assert runs[0].returncode == -signal.SIGSEGV
    assert runs[1].returncode == 4 and "as with --isolate" in runs[1].stderr
    rows = list(csv.DictReader(output.read_text().splitlines()))
    assert [row["status"] for row in rows].count("error") == 1 and len(rows) == 60
    assert rows[place]["error"] == "not an image: a text file"


def test_a_full_disk_leaves_a_file_that_can_be_gone_on_with(tmp_path: Path) -> None:
    for i in range(100):
        draw(tmp_path / "p" / f"{i}.bmp", (i, 0, 0), (4, 4))
    output, whole = tmp_path / "out.csv", tmp_path / "whole.csv"
    args = ["classify", str(tmp_path / "p"), "-q", "-o"]
    code = "import resource as r\nr.setrlimit(r.RLIMIT_FSIZE, (3000, 3000))\n"
    process = subprocess.run(
        [sys.executable, "-c", code + FAKE.format(delay=0), *args, str(output)],
        capture_output=True, text=True, check=False, env=ENVIRONMENT,
    )  # fmt: skip
    stderr = process.stderr
    assert process.returncode == 1
    assert stderr.startswith(f"Error: results cannot be written to {str(output)!r}: file too large")
    assert stderr.rstrip().endswith("--resume")
    assert ended(*args, str(whole)) == 0
    assert ended(*args, str(output), "--resume") == 0
    assert output.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("how", ["removed", "moved"])
def test_a_folder_that_vanishes_costs_no_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    for i in range(400):
        draw(tmp_path / "p" / f"{i}.bmp", (i % 256, 0, 0), (4, 4))
    (tmp_path / "out").mkdir()
    output, whole = tmp_path / "out" / "a.csv", tmp_path / "whole.csv"
    args = ["classify", str(tmp_path / "p"), "-q", "-o"]
    code = "import mnv2cli.results.write\nmnv2cli.results.write.SYNC_SECONDS = 0.1\n" + FAKE.format(
        delay=0.05
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, *args, str(output)],
        stderr=subprocess.PIPE, text=True, env={**ENVIRONMENT, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (
        output.exists() and output.read_bytes().count(b"\n") > 20
    ):
        time.sleep(0.02)
    if how == "removed":
        shutil.rmtree(tmp_path / "out")
    else:
        (tmp_path / "out").rename(tmp_path / "other")
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1 and "Traceback" not in stderr
    assert how == "moved" or "vanished while results were written" in stderr
    saved = next(tmp_path.glob("mnv2-*/a.csv")) if how == "removed" else tmp_path / "other/a.csv"
    assert how == "moved" or str(saved) in stderr
    kept = len(saved.read_text().splitlines())
    assert 20 < kept < 400
    assert ended(*args, str(whole)) == 0
    assert ended(*args, str(saved), "--resume") == 0
    assert saved.read_bytes() == whole.read_bytes()
