"""Sidecars of photo programs: tagged, read and rewritten by other libraries, and restored."""

from __future__ import annotations

import difflib
import json
import re
import subprocess
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from mnv2cli.tagging.tags import Tags
from mnv2cli.tagging.xmp.edit import edit
from mnv2cli.tagging.xmp.keywords import Change, XmpError
from mnv2cli.tagging.xmp.read import read_keywords
from tests.tagging.sidecars import SIDECARS, Sidecar

TAGS = Tags(
    ("animal", "tiger cat", "Katze & Söhne <1>", "kari", "OSTSEE"),
    (("animal", "tiger cat"), ("animal", "Katze & Söhne <1>"), ("people", "kari")),
    model="mobilenet_v2_1.0_224",
    score=0.91,
)
OTHER = Tags(("animal", "tabby"), (("animal", "tabby"),), model="mine", score=0.4)
ADD = Change(TAGS, date="2026-05-01T10:00:00+02:00")
ADD_HIERARCHY = Change(TAGS, hierarchy=True, date="2026-05-01T10:00:00+02:00")
REFRESH = Change(OTHER, date="2026-06-01T10:00:00+02:00")
REMOVE = Change(None)
PERSONS = "Anna & co"
FLAT, HIERARCHY, LIST = "XMP-dc:Subject", "XMP-lr:HierarchicalSubject", "XMP-digiKam:TagsList"
ABOUT_THE_FILE = ("System:", "File:", "ExifTool:", "SourceFile", "XMP-mnv2:", "XMP-tmp1:")

sidecars = pytest.mark.parametrize("sidecar", SIDECARS, ids=str)
changes = pytest.mark.parametrize("change", [ADD, ADD_HIERARCHY], ids=["flat", "hierarchy"])


def folded(words: Any) -> set[str]:
    return {unicodedata.normalize("NFC", word).casefold() for word in words}


def added(theirs: tuple[str, ...], ours: list[str]) -> list[str]:
    """Return the words of ours that a list with these words does not have."""
    return [word for word in ours if not folded([word]) & folded(theirs)]


def expected(sidecar: Sidecar, change: Change) -> dict[str, list[str]]:
    """Return the lists that a sidecar has after a change; those that it does not have are empty."""
    assert change.tags is not None
    paths = change.tags.paths
    hierarchy, tags_list = sidecar.hierarchy, sidecar.tags_list
    return {
        FLAT: [*sidecar.subjects, *added(sidecar.subjects, list(change.tags.keywords))],
        HIERARCHY: _with(hierarchy, ["|".join(p) for p in paths], change.hierarchy),
        LIST: _with(tags_list, ["/".join(p) for p in paths], change.hierarchy),
    }


def _with(theirs: tuple[str, ...] | None, ours: list[str], always: bool) -> list[str]:
    if theirs is None and not always:
        return []
    return [*(theirs or ()), *added(theirs or (), ours)]


def edited(data: bytes, change: Change) -> bytes:
    result = edit(data, change)
    assert result is not None
    return result


class Exiftool:
    """The tags of files by exiftool, and a person's changes with it: one call for many files."""

    names = (FLAT, HIERARCHY, LIST)

    def __init__(self, command: str) -> None:
        self.command = command

    def read(self, paths: list[Path]) -> list[dict[str, Any]]:
        """Return the tags of each file but for ours."""
        found = json.loads(self._run("-a", "-G1", "-j", "-struct", *map(str, paths)))
        return [
            {k: v for k, v in tags.items() if not k.startswith(ABOUT_THE_FILE)} for tags in found
        ]

    def add(self, paths: list[Path], word: str) -> None:
        """Add a word to the flat keywords of each file."""
        self._run("-q", "-overwrite_original", f"-XMP-dc:Subject+={word}", *map(str, paths))

    def _run(self, *arguments: str) -> str:
        command = [self.command, "-charset", "filename=utf8", *arguments]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


class Exiv2:
    """The tags of files by Exiv2, and a person's changes with it."""

    names = ("Xmp.dc.subject", "Xmp.lr.hierarchicalSubject", "Xmp.digiKam.TagsList")

    def __init__(self) -> None:
        reason = "pyexiv2, a second reader of XMP for these tests, is not installed"
        self.api = pytest.importorskip("pyexiv2", reason=reason)

    def read(self, paths: list[Path]) -> list[dict[str, Any]]:
        """Return the tags of each file but for ours."""
        return [self._read(path) for path in paths]

    def _read(self, path: Path) -> dict[str, Any]:
        with self.api.Image(str(path)) as image:
            found: dict[str, Any] = image.read_xmp()
        return {k: v for k, v in found.items() if not k.startswith("Xmp.mnv2.")}

    def add(self, paths: list[Path], word: str) -> None:
        """Add a word to the flat keywords of each file."""
        for path in paths:
            with self.api.Image(str(path)) as image:
                words = image.read_xmp().get("Xmp.dc.subject", [])
                image.modify_xmp({"Xmp.dc.subject": [*words, word]})


Key = tuple[str, bool]


class Library:
    """What a library reads in all sidecars, and how it rewrites them; each step is done once."""

    def __init__(self, name: str, tool: Exiftool | Exiv2, folder: Path) -> None:
        self.name, self.tool, self.folder = name, tool, folder
        self.sidecars = [sidecar for sidecar in SIDECARS if name not in sidecar.unread_by]

    def skip_unread(self, sidecar: Sidecar) -> None:
        if self.name in sidecar.unread_by:
            pytest.skip(f"{self.name} does not read this form of XMP")

    @cached_property
    def before(self) -> dict[Key, dict[str, Any]]:
        return self._read(self._write("before", lambda data, change: data))

    @cached_property
    def after(self) -> dict[Key, dict[str, Any]]:
        return self._read(self._write("after", edited))

    @cached_property
    def rewritten(self) -> dict[Key, bytes]:
        """The tagged sidecars with a person's keyword, as the library writes them."""
        paths = self._write("rewritten", edited)
        self.tool.add(list(paths.values()), PERSONS)
        return {key: path.read_bytes() for key, path in paths.items()}

    @cached_property
    def removed(self) -> dict[Key, dict[str, Any]]:
        """What is read in the rewritten sidecars without our tags."""
        paths = self._write("removed", edited)
        for key, path in paths.items():
            path.write_bytes(edited(self.rewritten[key], REMOVE))
        return self._read(paths)

    @cached_property
    def untagged(self) -> dict[Key, dict[str, Any]]:
        """What is read in sidecars that had a person's keyword only and never a tag."""
        paths = self._write("untagged", lambda data, change: data)
        self.tool.add(list(paths.values()), PERSONS)
        return self._read(paths)

    def _write(self, name: str, make: Callable[[bytes, Change], bytes]) -> dict[Key, Path]:
        (self.folder / name).mkdir()
        paths = {}
        for number, sidecar in enumerate(self.sidecars):
            for change in (ADD, ADD_HIERARCHY):
                path = self.folder / name / f"{number}-{change.hierarchy}.xmp"
                with suppress(XmpError):  # its own tests fail
                    path.write_bytes(make(sidecar.data, change))
                    paths[sidecar.name, change.hierarchy] = path
        return paths

    def _read(self, paths: dict[Key, Path]) -> dict[Key, dict[str, Any]]:
        return dict(zip(paths, self.tool.read(list(paths.values())), strict=True))


@pytest.fixture(scope="module", params=["exiftool", "exiv2"])
def library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Return a library that reads and writes XMP."""
    tool = Exiv2() if request.param == "exiv2" else Exiftool(request.getfixturevalue("exiftool"))
    return Library(request.param, tool, tmp_path_factory.mktemp(request.param))


def items(value: Any) -> list[str]:
    """Return the items of a list as a library gives it; of an empty Bag, some give white space."""
    values = value if isinstance(value, list) else [] if value is None else [value]
    return [str(item) for item in values if str(item).strip()]


def without(found: dict[str, Any], names: tuple[str, str, str]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in names}


@sidecars
@changes
def test_a_sidecar_is_as_before_after_its_tags_are_removed(
    sidecar: Sidecar, change: Change
) -> None:
    tagged = edited(sidecar.data, change)
    assert tagged != sidecar.data
    assert edit(tagged, REMOVE) == sidecar.data
    refreshed = edited(tagged, REFRESH)
    assert refreshed != tagged
    assert edit(refreshed, REMOVE) == sidecar.data


@sidecars
def test_tags_written_twice_change_nothing(sidecar: Sidecar) -> None:
    tagged = edited(sidecar.data, ADD)
    assert edit(tagged, ADD) == tagged
    assert edit(sidecar.data, REMOVE) == sidecar.data


@sidecars
@changes
def test_the_keywords_are_theirs_and_ours(sidecar: Sidecar, change: Change) -> None:
    before = read_keywords(sidecar.data)
    assert before.subjects == sidecar.subjects
    assert before.hierarchy == (sidecar.hierarchy or ())
    assert before.tags_list == (sidecar.tags_list or ())
    assert before.ours is None
    after, lists = read_keywords(edited(sidecar.data, change)), expected(sidecar, change)
    assert list(after.subjects) == lists[FLAT]
    assert list(after.hierarchy) == lists[HIERARCHY]
    assert list(after.tags_list) == lists[LIST]
    assert after.ours is not None
    assert list(after.ours.keywords) == lists[FLAT][len(sidecar.subjects) :]
    assert list(after.ours.hierarchy) == lists[HIERARCHY][len(sidecar.hierarchy or ()) :]
    assert list(after.ours.tags_list) == lists[LIST][len(sidecar.tags_list or ()) :]


@sidecars
def test_a_refresh_replaces_ours_and_keeps_theirs(sidecar: Sidecar) -> None:
    after = read_keywords(edited(edited(sidecar.data, ADD), REFRESH))
    lists = expected(sidecar, REFRESH)
    assert list(after.subjects) == lists[FLAT]
    assert list(after.hierarchy) == lists[HIERARCHY]
    assert list(after.tags_list) == lists[LIST]
    assert after.ours is not None
    assert (after.ours.model, after.ours.score) == ("mine", 0.4)


@sidecars
@changes
def test_nothing_but_insertions_are_made_in_the_text(sidecar: Sidecar, change: Change) -> None:
    tagged = edited(sidecar.data, change).decode(sidecar.encoding)
    pattern = re.compile(r"(<[^>]*>)")
    old, new = pattern.split(sidecar.text), pattern.split(tagged)
    for kind, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, False).get_opcodes():
        left, right = "".join(old[i1:i2]), "".join(new[j1:j2])
        if kind in ("equal", "insert"):
            continue
        start = len(_common(left, right))
        end = len(_common(left[start:][::-1], right[start:][::-1]))
        gone = left[start : len(left) - end]
        assert gone in ("", "/"), f"{left!r} became {right!r}"  # <rdf:Bag/> is opened


def _common(left: str, right: str) -> str:
    length = next(
        (i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b),
        min(len(left), len(right)),
    )
    return left[:length]


@sidecars
@changes
def test_other_libraries_read_theirs_and_ours_and_all_else_unchanged(
    sidecar: Sidecar, change: Change, library: Library
) -> None:
    library.skip_unread(sidecar)
    names, key = library.tool.names, (sidecar.name, change.hierarchy)
    after = library.after[key]
    assert without(after, names) == without(library.before[key], names)
    assert {name: items(after.get(name)) for name in names} == dict(
        zip(names, expected(sidecar, change).values(), strict=True)
    )


def test_programs_that_read_the_short_names_of_exiftool_do_not_mistake_our_record(
    exiftool: str, tmp_path: Path
) -> None:
    # Immich and others ask for Model or Keywords, and a sidecar may override the photo.
    done = subprocess.run([exiftool, "-list"], capture_output=True, encoding="utf-8", check=True)
    known = {name.casefold() for name in done.stdout.split()}
    path = tmp_path / "IMG_1.jpg.xmp"
    path.write_bytes(edited(b"", replace(ADD_HIERARCHY, iptc=("animal",))))
    command = [exiftool, "-j", "-XMP-mnv2:all", str(path)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    names = set(json.loads(done.stdout)[0]) - {"SourceFile"}
    assert names
    assert not {name for name in names if name.casefold() in known}


@sidecars
@changes
def test_a_persons_keyword_stays_after_another_program_rewrote_the_sidecar(
    sidecar: Sidecar, change: Change, library: Library
) -> None:
    library.skip_unread(sidecar)
    key = (sidecar.name, change.hierarchy)
    rewritten = library.rewritten[key]
    theirs = (*sidecar.subjects, PERSONS)
    assert PERSONS in read_keywords(rewritten).subjects

    refresh = replace(REFRESH, hierarchy=change.hierarchy)
    refreshed = edited(rewritten, refresh)
    found, lists = read_keywords(refreshed), expected(sidecar, refresh)
    assert sorted(found.subjects) == sorted([*theirs, *added(theirs, list(OTHER.keywords))])
    assert sorted(found.hierarchy) == sorted(lists[HIERARCHY])
    assert sorted(found.tags_list) == sorted(lists[LIST])
    assert found.ours is not None

    for state in (rewritten, refreshed):
        data = edited(state, REMOVE)
        clean = read_keywords(data)
        assert sorted(clean.subjects) == sorted(theirs)
        assert sorted(clean.hierarchy) == sorted(sidecar.hierarchy or ())
        assert sorted(clean.tags_list) == sorted(sidecar.tags_list or ())
        assert clean.ours is None
        assert b"mnv2" not in data or "mnv2" in sidecar.text
    assert library.removed[key] == library.untagged[key]


@sidecars
def test_a_keyword_of_ours_that_a_person_deleted_does_not_cost_one_of_theirs(
    sidecar: Sidecar,
) -> None:
    tagged = edited(sidecar.data, ADD).decode(sidecar.encoding)
    lines = re.sub(r"\s*<([\w:]*li)>tiger cat</\1>", "", tagged, count=1)
    assert lines != tagged
    clean = read_keywords(edited(lines.encode(sidecar.encoding), REMOVE))
    assert clean.subjects == sidecar.subjects
    assert clean.ours is None


def test_a_new_sidecar_is_read_and_rewritten_by_other_libraries(
    library: Library, tmp_path: Path
) -> None:
    data = edited(b"", ADD_HIERARCHY)
    assert edit(data, REMOVE) is None
    path = tmp_path / "IMG_1.jpg.xmp"
    path.write_bytes(data)
    (found,) = library.tool.read([path])
    lists = expected(Sidecar("new", b""), ADD_HIERARCHY)
    assert [items(found.get(name)) for name in library.tool.names] == list(lists.values())
    library.tool.add([path], PERSONS)
    assert read_keywords(edited(path.read_bytes(), REMOVE)).subjects == (PERSONS,)
