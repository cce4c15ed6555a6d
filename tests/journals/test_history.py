"""What tag runs did to files, by their journals."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from mnv2cli.errors import InputError, OutputError
from mnv2cli.journals.file import LARGEST_LINE, Journal
from mnv2cli.journals.folder import locked
from mnv2cli.journals.history import History
from mnv2cli.journals.tag_journal import read_tag_journal
from tests.growth import count_calls, grows_like
from tests.journals.tag_runs import tag, untag
from tests.sorting.trees import write


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def _explains(path: Path, expected: str, now: str | None) -> bool:
    return History().explains([str(path)], _digest(expected), now and _digest(now))


def test_contents_are_explained_by_any_chain_of_changes(tmp_path: Path) -> None:
    photo = write(tmp_path / "in" / "a.jpg", "one")
    tag(tmp_path / "in", {photo: b"two"})
    tag(tmp_path, {photo: b"three"})
    for expected in ("one", "two", "three"):
        for now in ("one", "two", "three"):
            assert _explains(photo, expected, now)
        assert not _explains(photo, expected, "four") and not _explains(photo, expected, None)
    assert not _explains(tmp_path / "in" / "b.jpg", "one", "two")


def test_any_number_of_folders_may_be_above_a_file(tmp_path: Path) -> None:
    photo = write(tmp_path / "a.jpg", "one")
    tag(tmp_path, {photo: b"two"})
    (run,) = History().runs_above([str(tmp_path) + "/x" * 1_500 + "/a.jpg"])
    assert run.root == str(tmp_path)


def test_no_file_is_explained_but_leads_to_nothing(tmp_path: Path) -> None:
    sidecar = tmp_path / "a.xmp"
    tag(tmp_path, {sidecar: b"one"})
    assert not _explains(sidecar, "one", None)  # the run was not undone
    tag(tmp_path, {sidecar: None})
    assert _explains(sidecar, "one", None)
    tag(tmp_path, {sidecar: b"two"})
    assert not _explains(sidecar, "one", "two")


def test_the_undo_of_a_new_sidecar_explains_that_it_is_gone(tmp_path: Path) -> None:
    sidecar, sort = tmp_path / "a.xmp", str(write(tmp_path / "journal of a sort"))
    tag(tmp_path, {sidecar: b"one"})
    history = History(lock=True)
    history.runs_above([str(sidecar)])[0].note(sort, [])
    history.close()
    assert untag(tmp_path) == []
    assert _explains(sidecar, "one", None)
    assert not _explains(sidecar, "other", None)


def test_a_moved_file_is_known_at_each_of_its_places(tmp_path: Path) -> None:
    root, linked = tmp_path / "in", tmp_path / "linked"
    photo = write(root / "a.jpg", "one")
    linked.symlink_to(root)
    journal = tag(root, {photo: b"two"})
    history = History(lock=True)
    (run,) = history.runs_above([str(photo)])
    first, last = str(tmp_path / "x" / "a.jpg"), str(tmp_path / "y" / "b.jpg")
    moves = [(str(photo), first), (first, last)]
    run.note(str(tmp_path / "sort"), moves[:1])
    run.note(str(tmp_path / "sort"), moves)
    history.close()
    assert read_tag_journal(journal).moves == moves  # each once
    for name in (first, last, str(photo), str(linked / "a.jpg")):
        assert History().explains([name, str(photo)], _digest("one"), _digest("two"))
        (change,) = run.changes(name)
        assert run.is_at(change, last) and not run.is_at(change, first)


def test_moves_of_many_long_names_can_be_read_back(tmp_path: Path) -> None:
    photo = write(tmp_path / "a.jpg", "one")
    journal = tag(tmp_path, {photo: b"two"})
    history = History(lock=True)
    (run,) = history.runs_above([str(photo)])
    long = "/".join(["\u00e9" * 127] * 15 + ["\x01" * 255])  # at most 4,096 bytes
    pairs = [(f"/{i:04}{long}", f"/x{i:04}{long}") for i in range(1024)]
    run.note("/sort" + long, pairs)
    history.close()
    assert read_tag_journal(journal).moves == pairs
    worst = "/" + "\x01" * 4094
    run.note("/sort" + worst, [(f"{worst}{i}", f"{worst}{i}") for i in range(1000)])
    assert len(read_tag_journal(journal).moves) == 2024


def test_a_line_that_could_not_be_read_back_is_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "a.jsonl")
    journal = Journal(path, {})
    size = os.path.getsize(path)
    with pytest.raises(OutputError, match="too long"):
        journal.append([{"end": True}, {"made": "x" * LARGEST_LINE}])
    journal.close()
    assert os.path.getsize(path) == size


def test_versions_of_many_photos_are_found_in_one_pass(tmp_path: Path) -> None:
    calls = {}
    for count in (40, 80):
        root = tmp_path / str(count)
        photos = [write(root / f"{i}.jpg", f"one {i}") for i in range(count)]
        tag(root, {photo: b"two of " + photo.read_bytes() for photo in photos})

        def find(root: Path = root, photos: list[Path] = photos) -> None:
            history = History()
            for i, photo in enumerate(photos):
                found = history.versions([str(photo)], _digest(f"one {i}"))
                assert found == {_digest(f"two of one {i}"): len(f"two of one {i}")}

        calls[count] = count_calls(find)
    assert grows_like(calls) < 2.2


def test_a_run_follows_moves_noted_later(tmp_path: Path) -> None:
    photo, sidecar = write(tmp_path / "in" / "a.jpg", "one"), tmp_path / "in" / "a.jpg.xmp"
    tag(tmp_path / "in", {photo: b"two", sidecar: b"new"})
    history = History(lock=True)
    (run,) = history.runs_above([str(photo)])
    places = [str(tmp_path / folder / "A.jpg") for folder in "xyz"]
    assert [entry.number for entry in run.changes(str(photo))] == [1]  # now it is indexed
    run.note("/sort", [(places[0], places[1])])
    assert run.changes(places[1]) == []
    run.note("/sort", [(str(photo), places[0]), (str(sidecar), str(tmp_path / "x" / "A.jpg.XMP"))])
    run.note("/sort", [(places[1], places[2]), (places[2], str(photo)), (str(photo), places[2])])
    for place in places:  # also along moves that were noted before
        assert [entry.number for entry in run.changes(place)] == [1]
    ((place, entry),) = run.created(str(tmp_path / "x"), "a.jpg.xmp")
    assert place == str(tmp_path / "x" / "A.jpg.XMP") and entry.number == 2
    assert list(run.created(str(tmp_path / "y"), "a.jpg.xmp")) == []
    (change,) = run.changes(str(photo))
    assert run.is_at(change, places[0])  # in the order of the moves
    history.close()


@pytest.mark.parametrize("trick", ["copied", "linked", "linked folder", "damaged", "of another"])
def test_journals_that_this_user_did_not_write_here_are_ignored(
    tmp_path: Path, trick: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = write(tmp_path / "in" / "a.jpg", "one")
    journal = Path(tag(tmp_path / "in", {photo: b"two"}))
    content = journal.read_bytes()
    assert _explains(photo, "one", "two")
    if trick == "copied":
        (tmp_path / "copy").write_bytes(content)
        (tmp_path / "copy").replace(journal)
    elif trick == "linked":
        journal.rename(tmp_path / "journal")
        journal.symlink_to(tmp_path / "journal")
    elif trick == "linked folder":
        journal.parent.rename(tmp_path / "own")
        journal.parent.symlink_to(tmp_path / "own")
    elif trick == "damaged":
        journal.write_bytes(content + b"[]\n{}\n")
    elif hasattr(os, "geteuid"):
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
    else:
        pytest.skip("this system has no owners of files")
    assert not _explains(photo, "one", "two")


def test_a_folder_in_use_is_refused_only_to_runs_that_change_files(tmp_path: Path) -> None:
    photo = write(tmp_path / "a.jpg", "one")
    tag(tmp_path, {photo: b"two"})
    with locked(str(tmp_path)):
        assert _explains(photo, "one", "two")
        with pytest.raises(InputError, match="another mnv2 process is using"):
            History(lock=True).runs_above([str(photo)])
        assert len(History(str(tmp_path), lock=True).runs_above([str(photo)])) == 1
