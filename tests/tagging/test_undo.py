"""Every tag run can be undone byte for byte, and an undo loses nothing."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from mnv2cli.errors import InputError, OutputError
from mnv2cli.journals.file import Journal, journals
from mnv2cli.journals.tag_journal import ChangeEntry, TagState
from mnv2cli.tagging import prepare
from mnv2cli.tagging import undo as undoing
from mnv2cli.tagging.apply import apply
from mnv2cli.tagging.find_run import cost, find_run, forget
from mnv2cli.tagging.originals import originals_path
from mnv2cli.tagging.places import Places
from mnv2cli.tagging.undo import CHANGED, FORGOTTEN, GONE, undo
from mnv2cli.tagging.xmp.read import read_keywords
from tests.growth import count_calls, grows_like
from tests.sorting.trees import snapshot, tag, write
from tests.tagging.trees import OTHERS, fake_embedding, make, make_photos, plan_of


def reasons(failed: list[tuple[str, str]]) -> dict[str, str]:
    return {Path(path).name: why for path, why in failed}


@pytest.mark.parametrize("touch", [False, True])
def test_tag_then_undo_restores_the_original_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, touch: bool
) -> None:
    fake_embedding(monkeypatch)
    files = make(tmp_path / "a")
    photos = make_photos(tmp_path / "b")
    for path in (files[2], photos[0]):
        tag(path)
        path.chmod(0o640)
    before = snapshot(tmp_path)
    apply(plan_of(tmp_path, files))
    apply(plan_of(tmp_path, photos, method="embed", touch=touch))
    assert len(find_run(str(tmp_path)).remaining) == 4
    outcome, _ = undo(str(tmp_path))
    assert (outcome.done, outcome.changed, outcome.failed) == (4, 4, [])
    outcome, state = undo(str(tmp_path))
    assert (outcome.done, outcome.removed, outcome.changed) == (4, 2, 2) and state.tidied
    assert snapshot(tmp_path) == before


def test_runs_are_undone_one_by_one(tmp_path: Path) -> None:
    files = make(tmp_path)
    states = [snapshot(tmp_path, journals=False)]
    for tags in (None, OTHERS, None):
        apply(plan_of(tmp_path, files, *([] if tags is None else [tags])))
        states.append(snapshot(tmp_path, journals=False))
    apply(plan_of(tmp_path, files, None))
    assert not files[0].exists()
    for expected in reversed(states):
        undo(str(tmp_path))
        now = snapshot(tmp_path, journals=False)
        assert {path: found[1:4] for path, found in now.items() if path.endswith("xmp")} == {
            path: found[1:4] for path, found in expected.items() if path.endswith("xmp")
        }
        if len(journals(str(tmp_path), "tag")) == 0:
            break
    assert not (tmp_path / ".mnv2").exists()


def test_files_changed_since_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_embedding(monkeypatch)
    files = [*make(tmp_path / "a"), *make_photos(tmp_path / "b")]
    apply(plan_of(tmp_path, files[:4]))
    apply(plan_of(tmp_path, files[4:], method="embed"))
    for path in (files[0], files[2], files[4]):
        path.write_text("edited")
    files[3].unlink()
    found = {}
    for _ in range(2):
        outcome, _ = undo(str(tmp_path))
        found.update(reasons(outcome.failed))
    assert found == {
        "0.jpg.xmp": CHANGED,
        "2.jpg.xmp": CHANGED,
        "0.jpg": CHANGED,
        "3.jpg.xmp": GONE,
    }
    assert "mnv2 tag --remove" in CHANGED
    assert {path.read_text() for path in (files[0], files[2], files[4])} == {"edited"}
    # What was kept can be put back later.
    assert len(journals(str(tmp_path), "tag")) == 2


def test_a_sidecar_that_takes_the_name_of_a_removed_one_is_kept(tmp_path: Path) -> None:
    files = make(tmp_path)
    apply(plan_of(tmp_path, files))
    apply(plan_of(tmp_path, files, None))
    write(files[0], "new")
    outcome, _ = undo(str(tmp_path))
    assert reasons(outcome.failed) == {"0.jpg.xmp": "another file took its name"}
    assert files[0].read_text() == "new"


@pytest.mark.parametrize("order", [(0,), (0, 1), (1, 0)])
def test_the_undo_of_a_renamed_folder_leaves_its_old_name_alone(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    root, renamed = tmp_path / "photos", tmp_path / "renamed"
    files = make(root)
    before = snapshot(root)
    for i in order:  # each run tags other files
        apply(plan_of(root, files[i::2] if len(order) == 2 else files))
    root.rename(renamed)
    make(root)
    for folder in (root, root / "sub0", root / "sub1"):
        os.utime(folder, (5, 5))
    others = snapshot(root)
    known = journals(str(renamed), "tag")
    for i in order:
        assert undo(known[i])[0].failed == []
    assert snapshot(root) == others
    expected = {str(renamed) + path[len(str(root)) :]: found for path, found in before.items()}
    assert snapshot(renamed) == expected


def test_a_journal_can_be_named(tmp_path: Path) -> None:
    files = make(tmp_path)
    before = {path: found for path, found in snapshot(tmp_path).items() if "." in path[-4:]}
    first = apply(plan_of(tmp_path, files[:2])).journal
    second = apply(plan_of(tmp_path, files[2:])).journal
    assert undo(first)[0].removed == 2 and not files[0].exists()
    undo(second)
    now = snapshot(tmp_path)
    assert {path: found for path, found in now.items() if "." in path[-4:]} == before


def test_nothing_to_undo_is_an_error(tmp_path: Path) -> None:
    write(tmp_path / ".mnv2" / "1.jsonl", "{}")
    for path in (tmp_path, tmp_path / "none", tmp_path / ".mnv2" / "1.jsonl"):
        with pytest.raises(InputError, match=r"no journal|does not exist|not a journal"):
            undo(str(path))


def test_files_that_a_sort_moved_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_embedding(monkeypatch)
    root, dest = tmp_path / "photos", tmp_path / "sorted"
    photos = make_photos(root)
    contents = [photo.read_bytes() for photo in photos]
    name = apply(plan_of(root, photos, method="embed")).journal
    sort = str(write(dest / "journal of the sort"))
    journal = Journal(name)
    for i, photo in enumerate(photos[:2]):
        between, end = dest / f"x{i}.jpg", dest / photo.name
        moved = [[str(photo), str(between)], [str(between), str(end)]]
        journal.append([{"moved": moved, "sort": sort}])
        photo.rename(end)
    os.utime(dest, (1_400_000_000, 1_400_000_000))
    journal.append([{"moved": [[str(photos[2]), str(dest / "never.jpg")]]}])
    journal.close()
    write(photos[0], "another photo has its name")
    outcome, state = undo(str(root))
    assert outcome.failed == [] and outcome.done == 4
    found = [dest / "0.jpg", dest / "1.jpg", photos[2], photos[3]]
    assert [path.read_bytes() for path in found] == contents
    assert dest.stat().st_mtime == 1_400_000_000
    # Undoing the sort requires the journal; the originals are not required any more.
    assert os.path.exists(name) and not os.path.exists(originals_path(name)) and state.tidied


def test_the_last_places_of_files_are_found_by_their_moves_only(tmp_path: Path) -> None:
    calls = {}
    for count in (40, 80):
        state = TagState({"in_place": True})
        names = [f"{i}.xmp" for i in range(count)]
        entries = [ChangeEntry(i, "delete", name, None, None) for i, name in enumerate(names, 1)]
        for folders in (("", "x"), ("x", "y"), ("y", "x"), ("x", "z")):
            state.moves += [
                (str(tmp_path / folders[0] / name), str(tmp_path / folders[1] / name))
                for name in names
            ]

        def find(state: TagState = state, entries: list[ChangeEntry] = entries) -> None:
            places = Places(str(tmp_path), state)
            for entry in entries:
                assert places.last(entry) == str(tmp_path / "z" / entry.path)

        calls[count] = count_calls(find)
    assert grows_like(calls) < 2.2


def test_a_copied_journal_requires_trust(tmp_path: Path) -> None:
    root = tmp_path / "root"
    files = make(root)
    before = {path.name: path.read_bytes() for path in root.rglob("*.xmp")}
    apply(plan_of(root, files))
    shutil.copytree(root, tmp_path / "unpacked")
    with pytest.raises(InputError, match="copied or unpacked") as caught:
        undo(str(tmp_path / "unpacked"))
    assert "--trust" in caught.value.hint
    assert undo(str(tmp_path / "unpacked"), trust=True)[0].done == 4
    found = {path.name: path.read_bytes() for path in (tmp_path / "unpacked").rglob("*.xmp")}
    assert found == before
    assert read_keywords(files[0].read_bytes()).subjects == ("cat", "tiger cat")


def test_a_linked_folder_cannot_redirect_undo(tmp_path: Path) -> None:
    root = tmp_path / "root"
    files = make(root)
    apply(plan_of(root, files))
    shutil.move(root / "sub0", tmp_path / "outside")
    (root / "sub0").symlink_to(tmp_path / "outside")
    before = snapshot(tmp_path / "outside")
    outcome, _ = undo(str(root))
    assert outcome.done == 2 and "leads outside" in outcome.failed[0][1]
    assert snapshot(tmp_path / "outside") == before


def test_a_journal_cannot_name_other_files_as_temporary(tmp_path: Path) -> None:
    files = make(tmp_path)
    mine = [tmp_path / "mine.txt", tmp_path / ".mine.mnv2", tmp_path / "sub0" / "0.jpg"]
    for path in mine:
        write(path, "mine")
    journal = Journal(apply(plan_of(tmp_path, files)).journal)
    journal.append([{"temps": [str(path.relative_to(tmp_path)) for path in mine]}])
    journal.close()
    undo(str(tmp_path))
    assert [path.read_text() for path in mine] == ["mine"] * 3


def test_damaged_originals_change_nothing(tmp_path: Path) -> None:
    files = make(tmp_path)
    name = apply(plan_of(tmp_path, files)).journal
    content = files[2].read_bytes()
    kept = Path(originals_path(name))
    data = kept.read_bytes()
    kept.write_bytes(data[:30] + bytes([data[30] ^ 255]) + data[31:])
    outcome, _ = undo(str(tmp_path))
    assert list(reasons(outcome.failed)) == ["2.jpg.xmp"] and "damaged" in outcome.failed[0][1]
    assert files[2].read_bytes() == content
    assert not list(tmp_path.rglob(".*.mnv2"))
    kept.unlink()
    outcome, _ = undo(str(tmp_path))
    assert reasons(outcome.failed) == {"2.jpg.xmp": FORGOTTEN}


@pytest.mark.parametrize("how", ["write_temp", "replace"])
def test_a_full_disk_stops_and_running_again_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    files = make(tmp_path, 8)
    before = snapshot(tmp_path)
    apply(plan_of(tmp_path, files))
    owner: Any = os if how == "replace" else undoing
    real, left = getattr(owner, how), [1]

    def full(*args: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*args)

    with monkeypatch.context() as patch, pytest.raises(OutputError, match="no space") as caught:
        patch.setattr(owner, how, full)
        undo(str(tmp_path))
    assert "mnv2 undo" in caught.value.hint
    assert not list(tmp_path.rglob(".*.mnv2"))
    with pytest.raises(InputError, match="was interrupted"):
        apply(plan_of(tmp_path, files))
    with pytest.raises(InputError, match="only in part"):
        forget(str(tmp_path))
    undo(str(tmp_path))
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("where", ["header", "first lines"])
def test_a_full_disk_before_the_first_change_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    files = make(tmp_path)
    before = snapshot(tmp_path)
    real, left = os.write, [0 if where == "header" else 1]

    def full(descriptor: int, data: bytes) -> int:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data)

    with monkeypatch.context() as patch, pytest.raises(OutputError, match="no space"):
        patch.setattr(os, "write", full)
        apply(plan_of(tmp_path, files))
    assert snapshot(tmp_path) == before


def test_a_run_whose_files_all_fail_restores_the_times_of_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_embedding(monkeypatch)
    photos = make_photos(tmp_path)
    for folder in ("in0", "in1"):
        os.utime(tmp_path / folder, (5, 5))
    before = snapshot(tmp_path)

    def embed(tool: object, photo: str, temp: str, change: object) -> bool:
        Path(temp).write_bytes(b"half")
        raise ValueError("not a photo")

    monkeypatch.setattr(prepare, "embed", embed)
    outcome = apply(plan_of(tmp_path, photos, method="embed"))
    assert len(outcome.failed) == 4
    assert snapshot(tmp_path) == before


def test_an_undo_on_a_nearly_full_disk_requires_space_for_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = make(tmp_path, 20)
    before = snapshot(tmp_path)
    apply(plan_of(tmp_path, files))
    real, most = undoing.write_temp, []

    def limited(temp: str, *args: Any) -> str:
        temps = list(tmp_path.rglob(".*.mnv2"))
        most.append(len(temps))
        if len(temps) >= 3:
            Path(temp).touch()
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(temp, *args)

    monkeypatch.setattr(undoing, "write_temp", limited)
    outcome, _ = undo(str(tmp_path))
    assert (outcome.done, outcome.failed) == (20, []) and max(most) == 3
    assert most[most.index(3) + 1 :] == [0] * (len(most) - 4)  # one at a time from then on
    assert snapshot(tmp_path) == before


def test_failed_tries_to_undo_do_not_lengthen_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = make(tmp_path)
    name = apply(plan_of(tmp_path, files[2:])).journal

    def full(*args: Any) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    sizes = []
    for _ in range(3):
        with monkeypatch.context() as patch, pytest.raises(OutputError, match="no space"):
            patch.setattr(undoing, "write_temp", full)
            undo(str(tmp_path))
        sizes.append(os.path.getsize(name))
    assert len(set(sizes[1:])) == 1 and sizes[0] == sizes[1]


def test_an_interrupted_run_can_be_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = make(tmp_path)
    before = snapshot(tmp_path)

    def interrupt(*args: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "replace", interrupt)
        apply(plan_of(tmp_path, files))
    with pytest.raises(InputError, match="was interrupted"):
        forget(str(tmp_path))
    outcome, _ = undo(str(tmp_path))
    assert outcome.failed == [] and snapshot(tmp_path) == before


def test_forgetting_frees_what_undo_requires(tmp_path: Path) -> None:
    files = make(tmp_path)
    apply(plan_of(tmp_path, files))
    apply(plan_of(tmp_path, files, OTHERS))
    used = cost(str(tmp_path))
    now = {path: path.read_bytes() for path in files}
    assert used > 0 and forget(str(tmp_path)) == used
    assert cost(str(tmp_path)) == 0 and not (tmp_path / ".mnv2").exists()
    assert {path: path.read_bytes() for path in files} == now
    with pytest.raises(InputError, match="no journal"):
        undo(str(tmp_path))


def test_one_run_can_be_forgotten(tmp_path: Path) -> None:
    files = make(tmp_path)
    apply(plan_of(tmp_path, files))
    between = {path: path.read_bytes() for path in files}
    last = apply(plan_of(tmp_path, files, OTHERS)).journal
    first = journals(str(tmp_path), "tag")[0]
    assert forget(first) > 0 and journals(str(tmp_path), "tag") == [last]
    undo(str(tmp_path))
    assert {path: path.read_bytes() for path in files} == between
    assert not (tmp_path / ".mnv2").exists()


def test_forgetting_keeps_the_journal_that_the_undo_of_a_sort_requires(tmp_path: Path) -> None:
    files = make(tmp_path / "in")
    apply(plan_of(tmp_path, files[:2]))
    before = {path: path.read_bytes() for path in files[:2]}
    name = apply(plan_of(tmp_path, files)).journal
    journal = Journal(name)
    sort = str(write(tmp_path / "journal of the sort"))
    journal.append([{"moved": [[str(files[2]), "/elsewhere/2.xmp"]], "sort": sort}])
    journal.close()
    assert forget(name) > 0 and os.path.exists(name) and not os.path.exists(originals_path(name))
    outcome, _ = undo(str(tmp_path))  # the run before it
    assert outcome.removed == 2 and outcome.failed == [] and before
    with pytest.raises(InputError, match="undone or forgotten"):
        undo(str(tmp_path))
    with pytest.raises(InputError, match="was forgotten"):
        undo(name)
    assert all(path.exists() for path in files[2:])
