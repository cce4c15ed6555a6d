from __future__ import annotations

import os
from pathlib import Path

import pytest

from mnv2cli.tagging.known import photo_keywords
from mnv2cli.tagging.sidecars import Sidecars
from mnv2cli.tagging.xmp.keywords import XmpError
from tests.tagging.photos import FORMATS, iim, packet, save, with_iptc


@pytest.mark.parametrize("suffix", FORMATS)
def test_keywords_of_a_photo_are_those_embedded(tmp_path: Path, suffix: str) -> None:
    found = photo_keywords(str(save(tmp_path / f"a{suffix}", packet("kitchen", "Küche"))))
    assert found.theirs == ("kitchen", "Küche")
    assert found.ours is None


@pytest.mark.parametrize("name", ["a.jpg.xmp", "a.xmp", "A.JPG.XMP"])
def test_keywords_of_a_photo_are_those_of_its_sidecar(tmp_path: Path, name: str) -> None:
    photo = save(tmp_path / "a.jpg")
    (tmp_path / name).write_bytes(packet("kitchen"))
    assert photo_keywords(str(photo)).theirs == ("kitchen",)


def test_words_of_all_places_are_listed_once_ignoring_case(tmp_path: Path) -> None:
    photo = with_iptc(save(tmp_path / "a.jpg", packet("Kitchen", "lamp")), iim(b"LAMP", b"sink"))
    (tmp_path / "a.jpg.xmp").write_bytes(packet("kitchen", "house "))
    assert photo_keywords(str(photo)).theirs == ("kitchen", "house", "lamp", "sink")


def test_words_that_this_tool_wrote_are_not_theirs(tmp_path: Path) -> None:
    photo = save(tmp_path / "a.jpg", packet("kitchen", "cat", ours=["cat"]))
    (tmp_path / "a.jpg.xmp").write_bytes(packet("dog", "lamp", ours=["dog"]))
    found = photo_keywords(str(photo))
    assert found.theirs == ("lamp", "kitchen")
    assert found.ours is not None
    assert found.ours.keywords == ("dog",)


def test_word_that_a_person_typed_beside_ours_is_theirs(tmp_path: Path) -> None:
    both = save(tmp_path / "a.jpg", packet("cat", "cat", ours=["cat"]))
    other = save(tmp_path / "b.jpg", packet("Cat", ours=["cat"]))
    assert photo_keywords(str(both)).theirs == ("cat",)
    assert photo_keywords(str(other)).theirs == ("Cat",)


def test_last_names_of_hierarchical_keywords_count_without_flat_ones(tmp_path: Path) -> None:
    photo = save(tmp_path / "a.jpg", packet(hierarchy=["House|kitchen", "lamp"]))
    flat = save(tmp_path / "b.jpg", packet("sink", hierarchy=["House|kitchen"]))
    assert photo_keywords(str(photo)).theirs == ("kitchen", "lamp")
    assert photo_keywords(str(flat)).theirs == ("sink",)


def test_our_word_that_a_program_copied_into_a_hierarchy_is_not_theirs(tmp_path: Path) -> None:
    photo = save(tmp_path / "a.jpg", packet("cat", hierarchy=["Auto|cat"], ours=["cat"]))
    assert photo_keywords(str(photo)).theirs == ()


def test_photo_without_keywords_has_none(tmp_path: Path) -> None:
    assert photo_keywords(str(save(tmp_path / "a.png"))).theirs == ()
    assert photo_keywords(str(tmp_path / "missing.png")).theirs == ()


def test_names_that_are_not_utf_8_are_read(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/caf\xe9.jpg"
    os.rename(save(tmp_path / "a.jpg"), name)
    with open(name + b".xmp", "wb") as file:
        file.write(packet("kitchen"))
    assert photo_keywords(os.fsdecode(name)).theirs == ("kitchen",)


HOSTILE = {
    "cut": packet("kitchen")[:-60],
    "laughs": b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>' + packet("kitchen")[58:],
    "binary": bytes(range(256)),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_sidecar_that_cannot_be_read_is_an_error_with_its_name(tmp_path: Path, kind: str) -> None:
    photo = save(tmp_path / "a.jpg", packet("kitchen"))
    (tmp_path / "a.jpg.xmp").write_bytes(HOSTILE[kind])
    with pytest.raises(XmpError, match=r"^unreadable sidecar: a\.jpg\.xmp: "):
        photo_keywords(str(photo))


def test_packet_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    photo = save(tmp_path / "a.jpg", HOSTILE["cut"])
    with pytest.raises(XmpError, match=r"^unreadable XMP in the photo: "):
        photo_keywords(str(photo))


def test_sidecar_that_is_not_a_file_is_an_error_without_waiting(tmp_path: Path) -> None:
    photo = save(tmp_path / "a.jpg")
    os.mkfifo(tmp_path / "a.jpg.xmp")
    with pytest.raises(XmpError, match="unreadable sidecar: "):
        photo_keywords(str(photo))


def test_sidecars_of_many_photos_are_found_with_one_listing(tmp_path: Path) -> None:
    sidecars = Sidecars()
    for number in range(3):
        photo = save(tmp_path / f"{number}.jpg")
        (tmp_path / f"{number}.xmp").write_bytes(packet(f"word{number}"))
        again = sidecars if number == 2 else Sidecars()
        assert photo_keywords(str(photo), again).theirs == (f"word{number}",)


def test_keywords_of_raw_photos_of_the_shot_are_its_own(tmp_path: Path) -> None:
    photo = save(tmp_path / "a.jpg", packet("sink"))
    raw = tmp_path / "a.cr2"
    save(tmp_path / "a.tif", packet("lamp")).rename(raw)
    (tmp_path / "a.xmp").write_bytes(packet("kitchen", "Sink"))
    assert photo_keywords(str(photo)).theirs == ("sink",)
    assert photo_keywords(str(photo), raws=[str(raw)]).theirs == ("sink", "kitchen", "lamp")
