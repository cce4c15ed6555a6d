"""Photos with tags of earlier runs are not classified again."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from mnv2cli.errors import InputError
from mnv2cli.records import Source
from mnv2cli.tagging.options import PlaceOptions
from mnv2cli.tagging.tagged import Untagged, has_tags
from mnv2cli.tagging.tags import Tags
from mnv2cli.tagging.xmp.edit import edit
from mnv2cli.tagging.xmp.keywords import Change
from mnv2cli.tagging.xmp.read import read_keywords
from tests.tagging.tagged_files import TABBY, jpeg, packet, touch


def chosen(folder: Path, names: str, place: PlaceOptions | None = None) -> tuple[str, int]:
    untagged = Untagged(place)
    found = untagged([Source(str(folder / name)) for name in names.split()])
    return " ".join(Path(source.path).name for source in found), untagged.tagged


def test_only_photos_without_our_tags_are_chosen(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg b.jpg c.jpg d.jpg e.jpg f.jpg")
    (tmp_path / "b.jpg.xmp").write_bytes(packet())
    (tmp_path / "c.xmp").write_bytes(packet())
    (tmp_path / "d.jpg.xmp").write_bytes(packet().replace(b"</rdf:RDF>", b""))  # damaged
    (tmp_path / "e.jpg.xmp").write_bytes(b"<x/>")
    (tmp_path / "f.jpg.xmp").write_bytes(packet().decode().encode("utf-16"))
    assert chosen(tmp_path, "a.jpg b.jpg c.jpg d.jpg e.jpg f.jpg") == ("a.jpg d.jpg e.jpg", 3)


def test_a_mention_of_the_namespace_is_not_a_tag(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg")
    text = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><!-- urn:x-mnv2cli:xmp:1.0/ --></x:xmpmeta>'
    (tmp_path / "a.jpg.xmp").write_text(text)
    assert chosen(tmp_path, "a.jpg") == ("a.jpg", 0)


def test_embedded_tags_count_where_tags_are_embedded(tmp_path: Path) -> None:
    touch(tmp_path, "b.jpg c.gif")
    (tmp_path / "a.jpg").write_bytes(jpeg(TABBY))
    for name in ("b.jpg", "c.gif"):
        (tmp_path / f"{name}.xmp").write_bytes(packet())
    names = "a.jpg b.jpg c.gif"
    assert chosen(tmp_path, names) == ("a.jpg", 2)
    assert chosen(tmp_path, names, PlaceOptions(embed=True)) == ("b.jpg", 2)


def test_a_tagged_photo_is_chosen_if_its_raw_photo_came_later(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg a.dng b.jpg b.nef c.jpg")
    for name in ("a.jpg", "b.jpg", "b.nef", "c.jpg"):
        (tmp_path / f"{name}.xmp").write_bytes(packet())
    assert chosen(tmp_path, "a.jpg b.jpg c.jpg") == ("a.jpg", 2)
    (tmp_path / "a.dng.xmp").write_bytes(packet())
    assert chosen(tmp_path, "a.jpg b.jpg c.jpg") == ("", 3)


def test_errors_are_passed_on_and_remote_photos_refused(tmp_path: Path) -> None:
    wrong = Source(str(tmp_path / "x"), "cannot be listed")
    assert list(Untagged()([wrong])) == [wrong]
    with pytest.raises(InputError, match="cannot tag"):
        list(Untagged()([Source("s3://bucket/a.jpg")]))


def test_tags_are_the_same_exactly_where_writing_them_changes_nothing() -> None:
    random = Random(5)
    words = ["cat", "Cat", "tabby", "pug", "mine", "caf\u00e9", "cafe\u0301"]
    same = 0
    for _ in range(400):

        def some(least: int = 0) -> list[str]:
            return random.sample(words, random.randint(least, 3))

        def chosen_tags() -> Tags:
            keywords = some(1)
            score = random.choice([0.5, 0.50001, 0.7])
            return Tags(tuple(keywords), (tuple(keywords[:2]),), random.choice("ab"), score)

        lists = {"dc:subject": some(), "lr:hierarchicalSubject": some()}
        data = theirs({name: items for name, items in lists.items() if items})
        earlier, hierarchy = chosen_tags(), random.random() < 0.5
        data = packet(earlier, data, hierarchy=random.random() < 0.5)
        wanted = random.choice([earlier, chosen_tags()])
        found = read_keywords(data)
        assert found.ours
        changed = edit(data, Change(wanted, hierarchy=hierarchy, date="2025-01-01T00:00:00+00:00"))
        same += changed == data
        assert has_tags(found, wanted, hierarchy=hierarchy) == (changed == data)
    assert 20 < same < 380


def theirs(lists: dict[str, list[str]]) -> bytes:
    """Return a packet of another program."""
    parts = []
    for name, items in lists.items():
        inside = "".join(f"<rdf:li>{item}</rdf:li>" for item in items)
        parts.append(f"<{name}><rdf:Bag>{inside}</rdf:Bag></{name}>")
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" '
        f'xmlns:lr="http://ns.adobe.com/lightroom/1.0/">{"".join(parts)}'
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()
