"""Round trips through other programs: exiftool and the library of pyexiv2."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mnv2cli.tagging.xmp.edit import edit
from mnv2cli.tagging.xmp.keywords import Change, Keywords
from mnv2cli.tagging.xmp.read import read_keywords
from tests.tagging.xmp.test_edit import CAT, DATE, DOG, adding, changed, packet, subjects

REMOVE = Change(None)
Run = Callable[..., str]


@pytest.fixture
def sidecar(tmp_path: Path) -> Path:
    return tmp_path / "photo.jpg.xmp"


@pytest.fixture
def run(exiftool: str, sidecar: Path) -> Run:
    """Return a function that runs exiftool on the sidecar."""

    def call(*options: str) -> str:
        command = [exiftool, "-config", "", "-overwrite_original", *options, str(sidecar)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    return call


def tags_read(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("-j", "-G1", "-a", "-XMP:all"))[0]
    return {name: value for name, value in found.items() if name.startswith("XMP-")}


def test_exiftool_reads_what_was_written(run: Run, sidecar: Path) -> None:
    sidecar.write_bytes(changed(b"", Change(CAT, True, DATE, ("animal",))))
    assert tags_read(run) == {
        "XMP-x:XMPToolkit": "mnv2",
        "XMP-dc:Subject": ["animal", "tiger cat"],
        "XMP-lr:HierarchicalSubject": ["animal", "animal|tiger cat"],
        "XMP-digiKam:TagsList": ["animal", "animal/tiger cat"],
        "XMP-mnv2:AddedKeywords": ["animal", "tiger cat"],
        "XMP-mnv2:AddedHierarchy": ["animal", "animal|tiger cat"],
        "XMP-mnv2:AddedTagsList": ["animal", "animal/tiger cat"],
        "XMP-mnv2:AddedIptc": "animal",
        "XMP-mnv2:AddedByModel": "mobilenet_v2",
        "XMP-mnv2:AddedScore": 0.8734,
        "XMP-mnv2:AddedDate": "2026:11:30 12:00:00+01:00",
    }
    assert run("-s3", "-validate", "-warning", "-a") == "OK\n"


@pytest.mark.parametrize("compact", [0, 5])
@pytest.mark.parametrize("data", [b"", packet(), packet(subjects("holiday", "animal"))])
def test_packet_that_exiftool_rewrites_is_refreshed_and_removed(
    data: bytes, compact: int, run: Run, sidecar: Path
) -> None:
    before = read_keywords(data).subjects
    sidecar.write_bytes(changed(data, adding(hierarchy=True)))
    run("-api", f"Compact={compact}", "-XMP-dc:Subject+=typed", "-XMP-xmp:Label=Red")
    rewritten = sidecar.read_bytes()
    assert b"Image::ExifTool" in rewritten
    assert edit(rewritten, adding(hierarchy=True)) == rewritten

    refreshed = changed(rewritten, adding(DOG))
    sidecar.write_bytes(refreshed)
    assert read_keywords(refreshed).subjects == (*before, "typed", "dog")
    run("-XMP-photoshop:City=Bern")

    sidecar.write_bytes(changed(sidecar.read_bytes(), REMOVE))
    assert read_keywords(sidecar.read_bytes()) == Keywords(subjects=(*before, "typed"))
    assert b"mnv2" not in sidecar.read_bytes()
    found = tags_read(run)
    found.pop("XMP-x:XMPToolkit")
    rating = {"XMP-xmp:Rating": 4} if data else {}
    typed = [*before, "typed"] if before else "typed"
    others = {"XMP-xmp:Label": "Red", "XMP-photoshop:City": "Bern"}
    assert found == {"XMP-dc:Subject": typed, **rating, **others}


def test_words_that_exiftool_removes_leave_no_empty_list(run: Run, sidecar: Path) -> None:
    sidecar.write_bytes(changed(packet(), adding()))
    run("-XMP-dc:Subject-=animal", "-XMP-dc:Subject-=tiger cat")
    found = changed(sidecar.read_bytes(), REMOVE)
    assert b"subject" not in found
    assert b"mnv2" not in found


@pytest.mark.parametrize("data", [packet(), packet(subjects("holiday", "animal"))])
def test_packet_that_exiv2_rewrites_is_refreshed_and_removed(data: bytes, tmp_path: Path) -> None:
    pyexiv2 = pytest.importorskip("pyexiv2", reason="pyexiv2 is not installed")
    before = read_keywords(data).subjects
    photo = tmp_path / "photo.jpg"
    Image.new("RGB", (8, 8)).save(photo)

    def rewritten(content: bytes) -> bytes:
        with pyexiv2.Image(str(photo)) as image:
            image.modify_raw_xmp(content.decode())
        with pyexiv2.Image(str(photo)) as image:
            words = image.read_xmp()["Xmp.dc.subject"]
            image.modify_xmp({"Xmp.dc.subject": [*words, "typed"], "Xmp.xmp.Label": "Red"})
        with pyexiv2.Image(str(photo)) as image:
            written: str = image.read_raw_xmp()
        return written.encode()

    written = rewritten(changed(data, adding(hierarchy=True)))
    assert b"mnv2:AddedByModel=" in written  # exiv2 prefers attributes
    assert edit(written, adding(hierarchy=True)) == written
    refreshed = changed(written, adding(DOG))
    assert read_keywords(refreshed).subjects == (*before, "typed", "dog")
    for content in (written, refreshed):
        removed = changed(content, REMOVE)
        assert read_keywords(removed) == Keywords(subjects=(*before, "typed"))
        assert b"mnv2" not in removed
        assert b'xmp:Label="Red"' in removed
