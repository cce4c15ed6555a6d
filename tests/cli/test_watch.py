"""``mnv2 watch``: photos are processed as they arrive, once each."""

from __future__ import annotations

import csv
import errno
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from filelock import FileLock

from mnv2cli.cli.watch_job import WatchJob
from mnv2cli.errors import OutputError
from mnv2cli.records import Record
from mnv2cli.results.output import Output
from mnv2cli.sorting import run as sort_run
from mnv2cli.watching.job import Arrived
from tests.conftest import FakeEngine, draw
from tests.tagging.photos import packet
from tests.watching.arriving import Arriving, drawn, faults, sorted_files

Invoke = Callable[..., Result]
ROOT = Path(__file__).resolve().parents[2]
LONGEST = 60  # seconds until a test gives up
ROWS = "-o requires a local .csv or .jsonl file, to which rows are appended."

pytestmark = [
    pytest.mark.usefixtures("fake_engine"),
    pytest.mark.skipif(os.name == "nt", reason="signals of POSIX"),
]


@pytest.fixture
def drop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder ``drop`` in the current folder."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "drop"
    folder.mkdir()
    return folder


class Watching:
    """A running watch in a separate process, with a fake network."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[str]] = []

    def start(self, *args: str) -> subprocess.Popen[str]:
        """Start it, and return once it watches."""
        code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        code += "import runpy; runpy.run_module('tests.watching.child', run_name='__main__')"
        self.log = self._folder / f"log{len(self._processes)}"
        with open(self.log, "w") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", code, "watch", "drop", "--settle", "0.2", *args],
                stderr=log, text=True, cwd=self._folder,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )  # fmt: skip
        self._processes.append(process)
        until(lambda: "Watching" in self.log.read_text() or process.poll() is not None)
        return process

    def end(self, process: subprocess.Popen[str], number: int = signal.SIGTERM) -> str:
        """End it by a signal; it must exit with 0. Return its messages."""
        process.send_signal(number)
        assert process.wait(LONGEST) == 0, self.log.read_text()
        return self.log.read_text()

    def close(self) -> None:
        """End what is left."""
        for process in self._processes:
            process.kill()
            process.wait()


@pytest.fixture
def watching(drop: Path) -> Iterator[Watching]:
    made = Watching(drop.parent)
    yield made
    made.close()


def until(is_true: Callable[[], object]) -> None:
    end = time.monotonic() + LONGEST
    while not is_true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in sorted_files(folder))


def rows(path: str) -> list[tuple[str, str]]:
    """Return the paths and errors in a file of results."""
    with open(path, newline="") as file:
        return [(row["path"], row["error"].partition(":")[0]) for row in csv.DictReader(file)]


def once(invoke: Invoke, *args: str, patience: str = "0.3") -> Result:
    return invoke("watch", "drop", "--settle", "0.1", "--patience", patience, "--once", *args)


def test_an_empty_folder_is_done(drop: Path, invoke: Invoke) -> None:
    result = once(invoke, "--into", "sorted")
    assert result.exit_code == 0
    assert result.stderr == (
        "Watching drop: photos are copied into sorted; ends once all are done.\n"
        "Done       no new photo\n"
    )
    assert once(invoke, "--tag").exit_code == 0
    assert once(invoke, "-o", "labels.csv").exit_code == 0
    assert once(invoke, "--into", "sorted", "-q").output == ""


def test_photos_that_are_there_are_sorted_once_and_undone(drop: Path, invoke: Invoke) -> None:
    draw(drop / "0.png", (0, 9, 0))
    draw(drop / "sub" / "3.png", (3, 9, 0))
    (drop / "sub" / "3.xmp").write_text("<x/>")
    (drop / "sub" / "3.png.part").write_text("half")
    result = once(invoke, "--into", "sorted")
    assert result.exit_code == 0
    lines = [line.partition("  ")[2] for line in result.stderr.splitlines()[1:3]]
    assert lines == ["0.png → fish  0.90", "sub/3.png → fish  0.90  (with 1 companion)"]
    assert "2 photos and 1 companion copied into sorted" in result.stderr
    assert "To undo    mnv2 undo sorted" in result.stderr
    before = names(drop.parent / "sorted")
    assert len(before) == 3
    again = once(invoke, "--into", "sorted")
    assert again.exit_code == 0 and "Done       no new photo" in again.stderr
    assert names(drop.parent / "sorted") == before
    assert invoke("undo", "sorted").exit_code == 0
    assert not sorted_files(drop.parent / "sorted") and (drop / "0.png").exists()


def test_nothing_is_classified_again_after_a_restart(
    drop: Path, invoke: Invoke, fake_engine: FakeEngine
) -> None:
    draw(drop / "0.png", (0, 9, 0))
    once(invoke, "--into", "sorted")
    once(invoke, "--tag")
    once(invoke, "-o", "labels.jsonl")
    seen = list(fake_engine.batches)
    assert len(seen) == 3
    # The sidecar is new: it joins its photo, which is classified for that.
    once(invoke, "--into", "sorted")
    assert (drop.parent / "sorted" / "fish" / "0.png.xmp").exists()
    seen = list(fake_engine.batches)
    for args in (["--into", "sorted"], ["--tag"], ["-o", "labels.jsonl"]):
        assert once(invoke, *args).exit_code == 0
    assert fake_engine.batches == seen


def test_a_damaged_photo_is_left_and_reported(drop: Path, invoke: Invoke) -> None:
    whole = draw(drop / "a.jpg", (0, 9, 0), (400, 300)).read_bytes()
    (drop / "a.jpg").write_bytes(whole[: len(whole) // 2])
    (drop / "empty.jpg").touch()
    for args in (["--into", "sorted", "--move"], ["--tag"], ["-o", "labels.csv"]):
        result = once(invoke, *args)
        assert result.exit_code == 4
        assert "Warning: drop/a.jpg: truncated" in result.stderr
        assert "Warning: drop/empty.jpg: empty file" in result.stderr
        assert "Unreadable 2 photos, left in place" in result.stderr
    assert not sorted_files(drop.parent / "sorted")
    assert sorted(os.listdir(drop)) == ["a.jpg", "empty.jpg"]
    (drop / "a.jpg").write_bytes(whole)
    assert once(invoke, "--into", "sorted", "--move").exit_code == 4
    assert names(drop.parent / "sorted") == ["fish/a.jpg"]


def test_the_rows_of_a_watch_are_completed_by_classify(drop: Path, invoke: Invoke) -> None:
    draw(drop / "0.png", (0, 9, 0))
    (drop / "1.png").write_bytes((drop / "0.png").read_bytes()[:60])
    assert once(invoke, "-o", "labels.csv", "--top", "2").exit_code == 4
    assert rows("labels.csv") == [("drop/0.png", "")]
    draw(drop / "2.png", (2, 9, 0))
    assert once(invoke, "-o", "labels.csv", "--top", "2").exit_code == 4
    resumed = ("-o", "labels.csv", "--resume", "--top", "2")
    assert invoke("classify", "drop", *resumed).exit_code == 4
    assert rows("labels.csv") == [
        ("drop/0.png", ""),
        ("drop/1.png", "truncated"),
        ("drop/2.png", ""),
    ]
    assert "no new photo" in once(invoke, "-o", "labels.csv", "--top", "2").stderr


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has leases")
def test_a_run_for_existing_photos_leaves_one_that_is_being_written(
    drop: Path, invoke: Invoke
) -> None:
    draw(drop / "0.png", (0, 9, 0))
    draw(drop / "1.png", (1, 9, 0))
    with open(drop / "1.png", "ab"):
        result = once(invoke, "--into", "sorted", "--move")
    assert result.exit_code == 4 and names(drop.parent / "sorted") == ["fish/0.png"]
    assert "Warning: drop/1.png: another program has it open for writing\n" in result.stderr
    assert "Incomplete 1 photo, left in place" in result.stderr
    assert (drop / "1.png").exists()


def test_a_destination_in_the_watched_folder_is_not_watched(drop: Path, invoke: Invoke) -> None:
    draw(drop / "0.png", (0, 9, 0))
    assert once(invoke, "--into", "drop/sorted").exit_code == 0
    assert "no new photo" in once(invoke, "--into", "drop/sorted").stderr
    assert names(drop / "sorted") == ["fish/0.png"]


@pytest.mark.parametrize("into", [".", "drop", "drop/../drop"])
def test_a_watched_folder_in_the_destination_is_refused(
    drop: Path, invoke: Invoke, into: str
) -> None:
    result = once(invoke, "--into", into)
    assert result.exit_code == 2 and "is in the destination" in result.stderr


def test_tags_of_a_watch_are_undone_together(drop: Path, invoke: Invoke) -> None:
    from mnv2cli.watching import watch

    before = watch.BATCH
    watch.BATCH = 1
    try:
        for i in range(3):
            draw(drop / f"{i}.png", (i, 9, 0))
        result = once(invoke, "--tag")
    finally:
        watch.BATCH = before
    assert "0.png → fish, tench  0.90" in result.stderr
    assert "3 photos tagged in drop" in result.stderr
    assert len(list(drop.glob("*.xmp"))) == 3
    assert invoke("undo", "drop").exit_code == 0
    assert sorted(os.listdir(drop)) == ["0.png", "1.png", "2.png"]


def test_rows_are_appended_and_can_be_resumed(drop: Path, invoke: Invoke) -> None:
    for i in range(2):
        draw(drop / f"{i}.png", (i, 9, 0))
    result = once(invoke, "-o", "labels.csv", "--top", "2")
    assert "0.png → tench  0.90" in result.stderr
    assert "2 photos written to labels.csv" in result.stderr
    draw(drop / "2.png", (2, 9, 0))
    result = once(invoke, "-o", "labels.csv", "--top", "2")
    assert "1 photo written to labels.csv" in result.stderr
    with open("labels.csv", newline="") as file:
        assert [row["path"] for row in csv.DictReader(file)] == [f"drop/{i}.png" for i in range(3)]
    result = invoke("classify", "drop", "-o", "labels.csv", "--resume", "--top", "2")
    assert result.exit_code == 0 and "Kept       3 rows" in result.stderr
    result = once(invoke, "-o", "labels.csv", "--top", "3")
    assert result.exit_code == 2 and "cannot resume 'labels.csv'" in result.stderr
    assert result.stderr.endswith("\nName another file, or move this one away.\n")


def test_a_file_that_rows_cannot_be_appended_to_is_an_error(drop: Path, invoke: Invoke) -> None:
    draw(drop / "0.png", (0, 9, 0))
    Path("other.csv").write_text("not,results\n")
    result = once(invoke, "-o", "other.csv")
    assert result.exit_code == 2 and "cannot resume 'other.csv'" in result.stderr
    assert result.stderr.endswith("\nName another file, or move this one away.\n")
    assert Path("other.csv").read_text() == "not,results\n"
    os.mkfifo("pipe.csv")
    result = once(invoke, "-o", "pipe.csv")
    assert result.exit_code == 2 and "'pipe.csv': it is not a regular file" in result.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "Choose what to do with the photos"),
        (["--into", "x", "--tag"], "--into cannot be combined with --tag"),
        (["--into", "x", "--top", "3"], "--top cannot be combined with --into"),
        (["--tag", "--move"], "--move cannot be combined with --tag"),
        (["-o", "x.csv", "--by", "label"], "--by cannot be combined with -o"),
        (["-o", "x.parquet"], ROWS),
        (["-o", "-"], ROWS),
        (["-o", "rows"], ROWS),
        (["--into", "x", "--embed"], "--embed requires --tag"),
        (["--into", "x", "--min-count", "3"], "--min-count cannot be used here"),
        (["--into", "x", "--settle", "0"], "0.0 is not in the range x>0"),
        (["--into", "x", "--template", "{node}"], "requires --rollup P"),
    ],
)
def test_options_that_would_be_ignored_are_errors(
    drop: Path, invoke: Invoke, args: list[str], message: str
) -> None:
    result = invoke("watch", "drop", "--once", *args)
    assert result.exit_code == 2 and message in result.stderr
    assert os.listdir(drop.parent) == ["drop"]


def test_a_folder_that_is_missing_or_a_file_is_an_error(drop: Path, invoke: Invoke) -> None:
    (drop / "file").touch()
    assert "does not exist" in invoke("watch", "none", "--into", "x").stderr
    assert "is a file" in invoke("watch", "drop/file", "--into", "x").stderr
    assert "'drop/file' is a file" in invoke("watch", "drop", "--into", "drop/file").stderr


def test_a_destination_in_use_is_an_error(drop: Path, invoke: Invoke) -> None:
    (drop.parent / "sorted" / ".mnv2").mkdir(parents=True)
    with FileLock(drop.parent / "sorted" / ".mnv2" / "lock"):
        result = once(invoke, "--into", "sorted")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: another mnv2 process is using '")


def test_a_full_disk_ends_the_watch_and_the_next_one_finishes(
    drop: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(3):
        draw(drop / f"{i}.png", (i, 9, 0))
    real = sort_run.copy

    def full(source: str, *args: object, **options: object) -> None:
        if source.endswith("1.png"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(source, *args, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(sort_run, "copy", full)
        result = once(invoke, "--into", "sorted")
    assert result.exit_code == 1
    assert "no space left on device" in result.stderr and "No photo is lost" in result.stderr
    assert "no new photo" not in result.stderr  # 0.png is done
    result = once(invoke, "--into", "sorted")
    assert result.exit_code == 0 and "Finished an interrupted run: 2 files." in result.stderr
    assert len(names(drop.parent / "sorted")) == 3
    assert invoke("undo", "sorted").exit_code == 0
    assert not sorted_files(drop.parent / "sorted")


def test_rows_before_an_error_are_counted_as_a_minimum(
    drop: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(4):
        draw(drop / f"{i}.png", (i, 9, 0))
    real, written = Output.write, []

    def full(output: Output, record: Record) -> None:
        if len(written) == 3:
            raise OutputError("no space left on device")
        written.append(record)
        real(output, record)

    monkeypatch.setattr(Output, "write", full)
    monkeypatch.setattr("mnv2cli.watching.watch.BATCH", 2)
    result = once(invoke, "-o", "labels.csv")
    assert result.exit_code == 1
    assert "Done       at least 2 photos written to labels.csv" in result.stderr


def test_photos_that_cannot_be_finished_after_a_crash_are_reported(
    drop: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(3):
        draw(drop / f"{i}.png", (i, 9, 0))

    def full(*args: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(sort_run, "copy", full)
        assert once(invoke, "--into", "sorted").exit_code == 1
    (drop / "1.png").unlink()
    result = once(invoke, "--into", "sorted", "-q")
    missing = f"Warning: {drop / '1.png'}: not finished after an interruption: "
    assert result.exit_code == 0 and result.stderr.startswith(missing)
    assert names(drop.parent / "sorted") == ["fish/0.png", "fish/2.png"]
    assert once(invoke, "--into", "sorted", "-q").stderr == ""


def test_sidecars_that_cannot_be_finished_after_a_crash_are_reported(
    drop: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(drop / "0.png", (0, 9, 0))
    (drop / "0.xmp").write_bytes(packet("mine"))

    def interrupt(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", interrupt)
        assert once(invoke, "--tag").exit_code == 130
    (drop / "0.xmp").write_bytes(packet("of another program"))
    result = once(invoke, "--tag")
    path = drop / "0.xmp"
    assert f"Warning: {path}: not finished after an interruption: is neither" in result.stderr
    assert result.exit_code == 0 and "1 photo tagged in drop" in result.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_watch_with_a_summary(
    drop: Path, watching: Watching, invoke: Invoke, number: int
) -> None:
    process = watching.start("--into", "sorted", "--move")
    draw(drop.parent / "others" / "2.png", (2, 9, 0))
    refused = invoke("sort", "others", "--into", "sorted")
    assert refused.exit_code == 2 and "another mnv2 process is using" in refused.stderr
    draw(drop / "0.png", (0, 9, 0))
    until((drop.parent / "sorted" / "fish" / "0.png").exists)
    draw(drop / "sub" / "1.png", (1, 9, 0))
    until((drop.parent / "sorted" / "fish" / "1.png").exists)
    text = watching.end(process, number)
    assert "Watching drop: photos are moved into sorted; Ctrl-C ends it.\n" in text
    assert "2 photos moved into sorted" in text
    assert invoke("undo", "sorted").exit_code == 0  # both: one journal
    assert (drop / "0.png").exists() and (drop / "sub" / "1.png").exists()


@pytest.mark.usefixtures("default_signals")
@pytest.mark.parametrize(("number", "code"), [(1, 130), (2, 0)])
def test_an_interrupt_of_a_run_for_existing_photos_is_an_error_unless_all_are_done(
    drop: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, number: int, code: int
) -> None:
    for i in range(2):
        draw(drop / f"{i}.png", (i, 9, 0))
    monkeypatch.setattr("mnv2cli.watching.watch.BATCH", 1)
    show, shown = WatchJob._show, []

    def interrupt(job: WatchJob, arrived: Arrived) -> None:
        show(job, arrived)
        shown.append(arrived)
        if len(shown) == number:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(WatchJob, "_show", interrupt)
    result = once(invoke, "--into", "sorted")
    assert result.exit_code == code and len(names(drop.parent / "sorted")) == number
    assert f"{'1 photo' if number == 1 else '2 photos'} copied into sorted" in result.stderr


def test_a_companion_that_comes_later_joins_a_copied_photo(drop: Path, watching: Watching) -> None:
    process = watching.start("--into", "sorted")
    draw(drop / "0.png", (0, 9, 0))
    until((drop.parent / "sorted" / "fish" / "0.png").exists)
    (drop / "0.xmp").write_text("<x/>")
    until((drop.parent / "sorted" / "fish" / "0.xmp").exists)
    watching.end(process)
    assert len(sorted_files(drop.parent / "sorted")) == 2


def test_a_watched_folder_that_vanishes_is_waited_for(drop: Path, watching: Watching) -> None:
    process = watching.start("--into", "sorted")
    drop.rename(drop.parent / "elsewhere")
    until(lambda: "Warning: drop is gone: waiting until it is back" in watching.log.read_text())
    drop.mkdir()
    draw(drop / "0.png", (0, 9, 0))
    until((drop.parent / "sorted" / "fish" / "0.png").exists)
    draw(drop / "1.png", (1, 9, 0))
    until((drop.parent / "sorted" / "fish" / "1.png").exists)
    assert watching.end(process).count("is gone") == 1


def test_a_destination_that_vanishes_ends_the_watch(drop: Path, watching: Watching) -> None:
    process = watching.start("--into", "sorted")
    (drop.parent / "sorted").rename(drop.parent / "elsewhere")
    draw(drop / "0.png", (0, 9, 0))
    assert process.wait(LONGEST) == 1
    assert "it was removed, renamed or unmounted" in watching.log.read_text()
    assert (drop / "0.png").exists() and not (drop.parent / "sorted").exists()


def test_changes_are_found_by_polling(drop: Path, watching: Watching) -> None:
    process = watching.start("--into", "sorted", "--poll", "--rescan", "1000")
    draw(drop / "0.png", (0, 9, 0))
    until((drop.parent / "sorted" / "fish" / "0.png").exists)
    watching.end(process)


@pytest.mark.parametrize("method", ["--copy", "--move"])
def test_photos_are_sorted_exactly_once_though_the_watch_is_killed(
    drop: Path, watching: Watching, invoke: Invoke, method: str
) -> None:
    rng = random.Random(1)
    arriving, kills = Arriving(drop, rng, pause=0.3), 0
    thread = threading.Thread(target=arriving.write, args=(drawn(60), 6))
    thread.start()
    while thread.is_alive():
        process = watching.start("--into", "sorted", method)
        time.sleep(rng.uniform(0, 1))
        process.kill()
        process.wait()
        kills += 1
    assert kills > 1
    result = once(invoke, "--into", "sorted", method)
    assert result.exit_code == 0, result.stderr
    assert len(arriving.digests) == 60
    assert faults(arriving, drop.parent / "sorted") == []
    if method == "--move":
        assert not sorted_files(drop)
