"""Tagging changes keywords alone, each file as a whole, and loses nothing if it fails."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from mnv2cli.errors import OutputError
from mnv2cli.journals.file import journals
from mnv2cli.tagging import apply as applying
from mnv2cli.tagging import prepare, writing
from mnv2cli.tagging.actions import TagAction, TagPlan
from mnv2cli.tagging.apply import apply
from mnv2cli.tagging.recover import finish
from mnv2cli.tagging.tags import Tags
from mnv2cli.tagging.undo import undo
from mnv2cli.tagging.xmp.read import read_keywords
from tests.sorting.trees import restore_times, snapshot, tag, tags, write
from tests.tagging.photos import packet, save
from tests.tagging.trees import (
    MARK,
    OTHERS,
    TAGS,
    fake_embedding,
    make,
    make_photos,
    plan_of,
    sidecar,
)


def reasons(failed: list[tuple[str, str]]) -> dict[str, str]:
    return {Path(path).name: why for path, why in failed}


def subjects(file: Path) -> tuple[str, ...]:
    return read_keywords(file.read_bytes()).subjects


def test_sidecars_are_created_and_changed(tmp_path: Path) -> None:
    files = make(tmp_path / "photos")
    outcome = apply(plan_of(tmp_path / "photos", files))
    assert (outcome.done, outcome.created, outcome.changed, outcome.failed) == (4, 2, 2, [])
    assert subjects(files[0]) == ("cat", "tiger cat")
    assert subjects(files[2]) == ("holiday", "cat", "tiger cat")
    assert (
        outcome.kept_bytes > 0 and outcome.journal == journals(str(tmp_path / "photos"), "tag")[0]
    )
    assert files[2].stat().st_mtime > 1_600_000_000


def test_tagging_again_changes_nothing_and_leaves_no_journal(tmp_path: Path) -> None:
    files = make(tmp_path)
    apply(plan_of(tmp_path, files))
    before = snapshot(tmp_path)
    outcome = apply(plan_of(tmp_path, files))
    assert (outcome.done, outcome.unchanged, outcome.journal) == (0, 4, "")
    restore_times(tmp_path)
    assert {path: found[:3] for path, found in snapshot(tmp_path).items()} == {
        path: found[:3] for path, found in before.items()
    }


def test_removing_gives_back_sidecars_and_deletes_its_own(tmp_path: Path) -> None:
    files = make(tmp_path)
    apply(plan_of(tmp_path, files))
    outcome = apply(plan_of(tmp_path, files, None))
    assert (outcome.changed, outcome.removed) == (2, 2)
    assert not files[0].exists() and files[2].read_text() == sidecar(2)


def test_permissions_and_attributes_of_a_sidecar_are_kept(tmp_path: Path) -> None:
    files = make(tmp_path)
    files[2].chmod(0o640)
    tag(files[2])
    before = tags(files[2])
    apply(plan_of(tmp_path, files))
    assert stat.S_IMODE(files[2].stat().st_mode) == 0o640 and tags(files[2]) == before


@pytest.mark.parametrize("touch", [False, True])
def test_photos_keep_their_times_unless_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, touch: bool
) -> None:
    fake_embedding(monkeypatch)
    photos = make_photos(tmp_path)
    photos[0].chmod(0o604)
    outcome = apply(plan_of(tmp_path, photos, method="embed", touch=touch))
    assert (outcome.done, outcome.changed, outcome.failed) == (4, 4, [])
    for i, photo in enumerate(photos):
        assert MARK in photo.read_bytes()
        assert (photo.stat().st_mtime == 1_500_000_000 + i) is not touch
    assert stat.S_IMODE(photos[0].stat().st_mode) == 0o604
    assert outcome.kept_bytes < 4 * 1000  # differences


def test_photos_that_share_a_sidecar_make_one_change(tmp_path: Path) -> None:
    file = tmp_path / "a.xmp"
    actions = [
        TagAction(str(tmp_path / "a.cr2"), "sidecar", str(file), TAGS),
        TagAction(str(tmp_path / "a.jpg"), "sidecar", str(tmp_path / "." / "a.xmp"), OTHERS),
    ]
    progress: list[int] = []
    outcome = apply(TagPlan(str(tmp_path), actions), progress.append)
    assert outcome.done == 1 and sum(progress) == 2
    assert subjects(file) == ("cat", "tiger cat", "dog")
    assert apply(TagPlan(str(tmp_path), actions)).unchanged == 1


def test_a_link_stays_and_its_file_in_the_folder_is_changed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    real, outside = write(root / "in" / "a.xmp", sidecar()), write(tmp_path / "b.xmp", sidecar())
    links = [root / name for name in ("a.xmp", "b.xmp", "c.xmp", "far")]
    for link, target in zip(links, (real, outside, root / "none", tmp_path), strict=True):
        link.symlink_to(target)
    outcome = apply(plan_of(root, [*links[:3], links[3] / "new.xmp"]))
    assert outcome.done == 1 and subjects(real) == ("holiday", "cat", "tiger cat")
    found = reasons(outcome.failed)
    assert found["b.xmp"].startswith("is a link to a file outside")
    assert found["c.xmp"] == "is a broken link" and found["new.xmp"].startswith("is outside")
    assert links[0].is_symlink() and outside.read_text() == sidecar()
    assert not (tmp_path / "new.xmp").exists()


def test_a_photo_with_several_names_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_embedding(monkeypatch)
    photos = make_photos(tmp_path, 2)
    os.link(photos[0], tmp_path / "other.jpg")
    outcome = apply(plan_of(tmp_path, photos, method="embed"))
    assert outcome.done == 1 and "2 hard links" in reasons(outcome.failed)["0.jpg"]
    assert photos[0].samefile(tmp_path / "other.jpg")


def test_each_file_that_cannot_be_changed_has_its_reason(tmp_path: Path) -> None:
    files = make(tmp_path)
    files[0].mkdir()
    write(files[1], "no XML")
    missing = tmp_path / "gone" / "a.xmp"
    outcome = apply(plan_of(tmp_path, [*files, missing, tmp_path / ".mnv2" / "a.xmp"]))
    found = reasons(outcome.failed)
    assert outcome.done == 2 and found["0.jpg.xmp"] == "is a folder"
    assert set(found) == {"0.jpg.xmp", "1.jpg.xmp", "a.xmp"}
    assert files[1].read_text() == "no XML"


@pytest.mark.parametrize("method", ["sidecar", "embed"])
def test_a_file_changed_meanwhile_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: Any
) -> None:
    fake_embedding(monkeypatch)
    files = make(tmp_path) if method == "sidecar" else make_photos(tmp_path)
    real = prepare.Preparer.sync

    def edit(self: Any) -> None:
        files[2].write_text("edited meanwhile")
        write(files[0], "created or edited meanwhile")
        real(self)

    monkeypatch.setattr(prepare.Preparer, "sync", edit)
    outcome = apply(plan_of(tmp_path, files, method=method))
    assert outcome.done == 2 and len(outcome.failed) == 2
    assert files[2].read_text() == "edited meanwhile"
    assert files[0].read_text() == "created or edited meanwhile"
    assert not list(tmp_path.rglob("*.mnv2"))[1:]


def test_a_photo_changed_while_it_is_written_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_embedding(monkeypatch)
    photos = make_photos(tmp_path)
    real = prepare.embed

    def embed(tool: Any, photo: str, temp: str, change: Any) -> bool:
        found = real(tool, photo, temp, change)
        if photo == str(photos[0]):
            write(photos[0], "edited")
        return found

    monkeypatch.setattr(prepare, "embed", embed)
    outcome = apply(plan_of(tmp_path, photos, method="embed"))
    assert outcome.done == 3
    assert reasons(outcome.failed) == {"0.jpg": "changed while mnv2 was running"}
    assert photos[0].read_text() == "edited"


@pytest.mark.parametrize("method", ["sidecar", "embed"])
def test_a_full_disk_stops_and_running_again_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: Any
) -> None:
    fake_embedding(monkeypatch)
    files = make(tmp_path) if method == "sidecar" else make_photos(tmp_path)
    before = snapshot(tmp_path)

    def full(*args: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    plan = plan_of(tmp_path, files, method=method)
    for module, name in ((writing, "write"), (applying, "keep_attributes")):
        if method == "embed" and name == "write":
            continue
        with monkeypatch.context() as patch:
            patch.setattr(module, name, full)
            with pytest.raises(OutputError, match="no space left on device") as caught:
                apply(plan)
        assert "run the same command again" in caught.value.hint
        assert not [path for path in tmp_path.rglob(".*.mnv2") if path.is_file()]
    outcome = apply(plan)
    assert outcome.failed == [] and len(journals(str(tmp_path), "tag")) == 1
    undo(str(tmp_path))
    assert snapshot(tmp_path) == before


def test_a_limit_of_file_sizes_loses_nothing(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    files = make(tmp_path)
    content = files[2].read_bytes()
    before = snapshot(tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (700, limits[1]))
    try:
        with pytest.raises(OutputError):
            apply(plan_of(tmp_path, files))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert files[2].read_bytes() == content and not files[0].exists()
    apply(plan_of(tmp_path, files))
    undo(str(tmp_path))
    assert snapshot(tmp_path) == before


def test_a_folder_that_cannot_be_written_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = make(tmp_path)
    before = snapshot(tmp_path)

    def refuse(*args: Any, **options: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "makedirs", refuse)
    with pytest.raises(OutputError, match="permission denied") as caught:
        apply(plan_of(tmp_path, files))
    assert "Nothing was changed" in caught.value.hint and snapshot(tmp_path) == before


def test_one_folder_that_cannot_be_written_fails_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = make(tmp_path)
    real = os.open

    def guarded(path: Any, flags: int, *args: Any, **options: Any) -> int:
        if flags & os.O_CREAT and "sub1" in str(path):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return real(path, flags, *args, **options)

    monkeypatch.setattr(os, "open", guarded)
    outcome = apply(plan_of(tmp_path, files))
    assert outcome.done == 2 and {why for _, why in outcome.failed} == {"permission denied"}


def test_file_systems_without_links_are_supported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = make(tmp_path)
    before = snapshot(tmp_path)

    def refuse(*args: Any, **options: Any) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    assert apply(plan_of(tmp_path, files)).created == 2
    undo(str(tmp_path))
    assert snapshot(tmp_path) == before


def test_an_interrupted_run_and_its_completion_are_one_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = make(tmp_path, 8)
    before = snapshot(tmp_path)
    real, left = os.link, [2]

    def interrupt(*args: Any, **options: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        real(*args, **options)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "link", interrupt)
        apply(plan_of(tmp_path, files))
    assert sum(file.exists() for file in (files[0], files[1], files[4], files[5])) == 2
    assert finish(str(tmp_path)).failed == []
    outcome = apply(plan_of(tmp_path, files))
    assert outcome.failed == [] and outcome.done + outcome.unchanged == 8
    assert len(journals(str(tmp_path), "tag")) == 1
    undo(str(tmp_path))
    assert snapshot(tmp_path) == before


def test_a_sidecar_that_a_power_cut_emptied_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = make(tmp_path)

    def cut(*args: Any) -> None:
        files[0].write_bytes(b"")
        files[1].write_bytes(b"<?xpacket")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(applying, "carry_out", cut)
        apply(plan_of(tmp_path, files))
    outcome = apply(plan_of(tmp_path, files))
    assert subjects(files[0]) == ("cat", "tiger cat") and files[1].read_bytes() == b"<?xpacket"
    assert "neither" in outcome.failed[0][1] and outcome.done == 3


def test_long_names_and_names_that_are_not_utf8_are_supported(tmp_path: Path) -> None:
    names = [b"\xff.xmp", b"x" * 251 + b".xmp", "é".encode() * 120 + b".xmp", b"a\nb.xmp"]
    files = [tmp_path / os.fsdecode(name) for name in names]
    before = snapshot(tmp_path)
    assert apply(plan_of(tmp_path, files)).created == 4
    undo(str(tmp_path))
    assert set(snapshot(tmp_path)) == set(before)


def test_tags_without_words_change_nothing(tmp_path: Path) -> None:
    files = make(tmp_path)
    assert apply(plan_of(tmp_path, files, Tags(()))).unchanged == 4
    assert not (tmp_path / ".mnv2").exists()


def test_tags_without_words_make_no_sidecar_that_says_what_the_photo_says(tmp_path: Path) -> None:
    photo = save(tmp_path / "a.jpg", packet("Anna"))
    assert apply(plan_of(tmp_path, [tmp_path / "a.jpg.xmp"], Tags(()))).unchanged == 1
    assert os.listdir(tmp_path) == [photo.name]


def test_a_sidecar_with_several_names_is_left(tmp_path: Path) -> None:
    files = make(tmp_path)
    os.link(files[2], tmp_path / "other.xmp")
    outcome = apply(plan_of(tmp_path, files))
    assert outcome.done == 3
    why = "has 2 hard links, which replacing would separate"
    assert reasons(outcome.failed) == {"2.jpg.xmp": why}
    assert files[2].samefile(tmp_path / "other.xmp") and files[2].read_text() == sidecar(2)


def test_a_large_photo_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_embedding(monkeypatch)
    photos = make_photos(tmp_path, 2)
    os.truncate(photos[0], (1 << 30) + 1)
    outcome = apply(plan_of(tmp_path, photos, method="embed"))
    assert outcome.done == 1
    assert reasons(outcome.failed) == {"0.jpg": "is larger than 1 GB, the limit of embedding"}


class Stranger:
    """The status of a file that belongs to somebody else."""

    def __init__(self, status: os.stat_result, who: str) -> None:
        self._status, self._who = status, who

    def __getattr__(self, name: str) -> int:
        value: int = getattr(self._status, name)
        return value + (name == self._who)


@pytest.mark.skipif(not hasattr(os, "chown"), reason="files have no owner here")
@pytest.mark.parametrize("who", ["user", "group"])
@pytest.mark.parametrize("method", ["sidecar", "embed"])
def test_a_file_whose_owner_would_change_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: Any, who: str
) -> None:
    fake_embedding(monkeypatch)
    files = make(tmp_path) if method == "sidecar" else make_photos(tmp_path)
    before = files[2].read_bytes()
    real = os.stat

    def stat_of(path: Any, *args: Any, **options: Any) -> Any:
        status = real(path, *args, **options)
        return Stranger(status, f"st_{who[0]}id") if path == str(files[2]) else status

    def refuse(*args: Any) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", stat_of)
        patch.setattr(os, "chown", refuse)
        outcome = apply(plan_of(tmp_path, files, method=method))
    assert outcome.done == 3
    why = f"belongs to another {who}, which replacing it would change"
    assert reasons(outcome.failed) == {files[2].name: why}
    assert files[2].read_bytes() == before
    assert not [path for path in tmp_path.rglob(".*.mnv2") if path.is_file()]


def test_photos_are_embedded_into_one_by_one_where_the_disk_has_space_for_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_embedding(monkeypatch)
    photos = make_photos(tmp_path, 7)
    before = snapshot(tmp_path)
    real = prepare.embed

    def embed(*args: Any) -> bool:
        if len([path for path in tmp_path.rglob(".*.mnv2") if path.is_file()]) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*args)

    monkeypatch.setattr(prepare, "embed", embed)
    progress: list[int] = []
    outcome = apply(plan_of(tmp_path, photos, method="embed"), progress.append)
    assert (outcome.done, outcome.failed, sum(progress)) == (7, [], 7)
    undo(str(tmp_path))
    assert snapshot(tmp_path) == before


def test_new_sidecars_are_written_before_many_bytes_are_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [tmp_path / f"{i}.jpg.xmp" for i in range(7)]
    monkeypatch.setattr(applying, "BATCH_BYTES", 1500)
    real, sizes = prepare.Preparer.sync, []

    def sync(self: Any) -> None:
        sizes.append(len(list(tmp_path.glob("*.xmp"))))
        real(self)

    monkeypatch.setattr(prepare.Preparer, "sync", sync)
    assert apply(plan_of(tmp_path, files)).created == 7
    assert sizes == [0, 2, 4, 6]
    undo(str(tmp_path))
    assert not list(tmp_path.glob("*.xmp"))


def test_new_and_changed_sidecars_are_on_disk_before_they_count_as_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = make(tmp_path, 40)
    real_sync, real_rename = os.fsync, writing.carry_out
    synced: set[int] = set()
    unsynced: list[str] = []

    def fsync(descriptor: int) -> None:
        real_sync(descriptor)
        synced.add(os.fstat(descriptor).st_ino)

    def carry_out(entry: Any, path: str, temp: str, seen: Any) -> None:
        if os.stat(temp).st_ino not in synced:
            unsynced.append(path)
        real_rename(entry, path, temp, seen)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(applying, "carry_out", carry_out)
    assert apply(plan_of(tmp_path, files)).done == 40
    assert unsynced == []
