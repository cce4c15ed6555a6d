"""Photos with tags of earlier runs are not classified again."""

from __future__ import annotations

from pathlib import Path

import pytest

from mnv2cli.errors import InputError
from mnv2cli.records import Source
from mnv2cli.tagging.options import PlaceOptions
from mnv2cli.tagging.tagged import Untagged
from tests.tagging.tagged_files import TABBY, jpeg, packet, touch


def chosen(folder: Path, names: str, place: PlaceOptions | None = None) -> tuple[str, int]:
    untagged = Untagged(place)
    found = untagged(Source(str(folder / name)) for name in names.split())
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


def test_errors_are_passed_on_and_remote_photos_refused(tmp_path: Path) -> None:
    wrong = Source(str(tmp_path / "x"), "cannot be listed")
    assert list(Untagged()(iter([wrong]))) == [wrong]
    with pytest.raises(InputError, match="cannot tag"):
        list(Untagged()(iter([Source("s3://bucket/a.jpg")])))
