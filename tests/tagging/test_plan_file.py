"""Plans of tags as CSV, edited by hand and checked."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from mnv2cli.errors import InputError, OutputError
from mnv2cli.tagging.actions import TagAction, TagPlan, WriteOptions
from mnv2cli.tagging.options import PlaceOptions, TagOptions
from mnv2cli.tagging.plan import make_plan
from mnv2cli.tagging.plan_file import read_plan, write_plan
from mnv2cli.tagging.tags import Tags
from tests.tagging.tagged_files import TABBY, cat, failed, jpeg, packet, touch, unsure


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    touch(folder, "a.jpg b.jpg c.jpg")
    return folder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "plan.csv"


def written(photos: Path, file: Path, options: TagOptions | None = None) -> TagPlan:
    records = [cat(photos / "a.jpg"), unsure(photos / "b.jpg"), cat(photos / "c.jpg")]
    plan = make_plan(records, options)
    write_plan(plan, str(file))
    return plan


def edited(file: Path, column: str, value: str, line: int = 2) -> None:
    with file.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    rows[line - 2][column] = value
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def tags(file: Path) -> Tags | None:
    return read_plan(str(file)).work[0].tags


@pytest.mark.parametrize("prefix", ["", "auto/ai/", "auto-", "auto:"])
def test_a_plan_is_read_as_it_was_written(photos: Path, file: Path, prefix: str) -> None:
    plan = written(photos, file, TagOptions(prefix=prefix))
    assert read_plan(str(file)) == plan
    assert file.read_text().startswith("path,action,keywords,file,")


def test_unusual_names_and_words_survive(tmp_path: Path, file: Path) -> None:
    touch(tmp_path, "=a,;b.jpg")
    odd = [tmp_path / "=a,;b.jpg"]
    if os.name == "posix":
        odd.append(Path(os.fsdecode(os.fsencode(tmp_path) + b"/odd\xff.jpg")))
        odd[1].touch()
    words = ("a;b", "c|d", "e\\", "\\;", "=1+1", "'x", 'ünï, "q"')
    paths = ((words[0], words[1], words[2]), tuple(words[3:5]), (words[5], words[6]))
    wanted = Tags(words, paths, "@net", 0.1234567)
    actions = [TagAction(str(path), "sidecar", f"{path}.xmp", wanted) for path in odd]
    write = WriteOptions(hierarchy=True, touch=True)
    plan = TagPlan(str(tmp_path), actions, write)
    write_plan(plan, str(file))
    assert read_plan(str(file)) == plan
    assert b",'@net," in file.read_bytes()


def test_keywords_can_be_edited(photos: Path, file: Path) -> None:
    written(photos, file)
    edited(file, "keywords", " Tabby ;; tabby; my cat")
    found = tags(file)
    assert found is not None
    assert found.keywords == ("Tabby", "my cat")
    assert found.paths == (("cat", "tabby"), ("my cat",))
    edited(file, "keywords", "dog")
    assert tags(file) == Tags(("dog",), (), TABBY.model, TABBY.score)
    edited(file, "keywords", "dog; pug")
    edited(file, "hierarchy", "animal|dog|pug")
    found = tags(file)
    assert found is not None and found.paths == (("animal", "dog", "pug"),)
    edited(file, "keywords", "")
    assert tags(file) is None


def test_rows_can_be_left_deleted_and_added(photos: Path, file: Path) -> None:
    plan = written(photos, file)
    edited(file, "action", "leave")
    read = read_plan(str(file))
    assert [(each.method, each.reason) for each in read.actions] == [
        ("leave", "as the plan says"),
        ("leave", "no label scores 0.3, and no category 0.5"),
        ("sidecar", ""),
    ]
    assert read.work == plan.work[1:]
    edited(file, "action", " Sidecar ", line=3)
    edited(file, "keywords", "mine", line=3)
    added = read_plan(str(file)).work[0]
    assert (added.source, added.file) == (str(photos / "b.jpg"), str(photos / "b.jpg.xmp"))
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join([lines[0], lines[3]]))
    assert [each.source for each in read_plan(str(file)).actions] == [str(photos / "c.jpg")]


def test_removals_and_failures_survive(photos: Path, file: Path) -> None:
    (photos / "b.jpg.xmp").write_bytes(packet())
    (photos / "c.jpg").write_bytes(jpeg(TABBY))
    records = [failed(photos / "a.jpg"), unsure(photos / "b.jpg"), unsure(photos / "c.jpg")]
    for embed in (False, True):
        plan = make_plan(records, place=PlaceOptions(embed=embed, refresh=True))
        write_plan(plan, str(file))
        read = read_plan(str(file))
        assert read.work == plan.work and plan.work
        assert read.actions[0] == TagAction(
            str(photos / "a.jpg"), "leave", reason="empty file", kind="unreadable"
        )


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("action", "burn", "line 2: unknown action 'burn'; use sidecar, embed, skip or leave"),
        ("path", "", "line 2: it has no path"),
        ("path", "gone.jpg", "line 2: 'gone.jpg' cannot be read"),
        ("path", ".", "line 2: '.' is not a regular file"),
        ("path", "s3://bucket/a.jpg", "line 2: its photo is not on this machine"),
        ("file", "a.jpg.xmp", "is not a sidecar beside"),
        ("file", "PHOTOS/b.jpg.xmp", "is not a sidecar beside"),
        ("file", "PHOTOS/a.jpg", "is not a sidecar beside"),
        ("file", "PHOTOS/../a.xmp", "is not a sidecar beside"),
        ("file", "PHOTOS/.mnv2/a.xmp", "is not a sidecar beside"),
        ("keywords", "a\nb", "control characters"),
        ("keywords", "a\ud800b", "control characters"),
        ("model", "a\x1bb", "control characters"),
        ("score", "1.5", "the score '1.5' is not between 0 and 1"),
        ("score", "nan", "the score 'nan' is not between 0 and 1"),
        ("options", "fast", "unknown option 'fast'; use hierarchy or touch"),
    ],
)
def test_a_plan_is_checked_before_anything_is_written(
    photos: Path, file: Path, column: str, value: str, message: str
) -> None:
    written(photos, file)
    text = value.replace("PHOTOS", str(photos))
    if "\ud800" in text:
        lines = file.read_bytes().replace(b"cat; tabby", b"a\xffb", 1)
        file.write_bytes(lines)
    else:
        edited(file, column, text)
    with pytest.raises(InputError) as caught:
        read_plan(str(file))
    assert message in str(caught.value)
    assert "nothing was changed" in caught.value.message


def test_rows_that_contradict_each_other_are_refused(photos: Path, file: Path) -> None:
    written(photos, file)
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join([*lines, lines[1]]))
    with pytest.raises(InputError, match="line 5: line 2 writes the same file"):
        _raised(file)
    file.write_text("".join(lines))
    edited(file, "options", "touch")
    with pytest.raises(InputError, match="line 4: its options differ"):
        _raised(file)


def test_only_photos_that_allow_it_are_embedded_into(photos: Path, file: Path) -> None:
    written(photos, file)
    edited(file, "action", "embed")
    with pytest.raises(InputError, match="the file to embed into is not the photo"):
        _raised(file)
    edited(file, "file", "")
    assert read_plan(str(file)).work[0].file == str(photos / "a.jpg")
    try:
        os.link(photos / "a.jpg", photos / "d.jpg")
    except OSError:
        pytest.skip("links cannot be created")
    with pytest.raises(InputError, match="it has 2 hard links"):
        _raised(file)
    touch(photos, "e.gif")
    edited(file, "path", str(photos / "e.gif"))
    with pytest.raises(InputError, match="tags are not embedded into photos such as"):
        _raised(file)


def test_files_that_are_not_plans_are_refused(tmp_path: Path, file: Path) -> None:
    for text, message in (
        ("a,b\n1,2\n", "is not a plan of tags"),
        ("path,action,keywords\n", "has no rows"),
        ("path,action,keywords\n" + "x" * 200_000, "is not valid CSV"),
    ):
        file.write_text(text)
        with pytest.raises(InputError, match=message):
            _raised(file)
    with pytest.raises(InputError, match="cannot read the plan"):
        read_plan(str(tmp_path / "none.csv"))
    with pytest.raises(OutputError, match="cannot write"):
        write_plan(TagPlan(str(tmp_path)), str(tmp_path / "none" / "plan.csv"))


def _raised(file: Path) -> None:
    """Read a plan; raise its error with the lines in the message."""
    try:
        read_plan(str(file))
    except InputError as error:
        raise InputError(str(error)) from error


@pytest.mark.parametrize(
    ("columns", "lacking", "hint"),
    [
        ("path,status,label", "the columns action and keywords", "mnv2 tag --from "),
        ("path,action", "the column keywords", "mnv2 tag --plan writes one."),
        ("a,b", "the columns path, action and keywords", "mnv2 tag --plan writes one."),
    ],
)
def test_only_missing_columns_are_named(file: Path, columns: str, lacking: str, hint: str) -> None:
    file.write_text(f"{columns}\n")
    with pytest.raises(InputError) as caught:
        read_plan(str(file))
    assert caught.value.message.endswith(f"it lacks {lacking}") and hint in caught.value.hint


def test_relative_paths_of_a_plan_from_elsewhere_are_explained(
    photos: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photos.parent)
    write_plan(make_plan([cat(Path("photos/a.jpg"))]), str(file))
    assert read_plan(str(file)).work
    monkeypatch.chdir(photos)
    with pytest.raises(InputError, match="Paths in a plan are relative to the folder where"):
        read_plan(str(file))
    file.write_text(file.read_text().replace("photos/a.jpg", str(photos / "gone.jpg")))
    with pytest.raises(InputError) as caught:
        read_plan(str(file))
    assert "Paths in a plan" not in caught.value.hint
