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
from mnv2cli.tagging.xmp.keywords import Change
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
    file.write_bytes(packet("Anna"))
    tag(photo, None)
    assert file.read_bytes() == packet("Anna")


def test_embedded_keywords_of_ours_are_not_theirs_in_a_new_sidecar(tmp_path: Path) -> None:
    data = edit(packet("Anna"), Change(TAGS))
    assert data
    photo = save(tmp_path / "a.jpg", data)
    assert starting_packet(str(photo)) == packet("Anna")


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
