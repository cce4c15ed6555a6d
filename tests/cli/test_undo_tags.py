"""``mnv2 undo`` of tag runs, and of sorts in folders that have both."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from mnv2cli.journals.file import all_journals, journals
from mnv2cli.sorting.apply import apply
from tests.journals.tag_runs import tag
from tests.sorting.trees import plan_of, record, restore_times, snapshot, write

Invoke = Callable[..., Result]


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder of two photos, one with a sidecar, in the current folder."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "photos"
    for name in ("a.jpg", "b.jpg"):
        write(folder / name, f"photo {name}")
    write(folder / "b.jpg.xmp", "notes")
    restore_times(folder)
    restore_times(tmp_path)
    return folder


def _tag(folder: Path) -> str:
    return tag(folder, {folder / "a.jpg.xmp": b"tags", folder / "b.jpg.xmp": b"notes and tags"})


def test_a_tag_run_is_previewed_listed_and_undone(photos: Path, invoke: Invoke) -> None:
    before = snapshot(photos)
    journal = _tag(photos)
    result = invoke("undo", "photos", "--dry-run", "-v")
    assert result.exit_code == 0
    assert result.stderr == "b.jpg.xmp: to restore\na.jpg.xmp: to remove\n"
    assert result.stdout == (
        "Dry run, nothing was changed: 2 tagged files in photos, 1 to remove, 1 to restore.\n"
    )
    shown = invoke("undo", "photos", "--list").stdout
    assert shown.startswith(journal) or Path(shown.split("  ")[0]).samefile(journal)
    assert "  tags: 2 files, 1 created, 1 changed  " in shown and " for undo\n" in shown
    result = invoke("undo", "photos")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "Undone     the tags of 2 files in photos\n" in result.stderr
    assert snapshot(photos) == before
    result = invoke("undo", "photos")
    assert result.exit_code == 2
    assert "nothing to undo in 'photos': it has no journal" in result.stderr


def test_the_last_run_of_either_kind_is_undone_first(photos: Path, invoke: Invoke) -> None:
    before, dest = snapshot(photos.parent), photos.parent / "sorted"
    apply(plan_of([record(photos / "a.jpg")], dest, "copy"))
    _tag(dest)
    names = [Path(name).name for name in reversed(all_journals(str(dest)))]
    shown = invoke("undo", "sorted", "--list").stdout.splitlines()
    assert [Path(line.split("  ")[0]).name for line in shown] == names
    assert "  tags: " in shown[0] and "  1 photo  copy" in shown[1]
    assert "the tags of 2 files" in invoke("undo", "sorted").stderr
    assert "1 photo in sorted" in invoke("undo", "sorted").stderr
    assert snapshot(photos.parent) == before


def test_a_named_journal_is_undone_before_the_last_run(photos: Path, invoke: Invoke) -> None:
    before, dest = snapshot(photos.parent), photos.parent / "sorted"
    apply(plan_of([record(photos / "a.jpg"), record(photos / "b.jpg")], dest, "move"))
    _tag(dest / "tench")
    (name,) = journals(str(dest))
    result = invoke("undo", name)
    assert result.exit_code == 0 and "Undone     2 photos and 1 companion in " in result.stderr
    assert (photos / "a.jpg.xmp").read_bytes() == b"tags"
    assert invoke("undo", "sorted/tench").exit_code == 0
    assert snapshot(photos.parent) == before


def test_undone_tag_runs_stay_until_the_sort_is_undone(photos: Path, invoke: Invoke) -> None:
    before = snapshot(photos.parent)
    _tag(photos)
    found = [record(photos / "a.jpg"), record(photos / "b.jpg")]
    apply(plan_of(found, photos.parent / "my sorted", "copy"))
    assert invoke("undo", "photos").exit_code == 0
    result = invoke("undo", "photos")
    assert result.exit_code == 2 and "every run in it was undone or forgotten" in result.stderr
    assert "my sorted'" in result.stderr
    assert "  2 undone" in invoke("undo", "photos", "--list").stdout
    assert invoke("undo", "my sorted").exit_code == 0
    assert snapshot(photos.parent) == before


def test_files_that_changed_since_they_were_tagged_are_reported(
    photos: Path, invoke: Invoke
) -> None:
    _tag(photos)
    (photos / "a.jpg.xmp").unlink()
    (photos / "b.jpg.xmp").write_text("edited")
    result = invoke("undo", "photos")
    assert result.exit_code == 1 and "Undone     nothing in photos\n" in result.stderr
    assert "Kept       1 file, left as " in result.stderr
    assert "Not found  1 file, moved or removed since the tag run\n" in result.stderr
    assert (photos / "b.jpg.xmp").read_text() == "edited"


def test_tag_runs_are_forgotten_and_sorts_are_not(photos: Path, invoke: Invoke) -> None:
    _tag(photos)
    apply(plan_of([record(photos / "b.jpg")], photos.parent / "sorted", "copy"))
    (sort,) = journals(str(photos.parent / "sorted"))
    for path in ("sorted", sort):
        result = invoke("undo", path, "--forget")
        assert result.exit_code == 2 and "forg" in result.stderr, path
    result = invoke("undo", "photos", "--forget")
    assert result.exit_code == 0 and result.stdout == ""
    assert "Forgotten  1 tag run in photos; the files stay tagged\n" in result.stderr
    assert "Freed      " in result.stderr
    assert (photos / "a.jpg.xmp").read_bytes() == b"tags"
    for options in ([], ["--forget"]):
        assert invoke("undo", "photos", *options).exit_code == 2
    (name,) = journals(str(photos), "tag")
    result = invoke("undo", name)
    assert result.exit_code == 2 and "was forgotten" in result.stderr
    assert (photos / "a.jpg.xmp").read_bytes() == b"tags"
    assert "forgotten, kept for" in invoke("undo", "photos", "--list").stdout
    assert invoke("undo", "sorted").exit_code == 0
    assert not (photos / ".mnv2").exists() and (photos / "a.jpg.xmp").exists()


def test_one_of_several_tag_runs_is_forgotten(photos: Path, invoke: Invoke) -> None:
    first = _tag(photos)
    last = tag(photos, {photos / "a.jpg.xmp": b"other tags"})
    assert invoke("undo", first, "--forget").exit_code == 0
    assert journals(str(photos), "tag") == [last]
    assert invoke("undo", "photos").exit_code == 0
    assert (photos / "a.jpg.xmp").read_bytes() == b"tags"
    assert not (photos / ".mnv2").exists()


def test_forgetting_cannot_be_combined_with_other_options(photos: Path, invoke: Invoke) -> None:
    _tag(photos)
    for option in ("--dry-run", "--trust", "--list"):
        result = invoke("undo", "photos", "--forget", option)
        message = f"{option} cannot be combined with --forget, which undoes nothing."
        assert result.exit_code == 2 and message in result.stderr
    assert len(all_journals(str(photos))) == 1


def test_a_copied_tag_journal_requires_trust(photos: Path, invoke: Invoke) -> None:
    _tag(photos)
    shutil.copytree(photos, "unpacked")
    result = invoke("undo", "unpacked")
    assert result.exit_code == 2 and "add --trust" in result.stderr
    assert "was copied or unpacked" in invoke("undo", "unpacked", "--dry-run").stderr
    assert invoke("undo", "unpacked", "--trust").exit_code == 0
    assert not Path("unpacked/a.jpg.xmp").exists()


def test_a_preview_tells_which_files_would_be_kept(photos: Path, invoke: Invoke) -> None:
    _tag(photos)
    last = tag(photos, {photos / "a.jpg.xmp": b"other tags"})
    (photos / "b.jpg.xmp").write_text("edited")
    first = invoke("undo", "photos", "--dry-run")
    assert first.stdout == (
        "Dry run, nothing was changed: 1 tagged file in photos, 1 to restore.\n"
    )
    assert invoke("undo", last, "-q").exit_code == 0
    result = invoke("undo", "photos", "--dry-run", "-v")
    assert result.stderr == "b.jpg.xmp: changed since and to keep\na.jpg.xmp: to remove\n"
    assert result.stdout.endswith(", 1 to remove, 1 changed since and to keep.\n")
    (photos / "a.jpg.xmp").unlink()
    shown = invoke("undo", "photos", "--dry-run").stdout
    assert shown.endswith(", 1 changed since and to keep, 1 as before already.\n")


def test_the_way_to_remove_keywords_from_changed_files_can_be_typed(
    photos: Path, invoke: Invoke
) -> None:
    _tag(photos)
    (photos / "b.jpg.xmp").write_text("edited")
    result = invoke("undo", "photos")
    assert "Kept       1 file, left as it is\n" in result.stderr
    assert result.stderr.endswith("from changed files: mnv2 tag --remove photos\n")


def test_the_way_to_remove_keywords_from_changed_photos_embeds(
    photos: Path, invoke: Invoke
) -> None:
    tag(photos, {photos / "a.jpg": b"tagged"})
    (photos / "a.jpg").write_text("edited")
    assert invoke("undo", "photos").stderr.endswith(": mnv2 tag --embed --remove photos\n")
