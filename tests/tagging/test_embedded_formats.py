"""Embedding changes nothing but keywords, in photos of all formats and with all kinds of metadata.

Decoded pixels, all frames and pages, and the encoded images inside must be the same; so must all
metadata that ExifTool knows but keywords, our record, and what depends on the size of the file.
"""

from __future__ import annotations

import io
import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageSequence

from mnv2cli.tagging.embedding import EMBEDDABLE, embed
from mnv2cli.tagging.exiftool import ExifTool
from mnv2cli.tagging.tags import Tags
from mnv2cli.tagging.xmp.keywords import Change
from mnv2cli.tagging.xmp.read import read_keywords
from tests.tagging.photo_formats import PHOTOS

DATE = "2026-03-01T12:00:00+01:00"
ADD = Change(Tags(("cat", "tiger cat"), model="network", score=0.5), date=DATE)
REFRESH = Change(Tags(("dog", "猫"), model="network", score=0.5), date=DATE)
REMOVE = Change(None, date=DATE)

OURS = re.compile(
    r"XMP-mnv2:|XMP-dc:.*Subject|XMP-x:.*XMPToolkit|IPTC:.*Keywords|Photoshop:.*IPTCDigest"
    r"|File:.*CurrentIPTCDigest"
)
MOVED = re.compile(
    r"System:|ExifTool:|:XMP$|Offsets?$|Start$|:MediaData(Size|Offset)?$"
    r"|RIFF:.*(WebP_Flags|Image(Width|Height))$"  # of the chunk that WebP gets before XMP
)


@pytest.mark.parametrize("name", PHOTOS)
def test_nothing_but_keywords_is_changed(
    tool: ExifTool, exiftool: str, tmp_path: Path, name: str
) -> None:
    if name.endswith("jxl"):
        pytest.importorskip("imagecodecs", reason="imagecodecs is not installed")
    path = tmp_path / name
    assert path.suffix in EMBEDDABLE
    original = PHOTOS[name](exiftool)
    path.write_bytes(original)
    before = metadata(tool, path)
    images = list(contents(original, path.suffix))
    assert images
    theirs = tool.read(str(path))
    for change in (ADD, REFRESH, REMOVE):
        temp = tmp_path / "temp"
        assert embed(tool, str(path), str(temp), change)
        temp.replace(path)
        data = path.read_bytes()
        assert list(contents(data, path.suffix)) == images
        after = metadata(tool, path)
        assert {key for key in before | after if before.get(key) != after.get(key)} == set()
        words = change.tags.keywords if change.tags else ()
        found = tool.read(str(path))
        subjects = read_keywords(found.packet).subjects
        # Without a list of theirs in XMP, our new one starts with their IPTC Keywords.
        known = read_keywords(theirs.packet).subjects or (words and theirs.iptc) or ()
        assert subjects == (*known, *(word for word in words if word not in known))
        assert found.has_digest == theirs.has_digest
        if theirs.iptc is None:
            assert found.iptc is None
        else:
            fit = [
                word
                for word in words
                if word not in theirs.iptc and (theirs.is_utf8 or word.isascii())
            ]
            assert found.iptc == (*theirs.iptc, *fit)
    assert same_packet(found.packet) == same_packet(theirs.packet)
    if path.suffix == ".jpg":
        assert data == original
    assert not embed(tool, str(path), str(tmp_path / "temp"), REMOVE)
    assert [each.name for each in tmp_path.iterdir()] == [name]


def same_packet(packet: bytes) -> bytes:
    """Return a packet but for its last word: ExifTool makes it read-only in PNG."""
    return re.sub(rb"end=(.)w(.\?>)$", rb"end=\1r\2", packet)


def metadata(tool: ExifTool, path: Path) -> dict[str, list[Any]]:
    """Return all tags with their values but those that must change."""
    output = tool._run(["-j", "-a", "-u", "-n", "-b", "-G1:4"], str(path))
    tags: dict[str, list[Any]] = {}
    for name, value in json.loads(output)[0].items():
        if name != "SourceFile" and not OURS.match(name) and not MOVED.search(name):
            # Copies are numbered over all groups, so that our tags change their numbers.
            tags.setdefault(re.sub(r":Copy\d+", "", name), []).append(value)
    tags["File:FileType"] = [tags["File:FileType"][0].replace("Extended ", "")]
    return tags


def contents(data: bytes, suffix: str) -> Iterator[object]:
    """Yield all decoded images, and the encoded ones of formats that have several inside."""
    if suffix == ".jxl":
        import imagecodecs

        yield imagecodecs.jpegxl_decode(data).tobytes()
        return
    if suffix == ".heic":
        import pillow_heif

        for each in pillow_heif.open_heif(io.BytesIO(data)):
            yield each.size, each.mode, bytes(each.data), each.info["thumbnails"]
        return
    if suffix == ".dng":
        yield from encoded(data)
        return
    with Image.open(io.BytesIO(data)) as image:
        for frame in ImageSequence.Iterator(image):
            yield frame.mode, frame.size, frame.info.get("duration"), frame.tobytes()
    if suffix == ".jpg":
        yield after_segments(data)
    if suffix == ".tif":
        yield from encoded(data)


def after_segments(data: bytes) -> bytes:
    """Return a JPEG from its first scan on, with everything after its end."""
    place = 2
    while data[place + 1] != 0xDA:
        place += 2 + struct.unpack(">H", data[place + 2 : place + 4])[0]
    return data[place:]


def encoded(data: bytes) -> Iterator[bytes]:
    """Yield all strips, tiles and JPEGs of a TIFF, also of directories below others."""
    order = "<" if data.startswith(b"II") else ">"

    def values(entry: int) -> tuple[int, ...]:
        _, kind, count = struct.unpack_from(order + "HHI", data, entry)
        letter = {3: "H", 4: "I", 13: "I"}.get(kind, "B")
        size = count * struct.calcsize(letter)
        place = entry + 8 if size <= 4 else struct.unpack_from(order + "I", data, entry + 8)[0]
        return struct.unpack_from(f"{order}{count}{letter}", data, place)

    places = [struct.unpack_from(order + "I", data, 4)[0]]
    while places:
        if not (place := places.pop()):
            continue
        count = struct.unpack_from(order + "H", data, place)[0]
        starts = range(place + 2, place + 2 + 12 * count, 12)
        tags = {struct.unpack_from(order + "H", data, start)[0]: start for start in starts}
        for where, lengths in ((273, 279), (324, 325), (513, 514)):
            if where in tags:
                for start, length in zip(values(tags[where]), values(tags[lengths]), strict=True):
                    yield data[start : start + length]
        places += values(tags[330]) if 330 in tags else ()
        places += struct.unpack_from(order + "I", data, place + 2 + 12 * count)
