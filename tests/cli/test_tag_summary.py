"""The summary of ``mnv2 tag``, its failures and its interruptions."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from mnv2cli.cli.terminal.tag_summary import tag_summary
from mnv2cli.cli.terminal.tag_text import NO_WAY_OUT
from mnv2cli.cli.terminal.tag_tree import plan_summary
from mnv2cli.journals.folder import locked, prepare
from mnv2cli.tagging import apply as applying
from mnv2cli.tagging.actions import TagAction, TagPlan
from mnv2cli.tagging.run import TagOutcome
from mnv2cli.tagging.tags import Tags
from tests.cli.fish import fish_with_sidecar, words
from tests.conftest import draw
from tests.sorting.trees import snapshot

Invoke = Callable[..., Result]
UNSURE = "no label scores 0.3, and no category 0.5"
pytestmark = pytest.mark.usefixtures("fake_engine")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder ``photos``: three fish, a snake with a sidecar, and no image."""
    monkeypatch.chdir(tmp_path)
    return fish_with_sidecar(tmp_path)


def test_the_summary_names_keywords_files_journal_and_the_undo_command(
    folder: Path, tmp_path: Path, invoke: Invoke
) -> None:
    result = invoke("tag", "photos")
    lines = result.stderr.splitlines()
    assert lines[:8] == [
        "Tagged     4 photos with 6 keywords, 3 new sidecars, 1 sidecar changed",
        "           fish         3",
        "           tench        1",
        "           goldfish     1",
        "           stingray     1",
        "           reptile      1",
        "           night snake  1",
        "Errors     1 image not tagged",
    ]
    assert re.fullmatch(
        r"Journal    photos[/\\]\.mnv2[/\\][-0-9]+\.tag\.jsonl, [\d.]+ kB for undo", lines[8]
    )
    assert lines[9:] == [
        "To undo    mnv2 undo photos",
        "left  photos/bad.jpg: not an image: a text file",
    ]
    assert Path(lines[8].split()[1].rstrip(",")).is_file()


def test_a_quiet_run_shows_only_errors(folder: Path, invoke: Invoke) -> None:
    result = invoke("tag", "photos", "-q")
    assert result.exit_code == 4 and result.stdout == ""
    assert result.stderr == "Error: photos/bad.jpg: not an image: a text file\n"
    (folder / "bad.jpg").unlink()
    assert invoke("tag", "photos", "--refresh", "-q").stderr == ""


def test_folders_elsewhere_are_shown_as_absolute_paths(
    folder: Path, tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    result = invoke("tag", tmp_path / "photos")
    assert f"To undo    mnv2 undo {tmp_path / 'photos'}\n" in result.stderr


def test_a_long_summary_shows_the_most_frequent_keywords_and_how_to_free_space() -> None:
    actions = [
        TagAction(f"{i}.jpg", "embed", f"{i}.jpg", Tags(tuple(f"word {n}" for n in range(i, 20))))
        for i in range(20)
    ]
    actions += [
        TagAction("u.jpg", "leave", reason=UNSURE, kind="unsure"),
        TagAction("v.jpg", "leave", reason=UNSURE, kind="unsure"),
        TagAction("s.jpg", "skip"),
        TagAction("l.jpg", "leave", reason="it has 2 hard links"),
    ]
    outcome = TagOutcome(19, changed=19, journal="/d/.mnv2/j.tag.jsonl", kept_bytes=2_340_000)
    outcome.failed.append(("3.jpg", "no space left on device"))
    lines = tag_summary(TagPlan("/d", actions), outcome, 7, space=5_000_000)
    assert lines[0] == ("Tagged", "19 photos with 20 keywords, 19 photos changed", "green")
    assert lines[1][1] == "word 19  19" and lines[9][1] == "... and 12 more keywords"
    assert [(name, text) for name, text, _ in lines[10:]] == [
        ("Unsure", "2 photos: no label scores 0.3, and no category 0.5; to accept any score, add "
         "--threshold 0"),
        ("Skipped", "8 photos tagged already; to tag again, add --refresh"),
        ("Left", "1 photo as it is"),
        ("Failed", "1 file, left as before"),
        ("Journal", os.path.join("/d", ".mnv2", "j.tag.jsonl") + ", 2.3 MB for undo"),
        ("To undo", "mnv2 undo /d"),
        ("To free", "mnv2 undo /d --forget, 5.0 MB (runs here can then no longer be undone)"),
    ]  # fmt: skip


def test_a_plan_from_a_file_suggests_no_option_that_cannot_be_combined() -> None:
    actions = [
        TagAction("u.jpg", "leave", reason=UNSURE, kind="unsure"),
        TagAction("s.jpg", "skip"),
    ]
    lines = tag_summary(TagPlan("/d", actions), TagOutcome(), ways_out=NO_WAY_OUT)
    assert not any("--" in text for _, text, _ in lines)


def test_a_file_that_fails_is_listed_with_exit_code_1(
    folder: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = applying.carry_out

    def carry_out(entry: Any, path: str, *args: Any) -> None:
        if path.endswith("1.png.xmp"):
            raise PermissionError(13, "Permission denied")
        real(entry, path, *args)

    monkeypatch.setattr(applying, "carry_out", carry_out)
    result = invoke("tag", "photos")
    assert result.exit_code == 1
    assert "Failed     1 file, left as before" in result.stderr
    assert "Warning: photos/1.png.xmp: permission denied" in result.stderr
    assert not (folder / "1.png.xmp").exists()
    assert words(folder / "2.png.xmp") == ("fish", "stingray")


@pytest.mark.usefixtures("default_signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_is_reported_and_running_again_finishes(
    folder: Path,
    tmp_path: Path,
    invoke: Invoke,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
    code: int,
) -> None:
    before = snapshot(tmp_path)
    real = applying.carry_out

    def interrupt(*args: Any) -> None:
        real(*args)
        os.kill(os.getpid(), number)

    with monkeypatch.context() as patch:
        patch.setattr(applying, "carry_out", interrupt)
        result = invoke("tag", "photos")
    assert result.exit_code == code
    assert "Stopped between two files; no photo is lost.\n" in result.stderr
    assert "To finish, run the same command again; to undo: mnv2 undo photos\n" in result.stderr
    assert len(list(folder.glob("*.xmp"))) == 2
    assert invoke("tag", "photos").exit_code == 4
    assert len(list(folder.glob("*.xmp"))) == 4
    assert invoke("undo", "photos").exit_code == 0
    assert snapshot(tmp_path) == before


def test_a_run_that_was_killed_is_finished_first(
    folder: Path, tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(tmp_path)
    real = applying.carry_out
    done: list[str] = []

    def killed(entry: Any, path: str, *args: Any) -> None:
        if done:
            raise SystemExit(9)
        done.append(path)
        real(entry, path, *args)

    with monkeypatch.context() as patch:
        patch.setattr(applying, "carry_out", killed)
        assert invoke("tag", "photos").exit_code == 9
    shown = invoke("tag", "photos", "--dry-run")
    assert shown.exit_code == 4 and "Finished" not in shown.stderr
    result = invoke("tag", "photos")
    assert result.exit_code == 4 and len(list(folder.glob("*.xmp"))) == 4
    assert invoke("undo", "photos").exit_code == 0
    assert snapshot(tmp_path) == before


def test_two_runs_at_once_refuse_each_other(folder: Path, invoke: Invoke) -> None:
    prepare(str(folder))
    with locked(str(folder)):
        result = invoke("tag", "photos")
    assert result.exit_code == 2 and "another mnv2 process is using" in result.stderr
    assert len(list(folder.glob("*.xmp"))) == 1


def test_one_photo_is_singular(tmp_path: Path, invoke: Invoke, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    draw(tmp_path / "a b.png", (0, 9, 0))
    result = invoke("tag", "a b.png", "--what", "label")
    assert "Tagged     1 photo with 1 keyword, 1 new sidecar\n" in result.stderr
    assert "To undo    mnv2 undo .\n" in result.stderr


def test_a_quiet_run_shows_failures_that_classifying_has_not_shown(
    folder: Path, invoke: Invoke
) -> None:
    (folder / "bad.jpg").unlink()
    (folder / "0.png.xmp").mkdir()
    for options in ([], ["--plan", "plan.csv"], ["--remove"]):
        result = invoke("tag", "photos", "-q", *options)
        assert result.exit_code == 4
        assert result.stderr.startswith("Error: photos/0.png: unreadable sidecar: 0.png.xmp: ")
        assert result.stderr.count("\n") == 1


def test_a_photo_with_several_actions_is_counted_once() -> None:
    actions = [
        TagAction("both.jpg", "sidecar", "both.jpg.xmp"),
        TagAction("both.jpg", "embed", "both.jpg"),
        TagAction("half.jpg", "sidecar", "half.jpg.xmp"),
        TagAction("half.jpg", "leave", reason="its tags are in the photo"),
        TagAction("dir.jpg", "leave", reason="unreadable sidecar", is_failure=True),
        TagAction("dir.jpg", "leave", reason="its tags are in the photo"),
    ]
    plan = TagPlan("/d", actions, is_removal=True)
    outcome = TagOutcome(3, changed=1, removed=2)
    assert [(name, text) for name, text, _ in tag_summary(plan, outcome)] == [
        ("Removed", "keywords of 2 photos, 1 file changed, 2 sidecars removed"),
        ("Errors", "1 photo with keywords that cannot be removed"),
    ]
    assert plan_summary(plan) == (
        "2 photos, keywords removed from 2 new sidecars and 1 photo; 1 left as it is"
    )


def test_a_photo_whose_keywords_go_away_is_not_counted_as_tagged(
    folder: Path, invoke: Invoke
) -> None:
    (folder / "bad.jpg").unlink()
    assert invoke("tag", "photos", "-q").exit_code == 0
    (folder / "mine.toml").write_text('[tags]\nblock = ["fish", "tench"]\n')
    options = ("--refresh", "--categories", "photos/mine.toml")
    shown = invoke("tag", "photos", *options, "--dry-run").stdout
    assert "2 photos, 2 keywords, into 2 sidecars; 1 photo, keywords removed" in shown
    lines = invoke("tag", "photos", *options).stderr.splitlines()
    assert lines[0] == "Tagged     2 photos with 2 keywords, 2 sidecars changed, 1 sidecar removed"
    assert lines[1] == "Removed    keywords of 1 photo"


def test_a_refresh_does_not_suggest_to_refresh(folder: Path, invoke: Invoke) -> None:
    (folder / "bad.jpg").unlink()
    assert invoke("tag", "photos", "-q").exit_code == 0
    result = invoke("tag", "photos", "--refresh")
    assert "Skipped    4 photos tagged already\n" in result.stderr
    assert "to tag again, add --refresh" in invoke("tag", "photos").stderr


def test_the_preview_of_a_plan_from_a_file_suggests_no_option(folder: Path, invoke: Invoke) -> None:
    (folder / "bad.jpg").unlink()
    assert invoke("tag", "photos", "--threshold", "1", "--plan", "plan.csv").exit_code == 0
    result = invoke("tag", "--apply", "plan.csv", "--dry-run")
    assert "no label scores 1" in result.stdout and "--threshold" not in result.stdout


def test_an_untagged_photo_that_a_plan_skips_is_not_called_tagged(
    folder: Path, invoke: Invoke
) -> None:
    (folder / "bad.jpg").unlink()
    assert invoke("tag", "photos", "--plan", "plan.csv").exit_code == 0
    plan = folder.parent / "plan.csv"
    plan.write_text(plan.read_text().replace(",sidecar,", ",skip,", 1))
    result = invoke("tag", "--apply", "plan.csv")
    assert "Tagged     3 photos" in result.stderr and "tagged already" not in result.stderr
    assert "Left       1 photo as it is\n" in result.stderr
