"""From records to actions."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from mnv2cli.errors import InputError
from mnv2cli.records import Prediction, Record, Source
from mnv2cli.tagging.actions import WriteOptions
from mnv2cli.tagging.options import PlaceOptions, TagOptions
from mnv2cli.tagging.plan import make_plan, removal_plan, root_of
from tests.tagging.tagged_files import (
    PUG,
    TABBY,
    cat,
    failed,
    jpeg,
    packet,
    shown,
    touch,
    unsure,
)

REFRESH, EMBED = PlaceOptions(refresh=True), PlaceOptions(embed=True)


def test_each_photo_has_one_action(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg b.jpg c.jpg")
    plan = make_plan(
        [
            cat(tmp_path / "a.jpg"),
            unsure(tmp_path / "b.jpg"),
            failed(tmp_path / "c.jpg"),
            cat(tmp_path / "gone.jpg"),
            cat(os.path.join(tmp_path, ".", "a.jpg")),
        ]
    )
    assert plan.root == str(tmp_path)
    assert shown(plan) == [
        ("a.jpg", "sidecar", "a.jpg.xmp", ""),
        ("b.jpg", "leave", "", "no label scores 0.3, and no category 0.5"),
        ("c.jpg", "leave", "", "empty file"),
        ("gone.jpg", "leave", "", "it does not exist any more"),
    ]
    assert plan.actions[0].tags == TABBY
    assert [action.source for action in plan.failures] == [
        str(tmp_path / "c.jpg"),
        str(tmp_path / "gone.jpg"),
    ]
    assert not list(tmp_path.glob("*.xmp"))


def test_missing_categories_are_counted(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg b.jpg")
    bare = Record(str(tmp_path / "a.jpg"), (Prediction("n02123045", "tabby", 0.8),))
    records = [bare, cat(tmp_path / "b.jpg")]
    assert make_plan(records).without_category == 1
    assert make_plan(records, TagOptions(what="label")).without_category == 0


def test_photos_with_tags_are_skipped_unless_they_are_to_be_replaced(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg b.jpg c.jpg")
    (tmp_path / "a.jpg.xmp").write_bytes(packet(TABBY))
    (tmp_path / "b.jpg.xmp").write_bytes(packet(PUG))
    (tmp_path / "c.jpg.xmp").write_bytes(packet(PUG))
    records = [cat(tmp_path / "a.jpg"), cat(tmp_path / "b.jpg"), unsure(tmp_path / "c.jpg")]
    low = "no label scores 0.3, and no category 0.5"
    assert shown(make_plan(records)) == [
        ("a.jpg", "skip", "", "it has these tags already"),
        ("b.jpg", "skip", "", "it has other tags, which --refresh replaces"),
        ("c.jpg", "leave", "", low),
    ]
    plan = make_plan(records, place=REFRESH)
    assert shown(plan) == [
        ("a.jpg", "skip", "", "it has these tags already"),
        ("b.jpg", "sidecar", "b.jpg.xmp", ""),
        ("c.jpg", "sidecar", "c.jpg.xmp", low),
    ]
    assert [action.tags for action in plan.work] == [TABBY, None]


def test_tags_are_the_same_beside_words_of_people(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg")
    sidecar = tmp_path / "a.jpg.xmp"
    theirs = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:subject><rdf:Bag><rdf:li>Cat</rdf:li>'
        "<rdf:li>mine</rdf:li></rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    sidecar.write_bytes(packet(TABBY, theirs.encode()))
    records = [cat(tmp_path / "a.jpg")]

    def method(**write: bool) -> str:
        plan = make_plan(records, place=REFRESH, write=WriteOptions(**write))
        return plan.actions[0].method

    assert method() == "skip"
    assert method(hierarchy=True) == "sidecar"
    sidecar.write_bytes(packet(TABBY, theirs.encode(), hierarchy=True))
    assert method(hierarchy=True) == "skip"
    sidecar.write_text(
        sidecar.read_text().replace("<rdf:li>tabby</rdf:li></rdf:Bag></dc", "</rdf:Bag></dc")
    )
    assert method(hierarchy=True) == "sidecar"  # a person removed the word


def test_a_sidecar_that_cannot_be_read_is_a_failure(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg b.jpg")
    (tmp_path / "a.jpg.xmp").write_bytes(packet().replace(b"</rdf:RDF>", b""))
    (tmp_path / "b.jpg.xmp").mkdir()
    plan = make_plan([cat(tmp_path / "a.jpg"), cat(tmp_path / "b.jpg")])
    assert [each.method for each in plan.failures] == ["leave", "leave"]
    assert plan.actions[0].reason.startswith("unreadable sidecar: a.jpg.xmp: ")
    assert plan.actions[1].reason.startswith("unreadable sidecar: b.jpg.xmp: ")


def test_raw_photos_get_the_tags_of_the_image_that_leads_them(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg a.cr2 a.xmp b.jpg b.nef c.jpg c.cr2 d.jpg d.cr2")
    (tmp_path / "b.nef.xmp").write_bytes(packet(TABBY))
    (tmp_path / "d.cr2.xmp").write_bytes(packet(TABBY))
    records = [
        cat(tmp_path / "a.jpg"),
        failed(tmp_path / "a.cr2"),
        cat(tmp_path / "b.jpg"),
        unsure(tmp_path / "c.jpg"),
        failed(tmp_path / "d.jpg"),
    ]
    plan = make_plan(records, place=REFRESH)
    assert shown(plan) == [
        ("a.jpg", "sidecar", "a.jpg.xmp", "a.xmp belongs to a.cr2"),
        ("a.cr2", "sidecar", "a.xmp", "as a.jpg"),
        ("b.jpg", "sidecar", "b.jpg.xmp", ""),
        ("b.nef", "skip", "", "it has these tags already"),
        ("c.jpg", "leave", "", "no label scores 0.3, and no category 0.5"),
        ("d.jpg", "leave", "", "empty file"),
    ]
    both = make_plan([cat(tmp_path / "a.jpg"), unsure(tmp_path / "a.cr2")])
    assert [each.method for each in both.actions] == ["sidecar", "leave"]
    alone = make_plan([failed(tmp_path / "a.jpg"), failed(tmp_path / "a.cr2")])
    assert len(alone.failures) == 2


def test_tags_are_embedded_where_the_format_allows_it(tmp_path: Path) -> None:
    touch(tmp_path, "b.gif c.nef c.jpg")
    for name, tags in (("a.jpg", None), ("d.jpg", TABBY), ("e.jpg", PUG)):
        (tmp_path / name).write_bytes(jpeg(tags))
    records = [cat(tmp_path / name) for name in ("a.jpg", "b.gif", "c.jpg", "d.jpg", "e.jpg")]
    assert shown(make_plan(records, place=EMBED)) == [
        ("a.jpg", "embed", "a.jpg", ""),
        ("b.gif", "sidecar", "b.gif.xmp", "tags are not embedded into .gif files"),
        ("c.jpg", "embed", "c.jpg", ""),
        ("c.nef", "sidecar", "c.nef.xmp", "as c.jpg; tags are not embedded into .nef files"),
        ("d.jpg", "skip", "", "it has these tags already"),
        ("e.jpg", "skip", "", "it has other tags, which --refresh replaces"),
    ]
    refreshed = make_plan(
        [unsure(tmp_path / "e.jpg")], place=PlaceOptions(embed=True, refresh=True)
    )
    assert [(each.method, each.tags) for each in refreshed.actions] == [("embed", None)]


def linked(link: Path, target: Path, *, hard: bool = False) -> None:
    try:
        os.link(target, link) if hard else link.symlink_to(target)
    except OSError:
        pytest.skip("links cannot be created")


def test_photos_with_other_names_are_not_embedded_into(tmp_path: Path) -> None:
    photos, outside = tmp_path / "photos", tmp_path / "outside.jpg"
    touch(photos, "a.jpg b.jpg c.jpg z.jpg")
    outside.touch()
    linked(photos / "hard.jpg", photos / "a.jpg", hard=True)
    linked(photos / "inside.jpg", photos / "b.jpg")
    linked(photos / "out.jpg", outside)
    linked(photos / "twice.jpg", photos / "c.jpg")
    names = ("hard.jpg", "inside.jpg", "out.jpg", "c.jpg", "twice.jpg")
    records = [cat(photos / name) for name in names]
    assert shown(make_plan(records, place=EMBED)) == [
        ("hard.jpg", "leave", "", "it has 2 hard links, which embedding would separate"),
        ("inside.jpg", "embed", "inside.jpg", ""),
        ("out.jpg", "leave", "", f"it links to a photo outside {photos}"),
        ("c.jpg", "embed", "c.jpg", ""),
        ("twice.jpg", "leave", "", f"it is the same file as {photos / 'c.jpg'}"),
    ]
    assert not make_plan(records, place=EMBED).failures
    assert [action.method for action in make_plan(records).actions] == ["sidecar"] * 5


def test_a_photo_in_a_linked_folder_is_planned_once(tmp_path: Path) -> None:
    touch(tmp_path / "real", "a.jpg")
    linked(tmp_path / "link", tmp_path / "real")
    plan = make_plan([cat(tmp_path / "real" / "a.jpg"), cat(tmp_path / "link" / "a.jpg")])
    assert len(plan.actions) == 1


def test_removal_finds_the_tags_of_earlier_runs(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg a.nef b.jpg c.jpg g.jpg")
    for name in ("a.jpg", "a.nef", "e.jpg"):
        (tmp_path / f"{name}.xmp").write_bytes(packet())
    (tmp_path / "b.jpg.xmp").write_bytes(b"<not/>")
    for name in ("d.jpg", "e.jpg"):
        (tmp_path / name).write_bytes(jpeg(TABBY))
    sources = [Source(str(tmp_path / f"{name}.jpg")) for name in "abcde"]
    sources.append(Source(str(tmp_path / "f"), "cannot be listed"))
    plan = removal_plan(sources)
    none, inside = (
        "it has no tags of earlier runs",
        "its tags are in the photo, which only --embed changes",
    )
    assert shown(plan) == [
        ("a.jpg", "sidecar", "a.jpg.xmp", ""),
        ("a.nef", "sidecar", "a.nef.xmp", ""),
        ("b.jpg", "leave", "", none),
        ("c.jpg", "leave", "", none),
        ("d.jpg", "leave", "", inside),
        ("e.jpg", "sidecar", "e.jpg.xmp", ""),
        ("e.jpg", "leave", "", inside),
        ("f", "leave", "", "cannot be listed"),
    ]
    assert [action.source for action in plan.failures] == [str(tmp_path / "f")]
    assert {action.tags for action in plan.work} == {None}
    both = removal_plan(sources[3:5], EMBED)
    assert shown(both) == [
        ("d.jpg", "embed", "d.jpg", ""),
        ("e.jpg", "sidecar", "e.jpg.xmp", ""),
        ("e.jpg", "embed", "e.jpg", ""),
    ]


def test_remote_photos_are_refused() -> None:
    with pytest.raises(InputError, match=r"cannot tag 's3://bucket/a\.jpg'"):
        make_plan([cat("s3://bucket/a.jpg")])
    with pytest.raises(InputError, match="cannot tag"):
        removal_plan([Source("s3://bucket/a.jpg")])


def test_the_root_is_the_deepest_folder_with_all_photos(tmp_path: Path) -> None:
    def path(*parts: str) -> str:
        return str(tmp_path.joinpath(*parts))

    assert root_of([path("a", "1.jpg"), path("a", "2.jpg")]) == path("a")
    assert root_of([path("a", "1.jpg"), path("ab", "c", "2.jpg")]) == str(tmp_path)
    assert root_of(["a.jpg", os.path.join("b", "..", "b", "c.jpg")]) == os.getcwd()
    with pytest.raises(InputError, match="no photos"):
        root_of([])
    if sys.platform == "win32":
        with pytest.raises(InputError, match="different drives"):
            root_of(["C:\\a.jpg", "D:\\a.jpg"])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "it is a folder"),
        (b"<x:xmpmeta", "the XMP is not well-formed: "),
        (b"<!DOCTYPE x><x/>", "the XMP has a DOCTYPE"),
        (b"<html><body/></html>", "it is not XMP"),
    ],
)
def test_a_sidecar_that_cannot_be_changed_fails_in_the_plan(
    tmp_path: Path, content: bytes | None, why: str
) -> None:
    touch(tmp_path, "a.jpg b.jpg")
    file = tmp_path / "a.jpg.xmp"
    file.mkdir() if content is None else file.write_bytes(content)
    plan = make_plan([cat(tmp_path / "a.jpg"), unsure(tmp_path / "b.jpg")])
    (action,) = plan.failures
    assert action.reason.startswith(f"unreadable sidecar: a.jpg.xmp: {why}")
    assert action.reason.endswith("; repair or rename the sidecar, then run again")
    assert plan.work == []


def test_planning_keeps_the_access_times_of_sidecars(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg")
    file = tmp_path / "a.jpg.xmp"
    file.write_bytes(packet())
    os.utime(file, (1_000_000_000, 1_500_000_000))
    make_plan([cat(tmp_path / "a.jpg")])
    if hasattr(os, "O_NOATIME"):
        assert file.stat().st_atime == 1_000_000_000


def test_names_near_the_longest_get_the_short_sidecar_or_a_way_out(tmp_path: Path) -> None:
    long, bare = "a" * 251 + ".jpg", "b" * 252
    try:
        touch(tmp_path, f"{long} {bare}")
    except OSError:
        pytest.skip("the file system has no names of 255 bytes")
    plan = make_plan([cat(tmp_path / long), cat(tmp_path / bare)])
    assert Path(plan.actions[0].file).name == "a" * 251 + ".xmp"
    (failure,) = plan.failures
    assert failure.reason.endswith("; use --embed, or rename it")
    assert make_plan([cat(tmp_path / f"{'a' * 247}.jpg")]).failures[0].reason.startswith("it does")
