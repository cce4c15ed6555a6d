"""``mnv2 sort`` and ``mnv2 undo`` as users type them."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest
from click.testing import Result

from mnv2cli.cli import sort_job
from mnv2cli.sorting.actions import METHODS
from mnv2cli.sorting.run import SortRun
from tests.conftest import FakeEngine, draw
from tests.sorting.trees import contents, draw_fish, restore_times, snapshot

Invoke = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("fake_engine")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder ``photos``: three fish, a snake and a text file named as an image."""
    monkeypatch.chdir(tmp_path)
    photos = draw_fish(tmp_path)
    restore_times(tmp_path)
    return photos


def below(path: Path) -> list[str]:
    return sorted(
        str(p.relative_to(path)) for p in path.rglob("*") if p.is_file() and ".mnv2" not in p.parts
    )


def test_photos_are_sorted_by_category_and_undone(
    folder: Path, tmp_path: Path, invoke: Invoke
) -> None:
    before = snapshot(tmp_path)
    result = invoke("sort", "photos", "--into", "out", "--move")
    assert result.exit_code == 4  # one image cannot be read
    assert below(tmp_path / "out") == [
        "fish/0.png", "fish/1.png", "fish/2.png", "reptile/3.png", "reptile/3.xmp",
    ]  # fmt: skip
    assert below(folder) == ["bad.jpg"]
    assert "4 photos and 1 companion moved into 2 folders" in result.stderr
    assert "left  photos/bad.jpg: not an image: a text file" in result.stderr
    assert "To undo    mnv2 undo out\n" in result.stderr
    result = invoke("undo", "out", "--list")
    assert "4 photos and 1 companion  move" in result.stdout and result.exit_code == 0
    assert "5 files to move back" in invoke("undo", "out", "--dry-run").stdout
    assert invoke("undo", "out").exit_code == 0
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("options", [["--dry-run"], ["--dry-run", "-v"]])
def test_a_dry_run_changes_nothing(
    folder: Path, tmp_path: Path, invoke: Invoke, method: str, options: list[str]
) -> None:
    before = snapshot(tmp_path)
    result = invoke("sort", "photos", "--into", "out", f"--{method}", *options)
    assert result.exit_code == 4 and "fish  3" in result.stdout
    assert ("0.png" in result.stdout) == ("-v" in options)
    assert "Dry run, nothing was changed: 4 photos and 1 companion" in result.stdout
    assert snapshot(tmp_path) == before
    # Also if the destination has a journal.
    invoke("sort", "photos", "--into", "out", "--copy")
    draw(folder / "new.png", (3, 9, 0))
    before = snapshot(tmp_path)
    result = invoke("sort", "photos", "--into", "out", f"--{method}", *options)
    assert "nothing was changed: 1 photo, " in result.stdout
    assert "to remove" in invoke("undo", "out", "--dry-run").stdout
    assert snapshot(tmp_path) == before


def test_sort_accepts_results_of_an_earlier_run(
    folder: Path, tmp_path: Path, invoke: Invoke, fake_engine: FakeEngine
) -> None:
    invoke("classify", "photos", "-q", "--category", "--rollup", "0.5", "-o", "r.csv")
    invoke("classify", "photos", "-q", "-o", "plain.jsonl")
    fake_engine.batches.clear()
    assert invoke("sort", "--from", "r.csv", "--into", "a").exit_code == 4
    assert below(tmp_path / "a")[0] == "fish/0.png"
    assert invoke("sort", "--from", "r.csv", "--into", "b", "--template", "{node}").exit_code == 4
    assert below(tmp_path / "b")[0] == "goldfish/1.png"
    assert invoke("sort", "--from", "plain.jsonl", "--into", "c", "--by", "wnid").exit_code == 4
    assert below(tmp_path / "c")[0] == "n01440764/0.png"
    result = invoke("sort", "--from", "plain.jsonl", "--into", "d")
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: plain.jsonl has no categories: use --by label, or classify again with --category\n"
    )
    assert fake_engine.batches == [] and not (tmp_path / "d").exists()


def test_sorting_by_results_imports_no_heavy_library(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("a")
    (tmp_path / "r.csv").write_text(
        f"path,status,label_1,wnid_1,score_1,error\n{tmp_path}/a.jpg,ok,tench,n01440764,0.9,\n"
    )
    code = (
        "import sys\nfrom mnv2cli.cli import main\n"
        f"try: main(['sort', '--from', '{tmp_path}/r.csv', '--into', '{tmp_path}/out', '--by', "
        "'label'])\nexcept SystemExit as e: print(int(e.code), 'MODULES', *sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    modules = result.stdout.split()
    assert modules[0] == "0" and (tmp_path / "out" / "tench" / "a.jpg").exists()
    assert not {"numpy", "pandas", "keras", "tensorflow", "PIL"} & set(modules)


def test_a_plan_is_written_edited_and_applied(folder: Path, tmp_path: Path, invoke: Invoke) -> None:
    before = snapshot(folder)
    result = invoke("sort", "photos", "--into", "out", "--move", "--plan", "plan.csv")
    assert "4 photos and 1 companion" in result.stderr and "--apply" in result.stderr
    assert snapshot(folder) == before and not Path("out").exists()
    rows = list(csv.DictReader(io.StringIO(Path("plan.csv").read_text())))
    assert [row["action"] for row in rows] == ["move"] * 5 + ["leave"]
    assert invoke("sort", "photos", "--into", "out", "--plan", "plan.csv").exit_code == 2
    text = Path("plan.csv").read_text()
    Path("plan.csv").write_text(text.replace("fish/0.png", "tenches/mine.png"))
    assert invoke("sort", "--apply", "plan.csv", "--into", "out").exit_code == 0
    assert "tenches/mine.png" in below(tmp_path / "out") and below(folder) == ["bad.jpg"]
    result = invoke("sort", "--apply", "plan.csv", "--into", "out")
    assert result.exit_code == 0 and "nothing new for out" in result.stderr
    Path("out/tenches/mine.png").unlink()
    result = invoke("sort", "--apply", "plan.csv", "--into", "out")
    assert result.exit_code == 2 and "nothing was changed" in result.stderr


def test_thresholds_templates_and_minimum_counts_choose_folders(
    folder: Path, tmp_path: Path, invoke: Invoke
) -> None:
    invoke("sort", "photos", "--into", "a", "--by", "label", "--threshold", "0.95", "-q")
    assert {Path(p).parts[0] for p in below(tmp_path / "a")} == {"unsure"}
    invoke("sort", "photos", "--into", "b", "--by", "label", "--min-margin", "0.87", "-q")
    assert {Path(p).parts[0] for p in below(tmp_path / "b")} == {"unsure"}
    invoke("sort", "photos", "--into", "c", "--min-count", "2", "-q")
    assert {Path(p).parts[0] for p in below(tmp_path / "c")} == {"fish", "other"}
    invoke("sort", "photos", "--into", "d", "--template", "{year}/{category}/{label}", "-q")
    assert below(tmp_path / "d")[0] == "undated/fish/goldfish/1.png"
    invoke("sort", "photos", "--into", "e", "--rollup", "0.5", "-q")
    assert below(tmp_path / "e")[0] == "goldfish/1.png"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["photos"], "Missing option '--into'"),
        (["--into", "out"], "Name images or folders"),
        (["nowhere", "--into", "out"], "No such file or folder: 'nowhere'"),
        (["photos", "--from", "r.csv", "--into", "out"], "choose one"),
        (["photos", "--into", "photos/0.png"], "is a file"),
        (["photos", "--into", "out", "--by", "label", "--template", "{label}"], "with --template"),
        (["photos", "--into", "out", "--template", "../x"], "leads outside the destination"),
        (["photos", "--into", "out", "--template", "{label:9}"], "unknown format"),
        (["photos", "--into", "out", "--template", "{node}"], "requires --rollup"),
        (["photos", "--into", "out", "--by", "label", "--rollup", "0.5"], "--rollup requires"),
        (["--from", "r.csv", "--into", "out", "--rollup", "0.5"], "mnv2 classify"),
        (["--from", "r.csv", "--into", "out", "--categories", "r.csv"], "mnv2 classify"),
        (
            ["photos", "--into", "out", "--plan", "p.csv", "--dry-run"],
            "cannot be combined with --plan",
        ),
    ],
)
def test_usage_errors_say_what_to_do(
    folder: Path, tmp_path: Path, invoke: Invoke, args: list[str], message: str
) -> None:
    Path("r.csv").write_text("path,status,label_1,wnid_1,score_1,error\n")
    before = snapshot(tmp_path)
    result = invoke("sort", *args)
    assert result.exit_code == 2 and message in result.stderr, result.output
    assert snapshot(tmp_path) == before


def test_sort_exits_3_without_photos(folder: Path, tmp_path: Path, invoke: Invoke) -> None:
    Path("empty").mkdir()
    Path("r.csv").write_text("path,status,label_1,wnid_1,score_1,error\n")
    assert invoke("sort", "empty", "--into", "out").exit_code == 3
    result = invoke("sort", "--from", "r.csv", "--into", "out")
    assert result.exit_code == 3 and "r.csv has no rows" in result.stderr
    assert not Path("out").exists()


def test_a_destination_within_the_photos_is_skipped(
    folder: Path, tmp_path: Path, invoke: Invoke
) -> None:
    for _ in range(2):
        assert invoke("sort", "photos", "--into", "photos/sorted").exit_code == 4
    assert len(below(folder / "sorted")) == 5
    assert invoke("undo", "photos/sorted").exit_code == 0
    assert not Path("photos/sorted").exists()
    for _ in range(2):  # and photos within the destination
        assert invoke("sort", "photos", "--into", ".", "--move").exit_code in (3, 4)
    assert below(tmp_path)[:2] == ["fish/0.png", "fish/1.png"]


def test_failures_are_reported_and_exit_1(folder: Path, tmp_path: Path, invoke: Invoke) -> None:
    Path("out").mkdir()
    Path("out/reptile").write_text("a file")
    result = invoke("sort", "photos", "--into", "out", "--move")
    assert result.exit_code == 1
    assert "photos/3.png: " in result.stderr and "is a file, not a folder" in result.stderr
    assert len(below(tmp_path / "out")) == 4 and (folder / "3.xmp").exists()


def test_undo_reports_files_that_it_kept(folder: Path, tmp_path: Path, invoke: Invoke) -> None:
    invoke("sort", "photos", "--into", "out", "--move")
    Path("out/fish/0.png").write_text("edited")
    result = invoke("undo", "out")
    assert result.exit_code == 1 and "Kept       1 file, left" in result.stderr
    assert "out/fish/0.png: has changed since the sort" in result.stderr
    assert below(tmp_path / "out") == ["fish/0.png"] and len(below(folder)) == 5
    for args, code, message in [
        (["photos"], 2, "has no journal"), (["photos", "--list"], 2, "has no journal"),
        (["nowhere"], 2, "does not exist"), (["photos/0.png"], 2, "does not exist"),
        (["photos/1.png"], 2, "neither a folder nor a journal"),
    ]:  # fmt: skip
        result = invoke("undo", *args)
        assert result.exit_code == code and message in result.stderr


def test_a_read_only_destination_is_one_clear_error(
    folder: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str, *args: object, **options: object) -> None:
        raise OSError(30, "Read-only file system", path)

    monkeypatch.setattr(os, "makedirs", refuse)
    result = invoke("sort", "photos", "--into", "out", "--move")
    assert result.exit_code == 1 and "read-only file system" in result.stderr
    assert len(below(folder)) == 6


@pytest.mark.usefixtures("default_signals")
def test_ctrl_c_is_reported_and_running_again_finishes(
    folder: Path, tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, original = SortRun.execute, contents(folder)

    def interrupt(self: object, *args: object) -> None:
        real(self, *args)  # type: ignore[arg-type]
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(SortRun, "execute", interrupt)
    result = invoke("sort", "photos", "--into", "out", "--move")
    assert result.exit_code == 130
    assert "To finish, run the same command again; to undo: mnv2 undo out\n" in result.stderr
    assert contents(tmp_path) == original
    monkeypatch.setattr(SortRun, "execute", real)
    assert invoke("sort", "photos", "--into", "out", "--move").exit_code == 4
    assert len(below(tmp_path / "out")) == 5 and contents(tmp_path) == original
    assert invoke("undo", "out").exit_code == 0
    assert contents(folder) == original and not Path("out").exists()


def test_companions_of_an_interrupted_run_are_moved_after_their_photo(
    folder: Path, tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("0.png", "1.png", "2.png", "bad.jpg"):
        (folder / name).unlink()
    real = SortRun.execute

    def interrupt(self: object, entry: object, *args: object) -> None:
        if entry.target.endswith(".xmp"):  # type: ignore[attr-defined]
            raise KeyboardInterrupt
        real(self, entry, *args)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(SortRun, "execute", interrupt)
        assert invoke("sort", "photos", "--into", "out", "--move").exit_code == 130
    assert below(folder) == ["3.xmp"]
    result = invoke("sort", "photos", "--into", "out", "--move")
    assert result.exit_code == 3 and "Finished an interrupted run" in result.stderr
    assert below(tmp_path / "out") == ["reptile/3.png", "reptile/3.xmp"]


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """Mount a file system of one megabyte."""
    folder = Path(mkdtemp(prefix="mnv2-test-"))
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "mnv2", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:  # noqa: PLW1510
        folder.rmdir()
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)
    folder.rmdir()


def test_a_full_file_system_loses_no_file(
    folder: Path, tmp_path: Path, invoke: Invoke, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(4):
        (folder / f"{i}.xmp").write_bytes(os.urandom(400_000))
    restore_times(tmp_path)
    before, original = snapshot(folder), contents(folder)
    result = invoke("sort", "photos", "--into", small_disk / "out", "--move")
    assert result.exit_code == 1 and "MB free" in result.stderr
    assert snapshot(folder) == before and not (small_disk / "out").exists()
    monkeypatch.setattr(sort_job, "check_free_space", lambda plan: None)
    result = invoke("sort", "photos", "--into", small_disk / "out", "--move")
    assert result.exit_code == 1 and "no space left on device" in result.stderr
    assert contents(folder, small_disk) == original
    assert len(contents(small_disk)) >= 2
    assert invoke("undo", small_disk / "out").exit_code == 0
    assert snapshot(folder) == before and not (small_disk / "out").exists()


def test_a_killed_command_loses_no_file_and_can_be_run_again(
    folder: Path, tmp_path: Path, invoke: Invoke
) -> None:
    for i in range(300):
        shutil.copy(folder / f"{i % 4}.png", folder / f"c{i}.png")
    invoke("classify", "photos", "-q", "-o", "r.csv")
    restore_times(tmp_path)
    before, original = snapshot(folder), contents(folder)
    line = [sys.executable, "-m", "mnv2cli", "sort", "--from", "r.csv", "--into", "out", "--move",
            "--by", "label", "-q"]  # fmt: skip
    process = subprocess.Popen(line)
    deadline = time.monotonic() + 30
    while not list(Path("out").glob("*/*")) and time.monotonic() < deadline:
        time.sleep(0.001)
    process.kill()
    process.wait()
    assert contents(folder, tmp_path / "out") == original
    again = subprocess.run(line, check=False)
    assert again.returncode == 4
    assert below(folder) == ["bad.jpg"] and contents(folder, tmp_path / "out") == original
    assert invoke("undo", "out").exit_code == 0
    assert snapshot(folder) == before


def test_a_small_lead_omits_labels_and_category(folder: Path, invoke: Invoke) -> None:
    draw(folder / "9.png", (9, 9, 0))  # both scores are of one class: the lead is 0.95
    args = ("classify", "photos", "-q", "-f", "json", "--category", "--rollup", "0.5", "-k", "1")
    certain = {0.85: 5, 0.86: 1, 0.95: 1, 0.96: 0}
    for margin, labelled in certain.items():
        rows = json.loads(invoke(*args, "--min-margin", str(margin)).stdout)
        fine = [row for row in rows if row["status"] == "ok"]
        assert len(fine) == 5 and sum(bool(row["predictions"]) for row in fine) == labelled
        for row in fine:
            has_category = row["category"] is not None
            assert has_category == bool(row["predictions"]) and row["node"]
            assert has_category == bool(row["category_score"]) == bool(row["category_margin"])
    Path("r.jsonl").unlink(missing_ok=True)
    options = ("-q", "--category", "--min-margin", "0.9", "-o", "r.jsonl")
    assert invoke("classify", "photos", *options).exit_code == 4
    assert invoke("sort", "--from", "r.jsonl", "--into", "out", "-q").exit_code == 4
    assert sorted(p.name for p in Path("out").glob("*") if p.name != ".mnv2") == ["bird", "unsure"]


def test_categories_are_columns_of_classify(folder: Path, tmp_path: Path, invoke: Invoke) -> None:
    result = invoke("classify", "photos", "-q", "-k", "1", "--category", "--rollup", "0.5")
    row = next(csv.DictReader(io.StringIO(result.stdout)))
    assert list(row) == [
        "path", "status", "label_1", "wnid_1", "score_1", "category", "category_score",
        "category_margin", "node", "node_wnid", "node_score", "error", "model",
    ]  # fmt: skip
    assert (row["category"], row["node"], row["node_score"]) == ("fish", "tench", "0.9")
    (tmp_path / "mine.toml").write_text('[fish]\nname = "Fishes"\n')
    result = invoke("classify", "photos", "-q", "-f", "json", "--categories", "mine.toml")
    assert json.loads(result.stdout)[0]["category"] == "Fishes"
    assert "category: fish" in invoke("classify", "photos", "-f", "table", "--category").stdout
    (tmp_path / "mine.toml").write_text("[fsh]\n")
    assert invoke("classify", "photos", "--categories", "mine.toml").exit_code == 2
