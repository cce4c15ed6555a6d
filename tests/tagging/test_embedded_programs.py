"""Photos with XMP as programs embed it: tagged, read by another library, and restored."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from mnv2cli.tagging.embedding import embed
from mnv2cli.tagging.exiftool import ExifTool
from mnv2cli.tagging.tags import Tags
from mnv2cli.tagging.xmp.keywords import Change
from mnv2cli.tagging.xmp.read import read_keywords
from tests.tagging.sidecars import PROGRAMS, Sidecar

pillow_heif.register_heif_opener()

PACKETS = {sidecar.name: sidecar for sidecar in PROGRAMS}
TAGS = Tags(("animal", "tiger cat"), (("animal", "tiger cat"),), model="mine", score=0.9)
ADD = Change(TAGS, date="2026-05-01T10:00:00+02:00")
REFRESH = Change(Tags(("bird",), (("bird",),)), date="2026-06-01T10:00:00+02:00")
REMOVE = Change(None)
FLAT, HIERARCHY, LIST = "XMP-dc:Subject", "XMP-lr:HierarchicalSubject", "XMP-digiKam:TagsList"
IPTC = "IPTC:Keywords"
NOT_COMPARED = ("System:", "File:", "ExifTool:", "Composite:", "XMP-mnv2:", "SourceFile",
    "QuickTime:MediaData")  # fmt: skip

Embed = Callable[[Path, Change], Path]


@pytest.fixture
def embedded(tool: ExifTool, tmp_path: Path) -> Embed:
    """Return a function that writes a copy of a photo with other keywords."""

    def write(photo: Path, change: Change) -> Path:
        copy = tmp_path / f"{len(list(tmp_path.iterdir()))}{photo.suffix}"
        assert embed(tool, str(photo), str(copy), change)
        return copy

    return write


def photo_with(sidecar: Sidecar, path: Path) -> Path:
    pixels = np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8)
    exif = Image.Exif()
    exif[0x010F] = "Canon"
    image = Image.fromarray(pixels)
    if path.suffix == ".heic":
        pillow_heif.from_pillow(image).save(path, exif=exif.tobytes(), xmp=sidecar.data)
    else:
        image.save(path, exif=exif, xmp=sidecar.data)
    return path


def pixels_of(path: Path) -> bytes:
    with Image.open(path) as image:
        return image.tobytes()


def tags_of(command: str, *paths: Path) -> list[dict[str, Any]]:
    done = subprocess.run(
        [command, "-a", "-G1", "-j", "-struct", *map(str, paths)], capture_output=True, check=True
    )
    return [
        {k: v for k, v in tags.items() if not k.startswith(NOT_COMPARED)}
        for tags in json.loads(done.stdout)
    ]


def others(found: dict[str, Any]) -> dict[str, Any]:
    lists = (FLAT, HIERARCHY, LIST, IPTC, "Photoshop:IPTCDigest")
    return {name: value for name, value in found.items() if name not in lists}


def packet_of(tool: ExifTool, path: Path) -> bytes:
    return tool.read(str(path)).packet


@pytest.mark.parametrize("suffix", [".jpg", ".heic"])
@pytest.mark.parametrize("name", ["Lightroom, embedded", "digiKam, embedded", "Windows, embedded"])
def test_keywords_are_embedded_beside_theirs_and_removed_again(
    name: str, suffix: str, embedded: Embed, tool: ExifTool, exiftool: str, tmp_path: Path
) -> None:
    sidecar = PACKETS[name]
    photo = photo_with(sidecar, tmp_path / f"photo{suffix}")
    tagged = embedded(photo, ADD)
    refreshed = embedded(tagged, REFRESH)
    clean = [embedded(state, REMOVE) for state in (tagged, refreshed)]

    before, after, *last = tags_of(exiftool, photo, tagged, *clean)
    assert others(after) == others(before)
    assert after[FLAT] == [*sidecar.subjects, "animal", "tiger cat"]
    assert last == [before, before]
    assert {pixels_of(path) for path in (tagged, refreshed, *clean)} == {pixels_of(photo)}
    assert [packet_of(tool, path) for path in (photo, *clean)] == [sidecar.data] * 3

    found = read_keywords(packet_of(tool, tagged))
    assert found.hierarchy == _and_ours(sidecar.hierarchy, "animal|tiger cat")
    assert found.tags_list == _and_ours(sidecar.tags_list, "animal/tiger cat")
    assert read_keywords(packet_of(tool, refreshed)).subjects == (*sidecar.subjects, "bird")


def _and_ours(theirs: tuple[str, ...] | None, ours: str) -> tuple[str, ...]:
    return () if theirs is None else (*theirs, ours)


def test_iptc_keywords_of_digikam_are_kept_and_ours_are_added(
    embedded: Embed, tool: ExifTool, exiftool: str, tmp_path: Path
) -> None:
    photo = photo_with(PACKETS["digiKam, embedded"], tmp_path / "photo.jpg")
    theirs = [f"-{IPTC}=Oslo", f"-{IPTC}=Kari", "-CodedCharacterSet=UTF8"]
    subprocess.run([exiftool, "-q", "-overwrite_original", *theirs, str(photo)], check=True)
    tagged = embedded(photo, ADD)
    clean = embedded(tagged, REMOVE)
    before, after, last = tags_of(exiftool, photo, tagged, clean)
    assert after[IPTC] == ["Oslo", "Kari", "animal", "tiger cat"]
    assert last == before
    assert packet_of(tool, clean) == packet_of(tool, photo)


def test_embedded_keywords_are_read_by_exiv2(embedded: Embed, tmp_path: Path) -> None:
    reason = "pyexiv2, a second reader of XMP for these tests, is not installed"
    api = pytest.importorskip("pyexiv2", reason=reason)
    sidecar = PACKETS["digiKam, embedded"]
    tagged = embedded(photo_with(sidecar, tmp_path / "photo.jpg"), ADD)
    with api.Image(str(tagged)) as image:
        found = image.read_xmp()
        image.modify_xmp({"Xmp.dc.subject": [*found["Xmp.dc.subject"], "Anna"]})
    assert found["Xmp.dc.subject"] == [*sidecar.subjects, "animal", "tiger cat"]
    assert found["Xmp.digiKam.TagsList"] == [*(sidecar.tags_list or ()), "animal/tiger cat"]
    clean = embedded(tagged, REMOVE)
    with api.Image(str(clean)) as image:
        assert image.read_xmp()["Xmp.dc.subject"] == [*sidecar.subjects, "Anna"]
