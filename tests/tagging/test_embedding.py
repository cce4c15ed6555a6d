"""Keywords in photos: what is written, what stays, and what is refused."""

from __future__ import annotations

import os
import stat
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from mnv2cli.tagging.embedding import EMBEDDABLE, EmbedError, embed
from mnv2cli.tagging.exiftool import ExifTool
from mnv2cli.tagging.tags import Tags
from mnv2cli.tagging.xmp.keywords import Change
from mnv2cli.tagging.xmp.read import read_keywords
from tests.images.camera_raws import Shot, nef
from tests.tagging.photo_formats import DEPTH, EXTENSION, HEADER, PACKET, extended, segment

DATE = "2026-03-01T12:00:00+01:00"
REMOVE = Change(None, date=DATE)


def change(*keywords: str) -> Change:
    return Change(Tags(keywords, model="network", score=0.5), date=DATE)


class Photo:
    """A photo, changed in place as a run does it."""

    def __init__(self, path: Path, tool: ExifTool, program: str) -> None:
        self.path, self.tool, self.program = path, tool, program

    def write(self, *arguments: str) -> None:
        """Let ExifTool write tags."""
        command = [self.program, "-config", "", "-q", "-overwrite_original", *arguments]
        subprocess.run([*command, str(self.path)], check=True)

    def embed(self, change: Change) -> bool:
        temp = self.path.with_name("temp")
        is_changed = embed(self.tool, str(self.path), str(temp), change)
        assert temp.exists() == is_changed
        if is_changed:
            temp.replace(self.path)
        assert os.listdir(self.path.parent) == [self.path.name]
        return is_changed

    def refused(self, change: Change) -> str:
        before = self.path.read_bytes()
        with pytest.raises(EmbedError) as caught:
            self.embed(change)
        assert self.path.read_bytes() == before
        assert os.listdir(self.path.parent) == [self.path.name]
        return str(caught.value)

    @property
    def packet(self) -> bytes:
        return self.tool.read(str(self.path)).packet

    @property
    def subjects(self) -> tuple[str, ...]:
        return read_keywords(self.packet).subjects

    @property
    def iptc(self) -> tuple[str, ...] | None:
        return self.tool.read(str(self.path)).iptc

    @property
    def recorded(self) -> tuple[str, ...]:
        ours = read_keywords(self.packet).ours
        return ours.iptc if ours else ()


@pytest.fixture
def photo(tmp_path: Path, tool: ExifTool, exiftool: str) -> Photo:
    path = tmp_path / "photo.jpg"
    Image.effect_noise((32, 24), 80).convert("RGB").save(path)
    return Photo(path, tool, exiftool)


def test_suffixes_are_lower_case_and_not_those_of_raw_photos() -> None:
    assert all(suffix == suffix.lower() and suffix[0] == "." for suffix in EMBEDDABLE)
    assert {".jpg", ".png", ".webp", ".tif", ".heic", ".avif", ".dng"} <= EMBEDDABLE
    assert not {".cr2", ".nef", ".arw", ".gif", ".bmp"} & EMBEDDABLE


def test_keywords_are_added_replaced_and_removed(photo: Photo) -> None:
    before = photo.path.read_bytes()
    assert photo.embed(change("cat", "Zürich"))
    assert photo.subjects == ("cat", "Zürich")
    assert not photo.embed(change("cat", "Zürich"))
    assert photo.embed(change("dog"))
    assert photo.subjects == ("dog",)
    assert photo.embed(REMOVE)
    assert photo.path.read_bytes() == before
    assert not photo.embed(REMOVE)


def test_a_persons_keywords_stay(photo: Photo) -> None:
    photo.write("-XMP-dc:Subject=holiday", "-XMP-dc:Subject=cat", "-XMP:Rating=4")
    before = photo.path.read_bytes()
    assert photo.embed(change("cat", "tiger cat"))
    assert photo.subjects == ("holiday", "cat", "tiger cat")
    assert photo.embed(REMOVE)
    assert photo.path.read_bytes() == before


def test_photo_and_its_permissions_stay(photo: Photo) -> None:
    photo.path.chmod(0o640)
    before = photo.path.read_bytes()
    temp = photo.path.with_name("temp")
    assert embed(photo.tool, str(photo.path), str(temp), change("cat"))
    assert photo.path.read_bytes() == before
    assert stat.S_IMODE(temp.stat().st_mode) == 0o640
    with pytest.raises(FileExistsError):
        embed(photo.tool, str(photo.path), str(temp), change("dog"))
    assert read_keywords(photo.tool.read(str(temp)).packet).subjects == ("cat",)


def test_full_disk_leaves_no_copy(photo: Photo, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "chmod", fail)
    with pytest.raises(OSError, match="No space"):
        photo.embed(change("cat"))
    assert os.listdir(photo.path.parent) == ["photo.jpg"]


# IPTC


def test_photo_without_iptc_gets_none(photo: Photo) -> None:
    assert photo.embed(change("cat"))
    assert photo.iptc is None
    assert photo.recorded == ()


def test_photo_with_iptc_gets_keywords_and_a_digest(photo: Photo) -> None:
    photo.write("-IPTC:Keywords=holiday", "-CodedCharacterSet=UTF8", "-IPTCDigest=new")
    before = photo.path.read_bytes()
    assert photo.tool.read(str(photo.path)).has_digest
    assert photo.embed(change("cat", "Zürich", "Holiday"))
    assert photo.iptc == ("holiday", "cat", "Zürich")
    assert photo.recorded == ("cat", "Zürich")
    assert photo.tool.read(str(photo.path)).has_digest
    assert not photo.embed(change("cat", "Zürich", "Holiday"))
    assert photo.embed(change("dog", "cat"))
    assert photo.iptc == ("holiday", "cat", "dog")
    assert photo.embed(REMOVE)
    assert photo.path.read_bytes() == before


def test_iptc_without_keywords_gets_ours(photo: Photo) -> None:
    photo.write("-IPTC:City=Rome")
    before = photo.path.read_bytes()
    assert photo.iptc == ()
    assert photo.embed(change("cat"))
    assert photo.iptc == ("cat",)
    assert photo.embed(REMOVE)
    assert photo.path.read_bytes() == before


def test_digest_that_is_wrong_or_missing_stays(photo: Photo) -> None:
    photo.write("-IPTC:Keywords=a", f"-IPTCDigest={'0' * 32}")
    photo.embed(change("cat"))
    assert not photo.tool.read(str(photo.path)).has_digest
    photo.write("-IPTCDigest=")
    photo.embed(change("dog"))
    assert b"\x04\x25" not in photo.path.read_bytes()[:2000]  # the number of the digest
    assert photo.iptc == ("a", "dog")


def test_words_that_iptc_cannot_hold_are_not_written(photo: Photo) -> None:
    long, limit = "x" * 65, "y" * 64
    photo.write("-IPTC:Keywords=a")
    photo.embed(change("Zürich", long, limit, "cat"))
    assert photo.iptc == ("a", limit, "cat")
    assert photo.recorded == (limit, "cat")
    photo.write("-CodedCharacterSet=UTF8")
    photo.embed(change("Zürich", "ü" * 33, "猫" * 21))
    assert photo.iptc == ("a", "Zürich", "猫" * 21)


def test_word_that_a_person_typed_again_stays(photo: Photo) -> None:
    photo.write("-IPTC:Keywords=a")
    photo.embed(change("cat", "dog"))
    photo.write("-IPTC:Keywords+=cat", "-IPTC:Keywords+=b")
    assert photo.iptc == ("a", "cat", "dog", "cat", "b")
    photo.embed(REMOVE)
    assert photo.iptc is not None
    assert sorted(photo.iptc) == ["a", "b", "cat"]


def test_word_that_a_person_deleted_is_written_again_by_a_refresh(photo: Photo) -> None:
    photo.write("-IPTC:Keywords=a")
    photo.embed(change("cat"))
    photo.write("-IPTC:Keywords-=cat")
    assert photo.embed(change("cat"))
    assert photo.iptc == ("a", "cat")


@pytest.mark.parametrize("word", ["2023", "-5", "1e5", "true", "a=b", "@x", "$y", "<p>", "a;b, c"])
def test_any_word_goes_into_iptc_and_out(photo: Photo, word: str) -> None:
    photo.write("-IPTC:Keywords=a", "-IPTC:Keywords=12")
    before = photo.path.read_bytes()
    photo.embed(change(word))
    assert photo.iptc == ("a", "12", word)
    assert photo.subjects == ("a", "12", word)
    photo.embed(REMOVE)
    assert photo.path.read_bytes() == before


# IPTC Keywords of others that dc:subject lacks: programs that read it first would not see them


def test_iptc_keywords_of_others_are_in_a_new_subject_until_ours_are_removed(photo: Photo) -> None:
    photo.write("-IPTC:Keywords=Müller", "-CodedCharacterSet=UTF8", "-IPTCDigest=new")
    before = photo.path.read_bytes()
    assert photo.embed(change("cat"))
    assert photo.subjects == ("Müller", "cat")
    assert photo.iptc == ("Müller", "cat")
    assert not photo.embed(change("cat"))
    assert photo.embed(change("dog"))
    assert photo.subjects == ("Müller", "dog")
    assert photo.iptc == ("Müller", "dog")
    assert photo.embed(REMOVE)
    assert photo.path.read_bytes() == before


def test_iptc_keywords_of_others_are_not_in_a_hierarchy(photo: Photo) -> None:
    photo.write("-IPTC:Keywords=Anna")
    photo.embed(replace(change("cat"), hierarchy=True))
    found = read_keywords(photo.packet)
    assert (found.subjects, found.hierarchy, found.tags_list) == (
        ("Anna", "cat"),
        ("cat",),
        ("cat",),
    )


def test_iptc_keywords_are_not_in_a_subject_of_others(photo: Photo) -> None:
    photo.write("-IPTC:Keywords=Anna", "-IPTC:Keywords=Cat", "-XMP-dc:Subject=holiday")
    before = photo.path.read_bytes()
    photo.embed(change("cat"))
    assert photo.subjects == ("holiday", "cat")
    assert not photo.embed(change("cat"))
    photo.embed(REMOVE)
    assert photo.path.read_bytes() == before


def test_tags_without_keywords_copy_none_of_others(photo: Photo) -> None:
    photo.write("-IPTC:Keywords=Anna")
    assert not photo.embed(change())


@pytest.mark.parametrize("wanted", [change("dog"), REMOVE])
def test_iptc_keywords_of_others_stay_beside_words_that_they_add(
    photo: Photo, wanted: Change
) -> None:
    photo.write("-IPTC:Keywords=Anna")
    photo.embed(change("cat"))
    photo.write("-IPTC:Keywords+=Ben", "-XMP-dc:Subject+=Ben")
    assert photo.embed(wanted)
    ours = wanted.tags.keywords if wanted.tags else ()
    assert sorted(photo.subjects) == sorted(["Anna", "Ben", *ours])
    assert sorted(photo.iptc or ()) == sorted(["Anna", "Ben", *ours])
    assert not photo.embed(wanted)
    photo.embed(REMOVE)
    assert sorted(photo.subjects) == ["Anna", "Ben"]


# What is refused


@pytest.mark.parametrize(
    ("format", "name", "words"),
    [
        ("PNG", "photo.jpg", "Not a valid JPG (looks more like a PNG): rename it to .png"),
        ("JPEG", "photo.png", "Not a valid PNG (looks more like a JPEG): rename it to .jpeg"),
        ("WEBP", "photo.jpg", "Not a valid JPG (looks more like a RIFF)"),
        ("GIF", "photo.gif", "keywords are not embedded into GIF files"),
        ("BMP", "photo.bmp", "keywords are not embedded into BMP files"),
    ],
)
def test_other_formats_are_refused(photo: Photo, format: str, name: str, words: str) -> None:
    other = photo.path.with_name("other")
    Image.open(photo.path).save(other, format)
    photo.path.unlink()
    photo.path = other.rename(photo.path.with_name(name))
    assert photo.refused(change("cat")).startswith(words)


def test_raw_photos_are_refused(photo: Photo) -> None:
    data = nef(Shot(Image.open(photo.path)))
    photo.path.unlink()
    photo.path = photo.path.with_name("photo.nef")
    photo.path.write_bytes(data)
    assert photo.refused(change("cat")) == "keywords are not embedded into NEF files"


def test_big_tiff_is_refused(photo: Photo) -> None:
    path = photo.path.with_name("photo.tif")
    Image.open(photo.path).save(path, big_tiff=True)
    photo.path.unlink()
    photo.path = path
    assert photo.refused(change("cat")) == "keywords are not embedded into BTF files"


def test_damaged_photos_are_refused(photo: Photo) -> None:
    whole = photo.path.read_bytes()
    for data in (b"", whole[:100], whole[:4], b"no photo"):
        photo.path.write_bytes(data)
        reason = photo.refused(change("cat"))
        assert reason
        assert "photo.jpg" not in reason
    photo.path.write_bytes(whole)
    assert photo.embed(change("cat"))


def test_damaged_exif_stays_as_it_is(photo: Photo) -> None:
    photo.write("-EXIF:Artist=somebody", "-EXIF:Copyright=all")
    data = photo.path.read_bytes()
    place = data.index(b"Exif\0\0") + 6
    before = data[: place + 4] + b"\xff\xff\xff\x00" + data[place + 8 :]
    photo.path.write_bytes(before)
    assert photo.embed(change("cat"))
    assert photo.subjects == ("cat",)
    assert photo.embed(REMOVE)
    assert photo.path.read_bytes() == before


def test_unreadable_packets_are_refused(photo: Photo) -> None:
    photo.embed(change("cat"))
    data = photo.path.read_bytes()
    photo.path.write_bytes(data.replace(b"</rdf:RDF>", b"</rdf:RDX>"))
    assert photo.refused(change("dog")).startswith("XMP: ")


def test_several_packets_are_refused(photo: Photo) -> None:
    photo.write("-XMP-dc:Title=a")
    data = photo.path.read_bytes()
    place = data.index(b"\xff\xe1")
    length = struct.unpack(">H", data[place + 2 : place + 4])[0] + 2
    segment = data[place : place + length]
    photo.path.write_bytes(data[:place] + segment + data[place:])
    assert photo.refused(change("cat")) == "it has more than one XMP packet"


# XMP that is longer than a segment of a JPEG


@pytest.mark.parametrize("has_iptc", [False, True])
def test_extended_xmp_stays(photo: Photo, has_iptc: bool) -> None:
    if has_iptc:
        photo.write("-IPTC:Keywords=a", "-IPTCDigest=new")
    before, segments = extended(photo.path.read_bytes())
    assert segments.count(EXTENSION) == 3
    photo.path.write_bytes(before)
    assert photo.tool.read(str(photo.path)).is_extended
    assert photo.embed(change("cat"))
    assert photo.subjects == (("a", "cat") if has_iptc else ("cat",))
    assert photo.iptc == (("a", "cat") if has_iptc else None)
    assert segments in photo.path.read_bytes()
    command = [photo.program, "-b", "-XMP-GDepth:DepthImage", str(photo.path)]
    assert subprocess.check_output(command) == b"ABC" * 40_000
    assert photo.embed(change("dog"))
    assert photo.embed(REMOVE)
    assert photo.path.read_bytes() == before


@pytest.mark.parametrize("is_extended", [False, True])
def test_packet_that_gets_too_long_is_refused(photo: Photo, is_extended: bool) -> None:
    note = "<dc:source xmlns:dc='http://purl.org/dc/elements/1.1/'>{}</dc:source>"
    jpeg = photo.path.read_bytes()
    if is_extended:
        data, _ = extended(jpeg, note.format("x" * 64_500))
    else:
        packet = PACKET.format(DEPTH.format("QUJD" * 16_200))
        data = jpeg[:2] + segment(HEADER + packet.encode()) + jpeg[2:]
    photo.path.write_bytes(data)
    assert "JPEG" in photo.refused(change("cat", "dog", "horse"))
    assert not photo.embed(REMOVE)


def test_extended_xmp_stays_before_further_images(photo: Photo) -> None:
    first = Image.open(photo.path)
    first.save(photo.path, "MPO", save_all=True, append_images=[first.rotate(180)])
    before, _ = extended(photo.path.read_bytes())
    photo.path.write_bytes(before)
    assert photo.embed(change("cat"))  # the images are listed after XMP: distances stay
    with Image.open(photo.path) as image:
        assert image.n_frames == 2
        image.seek(1)
        image.load()


def test_words_are_recorded_with_what_the_caller_gave(photo: Photo) -> None:
    photo.write("-IPTC:Keywords=a")
    photo.embed(replace(change("cat"), iptc=("something else",)))
    assert photo.recorded == ("cat",)
