"""The progress, the summary and the interruptions of ``mnv2 sort``."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from click.testing import Result

from mnv2cli.cli import sort_job
from mnv2cli.cli.terminal.screen import Screen
from mnv2cli.cli.terminal.sort_summary import sort_summary
from mnv2cli.journals.folder import prepare
from mnv2cli.records import Record
from mnv2cli.sorting.actions import Action, Plan
from mnv2cli.sorting.run import Outcome
from tests.conftest import FakeEngine, Interrupted, draw
from tests.sorting.trees import snapshot

Invoke = Callable[..., Result]


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake_engine: FakeEngine) -> Path:
    """Return a folder with two fish, a jay and a text file named as an image."""
    monkeypatch.chdir(tmp_path)
    for i, red in enumerate([0, 1, 17]):
        draw(tmp_path / "photos" / f"{i}.png", (red, 9, 0))
    (tmp_path / "photos" / "bad.jpg").write_text("text")
    return tmp_path / "photos"


def test_the_summary_names_folders_journal_and_the_undo_command(
    photos: Path, invoke: Invoke
) -> None:
    result = invoke("sort", "photos", "--into", "my photos", "--move")
    assert result.exit_code == 4 and result.stdout == ""
    lines = result.stderr.splitlines()
    assert lines[:4] == [
        "Sorted     3 photos moved into 2 folders in my photos",
        "           fish  2",
        "           bird  1",
        "Errors     1 image not sorted, left in place",
    ]
    assert re.fullmatch(r"Journal    my photos[/\\]\.mnv2[/\\][-0-9]+\.jsonl", lines[4])
    assert lines[5:] == [
        "To undo    mnv2 undo 'my photos'",
        "left  photos/bad.jpg: not an image: a text file",
    ]
    assert Path(lines[4].removeprefix("Journal    ")).is_file()


def test_one_file_and_one_folder_are_singular(photos: Path, invoke: Invoke) -> None:
    assert (
        "1 photo copied into 1 folder in a"
        in invoke("sort", photos / "0.png", "--into", "a").stderr
    )
    assert "Undone     1 photo in a" in invoke("undo", "a").stderr
    assert "1 photo, " in invoke("sort", photos / "0.png", "--into", "a", "--dry-run").stdout


def test_unsure_small_and_ignored_categories_are_counted_separately(
    photos: Path, invoke: Invoke
) -> None:
    result = invoke("sort", "photos", "--into", "a", "--threshold", "0.97")
    assert "Unsure     3 photos: score below 0.97\n" in result.stderr
    result = invoke("sort", "photos", "--into", "b", "--min-count", "2")
    assert "Other      1 photo: small or ignored categories" in result.stderr
    Path("mine.toml").write_text("[fish]\nignore = true\n")
    result = invoke("sort", "photos", "--into", "c", "--categories", "mine.toml")
    assert "Other      2 photos: small or ignored categories" in result.stderr
    assert Path("c/other/0.png").exists() and Path("c/bird/2.png").exists()


@pytest.fixture
def doubtful(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file of results: a sure dog, an unsure one with notes, one without a category."""
    monkeypatch.chdir(tmp_path)
    rows = []
    for i, score in enumerate([0.9, 0.4, 0.0]):
        draw(tmp_path / "photos" / f"{i}.png", (i, 9, 0))
        prediction = {"wnid": "n02112137", "label": "chow", "score": score}
        row = {"path": f"photos/{i}.png", "status": "ok", "error": None}
        category = {"category": "dog" if score else None, "category_score": score}
        category["category_margin"] = score / 2
        rows.append(json.dumps({**row, "predictions": [prediction], **category}))
    (tmp_path / "photos" / "1.xmp").write_text("notes")
    (tmp_path / "r.jsonl").write_text("\n".join(rows) + "\n")
    return tmp_path / "r.jsonl"


HOW = "score below 0.5 or no category is certain enough; to accept any score, "


def test_a_default_threshold_names_the_way_out(doubtful: Path, invoke: Invoke) -> None:
    args = ("sort", "--from", doubtful, "--into", "out")
    shown = invoke(*args, "--dry-run")
    assert shown.exit_code == 0
    assert shown.stdout.endswith(f"\nunsure/ gets 2 photos: {HOW}add --threshold 0.\n")
    written = invoke(*args, "--plan", "plan.csv").stderr.splitlines()
    assert written[1] == f"unsure/ gets 2 photos: {HOW}add --threshold 0."
    result = invoke(*args)
    assert result.exit_code == 0
    assert f"Unsure     2 photos: {HOW}undo, then add --threshold 0\n" in result.stderr
    assert sorted(p.name for p in Path("out/unsure").iterdir()) == ["1.png", "1.xmp", "2.png"]
    assert invoke("undo", "out").exit_code == 0
    everything = invoke(*args, "--threshold", "0")
    assert "Unsure     1 photo: no category is certain enough\n" in everything.stderr
    assert sorted(p.name for p in Path("out/dog").iterdir()) == ["0.png", "1.png", "1.xmp"]


def test_the_way_out_is_not_named_for_the_users_own_threshold_or_plan(
    doubtful: Path, invoke: Invoke
) -> None:
    args = ("sort", "--from", doubtful, "--into", "out")
    none = "no category is certain enough"
    for options, photos in (
        (["--threshold", "0.95"], f"3 photos: score below 0.95 or {none}"),
        (["--threshold", "0", "--min-margin", "0.2"], f"1 photo: {none}"),
        (["--threshold", "0", "--min-margin", "0.3"], f"2 photos: {none} or lead below 0.3"),
    ):
        shown = invoke(*args, "--dry-run", *options).stdout
        assert shown.endswith(f"\nunsure/ gets {photos}.\n")
    assert invoke(*args, "--plan", "plan.csv").exit_code == 0
    result = invoke("sort", "--apply", "plan.csv", "--into", "out")
    assert "Unsure     2 photos: score below 0.5 or no category" in result.stderr
    assert "--threshold" not in result.stderr


def test_long_summaries_are_cut_to_the_largest_folders() -> None:
    actions = [
        Action(f"{name}{i}.jpg", "copy", f"class {name:02}", "x", size=100)
        for name in range(20)
        for i in range(name + 1)
    ]
    actions += [Action("u.jpg", "copy", "Unsure", "x"), Action("o.jpg", "copy", "other", "x")]
    outcome = Outcome(211, [("190.jpg", "no space left on device")], 0, "/d/.mnv2/j.jsonl")
    lines = sort_summary(Plan("/d", actions), outcome, "d")
    assert len(lines) <= 20
    assert lines[0][1] == "211 photos copied into 22 folders in d, 20.9 kB"
    assert lines[1][1] == "class 18  19" and lines[2][1] == "class 19  19"  # one of them failed
    assert lines[9][1] == "... and 12 more folders"
    assert [name for name, _, _ in lines[10:]] == [
        "Unsure",
        "Other",
        "Failed",
        "Journal",
        "To undo",
    ]


def test_a_link_to_a_moved_photo_is_not_an_error(photos: Path, invoke: Invoke) -> None:
    (photos / "bad.jpg").unlink()
    (photos / "link.png").symlink_to("0.png")
    result = invoke("sort", "photos", "--into", "out", "--move")
    assert result.exit_code == 0
    assert "Left       1 photo in place" in result.stderr and "Errors" not in result.stderr
    assert "left  photos/link.png: is a link to a photo that is moved" in result.stderr


@pytest.mark.parametrize("options", [[], ["--dry-run"], ["--plan", "plan.csv"]])
def test_ctrl_c_while_classifying_says_that_nothing_was_changed(
    photos: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    monkeypatch.setattr("mnv2cli.inference.classifier.open_engine", lambda *a, **k: Interrupted())
    before = snapshot(photos.parent)
    result = invoke("sort", "photos", "--into", "out", "--move", *options)
    assert result.exit_code == 130 and snapshot(photos.parent) == before
    assert result.stderr.endswith("Stopped before sorting: no file was changed.\nInterrupted.\n")


def test_ctrl_c_while_an_interrupted_run_is_finished_names_the_undo_command(
    photos: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sort_job, "finish", interrupt)
    result = invoke("sort", "photos", "--into", "my photos")
    assert result.exit_code == 130
    assert "to undo: mnv2 undo 'my photos'" in result.stderr


def test_classifying_shows_the_total(
    photos: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    totals = []

    @contextmanager
    def progress(
        self: Screen, count: Callable[[Event], int | None] | None, done: int = 0
    ) -> Iterator[Callable[[Record], None]]:
        totals.append(count(Event()) if count else None)
        yield lambda record: None

    monkeypatch.setattr(Screen, "progress", progress)
    invoke("sort", "photos", "--into", "photos/sorted", "--copy")
    invoke("sort", "photos", "--into", "photos/sorted", "--copy")  # its own photos do not count
    assert totals == [4, 4]


def test_undo_reports_if_everything_is_undone(photos: Path, invoke: Invoke) -> None:
    Path("mine").mkdir()
    invoke("sort", "photos", "--into", "mine")
    assert invoke("undo", "mine").exit_code == 0
    for options in ([], ["--list"], ["--dry-run"]):
        result = invoke("undo", "mine", *options)
        assert result.exit_code == 2 and "every sort into it was undone" in result.stderr
    Path("mine/.mnv2").mkdir()  # as an undo that is killed at its end leaves it
    result = invoke("undo", "mine")
    assert result.exit_code == 0 and Path("mine").is_dir()
    assert "Undone     nothing: no photo of a sort is in mine\n" in result.stderr
    result = invoke("undo", "gone", "--list")
    assert result.exit_code == 2 and "nothing to undo in 'gone': it does not exist" in result.stderr
    for option in ("--dry-run", "--trust"):
        result = invoke("undo", "mine", "--list", option)
        assert result.exit_code == 2 and f"{option} cannot be combined" in result.stderr


def test_undo_of_a_sort_that_was_killed_before_its_journal_names_the_empty_folder(
    photos: Path, invoke: Invoke
) -> None:
    for name in ("my sorted", "mine"):
        prepare(str(photos.parent / name))  # the sort ends here
        Path(name, ".mnv2", "lock").touch()
    Path("mine", "own.txt").touch()
    assert invoke("undo", "my sorted", "--dry-run").exit_code == 0
    result = invoke("undo", "my sorted")
    assert (result.exit_code, result.stderr) == (
        0,
        "Undone     nothing: no photo of a sort is in my sorted\n"
        "The folder is empty; to remove it: rmdir 'my sorted'\n",
    )
    assert list(Path("my sorted").iterdir()) == []
    assert "rmdir" not in invoke("undo", "mine").stderr
    assert [path.name for path in Path("mine").iterdir()] == ["own.txt"]


@pytest.mark.parametrize("options", [["-q"], []])
def test_results_from_another_folder_say_where_to_run(
    photos: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    hint = (
        "Warning: Paths in ../labels.csv are relative to the folder where mnv2 classify ran: "
        "run mnv2 sort there.\n"
    )
    assert invoke("classify", "photos", "-q", "-o", "labels.csv").exit_code == 4
    Path("other").mkdir()
    monkeypatch.chdir("other")
    args = ("sort", "--from", "../labels.csv", "--into", "out", "--by", "label", *options)
    result = invoke(*args)
    assert result.exit_code == 4 and result.stderr.endswith(hint)
    if options:
        assert "Error: photos/0.png: cannot be read: no such file" in result.stderr
        assert "Error: photos/bad.jpg: not an image: a text file\n" in result.stderr
    draw(Path("photos", "0.png"), (0, 9, 0))
    result = invoke(*args)
    assert result.exit_code == 4 and hint not in result.stderr
    assert result.stderr.count("Error: ") == (3 if options else 0)


def test_results_of_photos_that_were_moved_before_cause_no_warning(
    photos: Path, invoke: Invoke
) -> None:
    (photos / "bad.jpg").unlink()
    assert invoke("classify", "photos", "-q", "-o", "labels.csv").exit_code == 0
    args = ("sort", "--from", "labels.csv", "--into", "out", "--by", "label", "--move", "-q")
    for _ in range(2):
        result = invoke(*args)
        assert (result.exit_code, result.stderr) == (0, "")


def test_photos_left_in_a_quiet_run_by_results_are_limited(photos: Path, invoke: Invoke) -> None:
    prediction = {"wnid": "n01440764", "label": "tench", "score": 0.9}
    rows = [
        json.dumps({"path": path, "status": "ok", "predictions": [prediction], "error": None})
        for path in ["photos/0.png", *(f"gone/{i}.png" for i in range(22))]
    ]
    Path("labels.jsonl").write_text("\n".join(rows) + "\n")
    result = invoke("sort", "--from", "labels.jsonl", "--into", "out", "--by", "label", "-q")
    lines = result.stderr.splitlines()
    assert result.exit_code == 4 and len(lines) == 21
    assert lines[-1] == "... and 2 more"


def test_long_lines_are_wrapped_between_words_on_a_terminal(
    photos: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    from mnv2cli.cli.terminal.plan_tree import print_tree

    plan = Plan("/d", [Action(f"photo number {i} " * 9, "leave", "", "", "why") for i in range(7)])
    monkeypatch.setenv("COLUMNS", "60")
    print_tree(plan, verbose=False)
    text = capsys.readouterr().out
    assert len(text.splitlines()) == 7 and "and 2 more; -v shows all" in text  # not a terminal
    monkeypatch.setattr("rich.console.Console.is_terminal", True)
    monkeypatch.setenv("TERM", "xterm")
    print_tree(plan, verbose=True)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80 and len(lines) > 14
    assert sys.stdout.isatty() is False
