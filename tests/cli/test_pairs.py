"""``--pairs`` of ``mnv2 classify`` and ``mnv2 sort``: raw photos, Live Photos and sidecars."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.conftest import image_bytes
from tests.runs.helpers import cut
from tests.sorting.trees import contents, restore_times, snapshot

Invoke = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("fake_engine")

# The content decides the format: raw photos and HEIC are PNG here. The first colour is a fish, the
# second a snake.
FISH, SNAKE = image_bytes(0), image_bytes(60)
LEADERS = ["album/IMG_1.JPG", "album/IMG_2.HEIC", "album/IMG_3.DNG", "album/IMG_4.JPG"]
RAWS = ["album/IMG_1.CR2", "album/IMG_2.DNG", "album/IMG_3.NEF"]
SIDECARS = ["IMG_1.CR2.xmp", "IMG_2.MOV", "IMG_2.AAE", "IMG_3.xmp", "IMG_4.THM", "IMG_4.JPG.json"]


@pytest.fixture
def album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder ``album`` with four shots of 13 files."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "album"
    folder.mkdir()
    for i, path in enumerate(LEADERS):
        Path(path).write_bytes(FISH + bytes([i]))
    for i, path in enumerate(RAWS):
        Path(path).write_bytes(SNAKE + bytes([i]))
    for name in SIDECARS:
        (folder / name).write_text(name)
    restore_times(tmp_path)
    return folder


def paths(text: str) -> list[str]:
    return [row["path"] for row in csv.DictReader(io.StringIO(text))]


def test_a_shot_is_one_row(album: Path, invoke: Invoke) -> None:
    result = invoke("classify", "album", "-f", "csv")
    assert result.exit_code == 0 and paths(result.stdout) == LEADERS
    assert "Images     4 in" in result.stderr and "Skipped    9: companion 9\n" in result.stderr


def test_all_files_gives_no_error_rows_for_companions(album: Path, invoke: Invoke) -> None:
    result = invoke("classify", "album", "-f", "csv", "--all-files", "-v")
    assert result.exit_code == 0 and paths(result.stdout) == LEADERS
    path = os.path.join("album", "IMG_2.MOV")
    assert f"skipped    {path}: companion: belongs to IMG_2.HEIC\n" in result.stderr


def test_both_gives_each_image_a_row(album: Path, invoke: Invoke) -> None:
    result = invoke("classify", "album", "-f", "csv", "--pairs", "both")
    assert sorted(paths(result.stdout)) == sorted(LEADERS + RAWS)
    assert "Skipped    6: no image suffix 6\n" in result.stderr


def test_raw_photos_can_be_chosen_and_named(album: Path, invoke: Invoke) -> None:
    result = invoke("classify", "album", "-f", "csv", "--include", "*.cr2")
    assert paths(result.stdout) == ["album/IMG_1.CR2"]
    named = ["album/IMG_1.CR2", "album/IMG_1.JPG"]
    assert paths(invoke("classify", *named, "-f", "csv").stdout) == named
    listed = invoke("classify", "--files-from", "-", "-f", "csv", input="\n".join(named))
    assert paths(listed.stdout) == named


def test_shards_and_resumed_runs_equal_whole_runs(album: Path, invoke: Invoke) -> None:
    assert invoke("classify", "album", "-o", "whole.csv").exit_code == 0
    whole = Path("whole.csv").read_bytes()
    for end in range(0, len(whole), 120):
        cut(Path("whole.csv"), whole, end)
        assert invoke("classify", "album", "-o", "whole.csv", "--resume").exit_code == 0
        assert Path("whole.csv").read_bytes() == whole
    shards = [f"{n}.csv" for n in "123"]
    for n, shard in enumerate(shards, 1):
        assert invoke("classify", "album", "-o", shard, "--shard", f"{n}/3").exit_code == 0
    assert invoke("merge", *shards, "-o", "merged.csv").exit_code == 0
    assert Path("merged.csv").read_bytes() == whole


def test_runs_with_other_pairs_are_not_mixed(album: Path, invoke: Invoke) -> None:
    invoke("classify", "album", "-o", "both.csv", "--pairs", "both")
    result = invoke("classify", "album", "-o", "both.csv", "--resume")
    assert result.exit_code == 2
    assert "written with --pairs both, now with --pairs first" in result.stderr
    invoke("classify", "album", "-o", "1.csv", "--shard", "1/2")
    invoke("classify", "album", "-o", "2.csv", "--shard", "2/2", "--pairs", "both")
    result = invoke("merge", "1.csv", "2.csv", "-o", "merged.csv")
    assert result.exit_code == 2 and "--pairs both" in result.stderr


def test_shots_are_sorted_and_undone_as_one(album: Path, tmp_path: Path, invoke: Invoke) -> None:
    before, original = snapshot(tmp_path), contents(album)
    result = invoke("sort", "album", "--into", "out", "--move")
    assert result.exit_code == 0, result.stderr
    assert "Sorted     4 photos and 9 companions moved into 1 folder in out\n" in result.stderr
    assert "           fish  4\n" in result.stderr
    assert os.listdir(album) == [] and contents(Path("out", "fish")) == original
    result = invoke("undo", "out", "--dry-run")
    assert "4 photos and 9 companions in out, 13 files to move back, 0 to remove" in result.stdout
    result = invoke("undo", "out")
    assert result.exit_code == 0 and snapshot(tmp_path) == before
    assert "Undone     4 photos and 9 companions in out\n" in result.stderr


def test_excluded_companions_stay_and_include_chooses_photos_only(
    album: Path, invoke: Invoke
) -> None:
    raws = ["IMG_1.CR2", "IMG_1.CR2.xmp", "IMG_2.MOV"]
    result = invoke(
        "sort", "album", "--into", "out", "--move", "--exclude", "*.CR2", "--exclude", "*.mov"
    )
    assert result.exit_code == 0 and sorted(os.listdir(album)) == raws
    assert invoke("undo", "out").exit_code == 0
    result = invoke("sort", "album", "--into", "out", "--move", "--include", "*.JPG")
    assert "Sorted     2 photos and 4 companions moved" in result.stderr


def test_sorting_twice_copies_nothing_and_counts_shots(album: Path, invoke: Invoke) -> None:
    invoke("sort", "album", "--into", "out")
    result = invoke("sort", "album", "--into", "out")
    assert "Skipped    4 photos and 9 companions already in out\n" in result.stderr
    (album / "IMG_4.xmp").write_text("new")
    result = invoke("sort", "album", "--into", "out")
    assert "Sorted     1 companion copied into 1 folder in out" in result.stderr


def edit_plan(path: str, change: Callable[[dict[str, str]], bool]) -> None:
    """Change the rows of a plan, and keep those for which ``change`` returns True."""
    with open(path, newline="") as file:
        rows = [row for row in csv.DictReader(file) if change(row)]
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_companions_stay_with_a_photo_that_the_plan_leaves(album: Path, invoke: Invoke) -> None:
    invoke("sort", "album", "--into", "out", "--move", "--plan", "plan.csv")

    def change(row: dict[str, str]) -> bool:
        if row["source"] == LEADERS[0]:
            row["action"] = "leave"
        return row["source"] != LEADERS[1]

    edit_plan("plan.csv", change)
    result = invoke("sort", "--apply", "plan.csv", "--into", "out")
    assert result.exit_code == 0
    assert "Sorted     2 photos and 4 companions moved" in result.stderr
    assert "Left       1 photo and 5 companions in place\n" in result.stderr
    assert "stays with IMG_2.HEIC" in result.stderr and "Errors" not in result.stderr
    assert [name for name in sorted(os.listdir(album)) if name[4] in "34"] == []
    assert len(os.listdir(album)) == 7
    result = invoke("sort", "album", "--into", "out", "--move")
    assert result.exit_code == 0 and os.listdir(album) == []


def test_applying_a_plan_twice_counts_shots(album: Path, invoke: Invoke) -> None:
    invoke("sort", "album", "--into", "out", "--move", "--plan", "plan.csv")
    for _ in range(3):
        result = invoke("sort", "--apply", "plan.csv", "--into", "out")
    assert "Skipped    4 photos and 9 companions already in out\n" in result.stderr


def test_both_sorts_each_image_by_its_own_row(album: Path, invoke: Invoke) -> None:
    result = invoke("sort", "album", "--into", "out", "--move", "--pairs", "both")
    assert "Sorted     7 photos and 6 companions moved into 2 folders in out" in result.stderr
    assert sorted(os.listdir("out/reptile")) == [
        "IMG_1.CR2", "IMG_1.CR2.xmp", "IMG_2.DNG", "IMG_3.NEF",
    ]  # fmt: skip
    assert len(os.listdir("out/fish")) == 9 and os.listdir(album) == []


def test_shots_stay_together_if_a_shell_or_a_list_names_all_files(
    album: Path, tmp_path: Path, invoke: Invoke
) -> None:
    files = [os.path.join("album", name) for name in sorted(os.listdir(album))]
    result = invoke("sort", *files, "--into", "out", "--move")
    assert result.exit_code == 0, result.stderr
    assert "Sorted     4 photos and 9 companions moved into 1 folder in out" in result.stderr
    assert invoke("undo", "out").exit_code == 0
    result = invoke("sort", "--files-from", "-", "--into", "out", "--move", input="\n".join(files))
    assert result.exit_code == 0 and len(os.listdir("out/fish")) == 13


def test_results_with_rows_of_both_are_sorted_by_row(album: Path, invoke: Invoke) -> None:
    invoke("classify", "album", "--pairs", "both", "--category", "-o", "labels.csv")
    result = invoke("sort", "--from", "labels.csv", "--into", "out", "--move")
    assert result.exit_code == 0
    assert "Sorted     7 photos and 6 companions moved into 2 folders in out" in result.stderr
    assert os.listdir(album) == []


def test_sorting_twice_by_results_with_an_unreadable_raw_photo(album: Path, invoke: Invoke) -> None:
    (album / "IMG_4.CR2").write_bytes(b"not a raw photo")
    assert invoke("classify", "album", "--pairs", "both", "--category", "-o", "r.csv").exit_code
    for _ in range(2):
        result = invoke("sort", "--from", "r.csv", "--into", "out", "--move")
        assert result.exit_code == 0 and os.listdir(album) == []
    assert "Skipped    7 photos and 1 companion already in out\n" in result.stderr
    assert "Errors" not in result.stderr


def test_json_results_beside_their_namesake_stay(album: Path, invoke: Invoke) -> None:
    results = album / "IMG_4.json"
    invoke("classify", "album", "--category", "-o", results)
    result = invoke("sort", "--from", results, "--into", "out", "--move")
    assert "4 photos and 9 companions moved" in result.stderr
    assert os.listdir(album) == ["IMG_4.json"]


def test_pairs_is_validated_and_never_ignored(album: Path, invoke: Invoke) -> None:
    result = invoke("classify", "album", "--pairs", "all")
    assert result.exit_code == 2 and "'all' is not one of 'first', 'both'" in result.stderr
    invoke("classify", "album", "--category", "-o", "labels.csv")
    for given in (["--from", "labels.csv"], ["--apply", "labels.csv"]):
        result = invoke("sort", *given, "--into", "out", "--pairs", "both")
        assert result.exit_code == 2 and "--pairs cannot be combined with" in result.stderr
