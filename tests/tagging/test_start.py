"""A new sidecar keeps what the photo says itself, because programs then read only the sidecar."""

from __future__ import annotations

from pathlib import Path

import pytest

from mnv2cli.tagging.actions import TagAction, TagPlan
from mnv2cli.tagging.apply import apply
from mnv2cli.tagging.start import starting_packet
from mnv2cli.tagging.tags import Tags
from mnv2cli.tagging.undo import undo
from mnv2cli.tagging.xmp.edit import edit
from mnv2cli.tagging.xmp.keywords import Change, Keywords
from mnv2cli.tagging.xmp.read import read_keywords
from tests.tagging.photos import FORMATS, iim, packet, save, with_iptc

TAGS = Tags(("cat", "tiger cat"), (("cat", "tiger cat"),), "m", 0.9)


def tag(photo: Path, tags: Tags | None = TAGS) -> Path:
    file = photo.with_name(f"{photo.name}.xmp")
    apply(TagPlan(str(photo.parent), [TagAction(str(photo), "sidecar", str(file), tags)]))
    return file


@pytest.mark.parametrize("suffix", FORMATS)
def test_new_sidecar_has_the_embedded_keywords_and_goes_when_ours_are_removed(
    suffix: str, tmp_path: Path
) -> None:
    photo = save(tmp_path / f"a{suffix}", packet("Anna", "Cat", hierarchy=["people|Anna"]))
    file = tag(photo)
    found = read_keywords(file.read_bytes())
    assert found.subjects == ("Anna", "Cat", "tiger cat")
    assert found.hierarchy == ("people|Anna", "cat|tiger cat")
    assert found.ours and found.ours.keywords == ("tiger cat",)
    tag(photo, None)
    assert not file.exists()


def test_new_sidecar_has_the_iptc_keywords_that_the_packet_lacks(tmp_path: Path) -> None:
    keywords = iim(b"anna", "Zoë".encode(), utf_8=True)
    photo = with_iptc(save(tmp_path / "a.jpg", packet("Anna")), keywords)
    file = tag(photo)
    found = read_keywords(file.read_bytes())
    assert found.subjects == ("Anna", "Zoë", "cat", "tiger cat")
    assert found.ours and found.ours.keywords == ("cat", "tiger cat")
    assert tag(photo, None) == file and not file.exists()


def test_sidecar_that_a_person_changed_stays_when_ours_are_removed(tmp_path: Path) -> None:
    photo = save(tmp_path / "a.jpg", packet("Anna"))
    file = tag(photo)
    file.write_bytes(file.read_bytes().replace(b"Anna", b"Hanna"))
    tag(photo, None)
    assert read_keywords(file.read_bytes()).subjects == ("Hanna",)


def test_sidecar_that_a_person_made_stays_even_if_it_says_what_the_photo_says(
    tmp_path: Path,
) -> None:
    photo = save(tmp_path / "a.jpg", packet("Anna"))
    file = photo.with_name("a.jpg.xmp")
    theirs = starting_packet(str(photo))
    file.write_bytes(theirs)
    tag(photo)
    assert file.read_bytes() != theirs
    tag(photo, None)
    assert file.read_bytes() == theirs


def test_embedded_keywords_of_ours_are_not_theirs_in_a_new_sidecar(tmp_path: Path) -> None:
    data = edit(packet("Anna"), Change(TAGS))
    assert data
    photo = save(tmp_path / "a.jpg", data)
    assert read_keywords(starting_packet(str(photo))) == Keywords(subjects=("Anna",))


def test_embedded_iptc_keywords_of_ours_are_not_theirs_in_a_new_sidecar(tmp_path: Path) -> None:
    data = edit(b"", Change(TAGS, iptc=("cat",)))
    assert data
    photo = with_iptc(save(tmp_path / "a.jpg", data), iim(b"cat", b"Anna"))
    assert read_keywords(starting_packet(str(photo))) == Keywords(subjects=("Anna",))


def test_what_a_raw_developer_did_is_not_copied(tmp_path: Path) -> None:
    data = packet("Anna").replace(
        b"</rdf:Description>",
        b'<darktable:history xmlns:darktable="http://darktable.sf.net/"><rdf:Seq/>'
        b'</darktable:history><xmp:Rating xmlns:xmp="http://ns.adobe.com/xap/1.0/">4</xmp:Rating>'
        b'<xmpNote:HasExtendedXMP xmlns:xmpNote="http://ns.adobe.com/xmp/note/">12'
        b"</xmpNote:HasExtendedXMP></rdf:Description>",
    )
    found = tag(save(tmp_path / "a.jpg", data)).read_bytes()
    assert b">4</xmp:Rating>" in found
    assert b"darktable" not in found and b"HasExtendedXMP" not in found


def test_refresh_starts_anew_while_nobody_has_changed_the_sidecar(tmp_path: Path) -> None:
    photo = save(tmp_path / "a.jpg", packet("Anna"))
    file = tag(photo)
    save(photo, packet("Hanna"))
    tag(photo)
    assert read_keywords(file.read_bytes()).subjects == ("Hanna", "cat", "tiger cat")
    save(photo, packet("Eva"))
    tag(photo, None)
    assert not file.exists()


def test_empty_sidecar_of_a_person_is_empty_again(tmp_path: Path) -> None:
    photo = save(tmp_path / "a.jpg", packet("Anna"))
    file = photo.with_name("a.jpg.xmp")
    file.touch()
    tag(photo)
    assert read_keywords(file.read_bytes()).subjects == ("cat", "tiger cat")
    tag(photo, None)
    assert file.read_bytes() == b""


def test_huge_packet_is_not_copied(tmp_path: Path) -> None:
    photo = save(tmp_path / "a.png", packet("x" * 2_000_000), zip=True)
    assert starting_packet(str(photo)) == b""


def test_undo_removes_a_sidecar_that_started_with_the_photos_packet(tmp_path: Path) -> None:
    photo = save(tmp_path / "a.jpg", packet("Anna"))
    file = tag(photo)
    undo(str(tmp_path))
    assert not file.exists() and sorted(tmp_path.iterdir()) == [photo]


@pytest.mark.parametrize(
    "data", [b"not a packet", packet("Anna").replace(b"<rdf:Bag>", b"<rdf:Bad>")]
)
def test_photo_whose_packet_cannot_be_read_gets_a_sidecar_of_our_keywords(
    data: bytes, tmp_path: Path
) -> None:
    photo = save(tmp_path / "a.jpg", data)
    assert read_keywords(tag(photo).read_bytes()).subjects == ("cat", "tiger cat")
