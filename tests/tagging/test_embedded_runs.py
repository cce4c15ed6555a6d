"""Keywords in photos by ExifTool: changed, removed, undone, and killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from mnv2cli.errors import InputError
from mnv2cli.tagging.actions import TagAction, TagPlan
from mnv2cli.tagging.apply import apply
from mnv2cli.tagging.exiftool import ExifTool
from mnv2cli.tagging.options import PlaceOptions
from mnv2cli.tagging.plan import make_plan
from mnv2cli.tagging.undo import undo
from mnv2cli.tagging.xmp.read import read_keywords
from tests.conftest import draw
from tests.sorting.trees import restore_times, snapshot, tag
from tests.tagging.tagged_files import cat
from tests.tagging.trees import OTHERS, TAGS, make, plan_of

SUFFIXES = (".jpg", ".png", ".webp", ".tif")


@pytest.fixture
def photos(tmp_path: Path, exiftool: str) -> list[Path]:
    """Return photos of several formats."""
    found = [draw(tmp_path / "in" / f"photo{suffix}", (90, 9, 0)) for suffix in SUFFIXES]
    for path in found:
        path.chmod(0o640)
        tag(path)
        os.utime(path, (1_500_000_000, 1_500_000_000))
    restore_times(tmp_path)
    return found


def subjects(tool: ExifTool, path: Path) -> tuple[str, ...]:
    return read_keywords(tool.read(str(path)).packet).subjects


def test_photos_are_tagged_and_undone_byte_for_byte(
    tmp_path: Path, photos: list[Path], tool: ExifTool
) -> None:
    before = snapshot(tmp_path)
    outcome = apply(plan_of(tmp_path, photos, method="embed"))
    assert (outcome.changed, outcome.failed) == (4, [])
    assert {subjects(tool, path) for path in photos} == {("cat", "tiger cat")}
    now = snapshot(tmp_path)
    for path in map(str, photos):
        assert now[path][1] != before[path][1] and now[path][2:] == before[path][2:]
    again = apply(plan_of(tmp_path, photos, method="embed"))
    assert (again.done, again.unchanged) == (0, 4)
    assert apply(plan_of(tmp_path, photos, OTHERS, method="embed")).changed == 4
    assert {subjects(tool, path) for path in photos} == {("dog",)}
    assert apply(plan_of(tmp_path, photos, None, method="embed")).changed == 4
    assert {subjects(tool, path) for path in photos} == {()}
    for _ in range(3):
        assert undo(str(tmp_path))[0].failed == []
    assert snapshot(tmp_path) == before


def test_a_photo_that_cannot_be_embedded_into_has_its_reason(
    tmp_path: Path, photos: list[Path]
) -> None:
    photos[0].write_text("no image")
    photos[1].unlink()
    outcome = apply(plan_of(tmp_path, photos, method="embed"))
    assert outcome.changed == 2 and len(outcome.failed) == 2
    assert outcome.failed[1][1] == "no such file or directory"
    assert photos[0].read_text() == "no image" and not photos[1].exists()
    assert not list(tmp_path.rglob(".*.mnv2"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_kills_while_exiftool_works_lose_nothing(tmp_path: Path, photos: list[Path]) -> None:
    sidecars = make(tmp_path / "in")
    restore_times(tmp_path)
    actions = [TagAction(str(p), "embed", str(p), TAGS) for p in photos]
    plan = TagPlan(str(tmp_path), [*plan_of(tmp_path, sidecars).actions, *actions])
    before = snapshot(tmp_path)
    old = {path: path.read_bytes() for path in photos}
    start = time.perf_counter()
    apply(plan)
    seconds = time.perf_counter() - start
    undo(str(tmp_path))
    moments = random.Random(1)
    for turn in range(6):
        pid = os.fork()
        if pid == 0:
            try:
                apply(plan)
            finally:
                os._exit(0)
        time.sleep(moments.uniform(0, seconds))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        if turn % 2:
            assert apply(plan).failed == []
            assert not any(path.read_bytes() == old[path] for path in photos)
        if list((tmp_path / ".mnv2").glob("*.jsonl")):
            undo(str(tmp_path))
        os.utime(tmp_path, (1_400_000_000, 1_400_000_000))
        now = snapshot(tmp_path, journals=False)
        assert now == before


def test_nothing_is_changed_without_exiftool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = make(tmp_path)
    before = snapshot(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    actions = [
        *plan_of(tmp_path, files).actions,
        *plan_of(tmp_path, [tmp_path / "sub0" / "0.jpg"], method="embed").actions,
    ]
    with pytest.raises(InputError):
        apply(TagPlan(str(tmp_path), actions))
    assert snapshot(tmp_path) == before


def test_photos_with_iptc_of_others_are_tagged_once(tmp_path: Path, exiftool: str) -> None:
    photo = draw(tmp_path / "a.jpg", (90, 9, 0))
    command = [exiftool, "-q", "-overwrite_original", "-IPTC:Keywords=Anna", str(photo)]
    subprocess.run(command, check=True)
    place = PlaceOptions(embed=True, refresh=True)
    found = [cat(photo)]
    assert apply(make_plan(found, place=place)).changed == 1
    assert [action.method for action in make_plan(found, place=place).actions] == ["skip"]
