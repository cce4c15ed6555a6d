"""Shots: which images of a folder are found, and which files are their companions."""

from __future__ import annotations

import zipfile
from collections.abc import Collection
from pathlib import Path

import pytest

from mnv2cli.errors import InputError
from mnv2cli.runs.shards import Shard
from mnv2cli.sources.finder import Finder
from mnv2cli.sources.names import RAW_SUFFIXES, natural_sorted
from mnv2cli.sources.options import Filters
from mnv2cli.sources.pairs import companions
from tests.sources.helpers import found
from tests.sources.test_finder import touch


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def led(*names: str, leaders: Collection[str] | None = None) -> dict[str, str]:
    return companions(natural_sorted(list(names)), leaders)


# Which files belong together


@pytest.mark.parametrize("raw", RAW_SUFFIXES)
@pytest.mark.parametrize("developed", [".JPG", ".HEIC", ".tif", ".png"])
def test_a_raw_photo_belongs_to_the_developed_image_of_its_stem(raw: str, developed: str) -> None:
    one, other = f"IMG_1{raw}", f"IMG_1{developed}"
    assert led(one, other) == {one: other}
    assert led(one.upper(), other.lower()) == {one.upper(): other.lower()}


def test_other_stems_and_images_that_are_not_raw_are_shots_of_their_own() -> None:
    assert led("IMG_1.CR2", "IMG_10.JPG", "IMG_01.JPG", "IMG_1 (2).JPG", "IMG_1.x.JPG") == {}
    assert led("a.png", "a.jpg", "IMG_1.HEIC", "IMG_1.JPG", "IMG_E1.JPG") == {}


def test_several_raw_photos_of_one_stem_are_one_shot() -> None:
    assert led("IMG_1.DNG", "IMG_1.CR2") == {"IMG_1.DNG": "IMG_1.CR2"}
    both = {"IMG_1.DNG": "IMG_1.JPG", "IMG_1.CR2": "IMG_1.JPG"}
    assert led("IMG_1.DNG", "IMG_1.CR2", "IMG_1.JPG") == both


@pytest.mark.parametrize(
    "name",
    ["a.xmp", "A.AAE", "a.thm", "a.WAV", "a.mov", "a.MP4", "a.json", "a.gpx", "a.raw", "a.pp3",
     "a.heic.xmp", "A.HEIC.pp3", "a.heic.json", "a.heic.supplemental-metadata.json",
     "a.heic.supplemental-me.json", "a.heic.s.json"],
)  # fmt: skip
def test_sidecars_share_the_stem_or_contain_the_whole_name(name: str) -> None:
    assert led(name, "a.heic") == {name: "a.heic"}
    assert led(name, "ab.heic", "b.heic") == {}


@pytest.mark.parametrize(
    "name",
    ["a.heic.supplemental-metadata(1).json", "A.HEIC.supplemental-me(1).json", "a.heic(1).json",
     "a(1).heic.supplemental-metadata.json", "a(1).heic.json", "a(1).json"],
)  # fmt: skip
def test_sidecars_of_numbered_duplicates_belong_to_these(name: str) -> None:
    assert led(name, "a.heic", "a(1).heic", "a(11).heic") == {name: "a(1).heic"}
    assert led(name, "a.heic", "a(2).heic", "a.heic(1).jpg") == {}, "its photo is gone"


def test_a_number_after_anything_else_is_a_part_of_the_name() -> None:
    assert led("a(1).json", "a.b(1).json", "a.jpg", "b(1).jpg") == {}
    assert led("a.jpg.x(1).json", "a.jpg(1)(1).json", "a.jpg (1).json", "a(1).jpg") == {}
    assert led("(1).json", "(1).jpg") == {"(1).json": "(1).jpg"}


def test_a_sidecar_of_a_companion_goes_with_the_shot() -> None:
    assert led("a.cr2", "a.cr2.xmp", "a.jpg", "a.jpg.xmp") == {
        "a.cr2": "a.jpg", "a.cr2.xmp": "a.jpg", "a.jpg.xmp": "a.jpg",
    }  # fmt: skip
    assert led("a.cr2", "a.cr2.xmp") == {"a.cr2.xmp": "a.cr2"}
    assert led("a.cr2.xmp", "a.jpg") == {}, "its raw photo is gone"


def test_what_two_images_share_belongs_to_the_first_and_what_names_one_to_that_one() -> None:
    assert led("a.heic", "a.jpg", "a.mov", "a.jpg.xmp", "a.dng") == {
        "a.mov": "a.heic", "a.jpg.xmp": "a.jpg", "a.dng": "a.heic",
    }  # fmt: skip


def test_a_whole_name_precedes_a_stem() -> None:
    assert led("a.jpg", "a.jpg.png", "a.jpg.xmp") == {"a.jpg.xmp": "a.jpg"}
    assert led("a.jpg.png", "a.jpg.xmp") == {"a.jpg.xmp": "a.jpg.png"}


def test_composed_and_decomposed_names_are_one_shot() -> None:
    assert led("e\u0301.cr2", "\u00c9.jpg", "\u00e9.jpg.xmp") == {
        "e\u0301.cr2": "\u00c9.jpg", "\u00e9.jpg.xmp": "\u00c9.jpg",
    }  # fmt: skip


def test_given_leaders_are_never_companions_and_developed_ones_come_first() -> None:
    names = ("a.cr2", "a.dng", "a.jpg", "a.xmp", "a.cr2.xmp", "a.jpg.xmp")
    assert led(*names, leaders=["a.cr2", "a.jpg"]) == {
        "a.dng": "a.jpg", "a.xmp": "a.jpg", "a.cr2.xmp": "a.cr2", "a.jpg.xmp": "a.jpg",
    }  # fmt: skip
    assert led(*names, leaders=["a.cr2"]) == {
        "a.dng": "a.cr2", "a.xmp": "a.cr2", "a.cr2.xmp": "a.cr2",
    }  # fmt: skip
    assert led(*names, leaders=[]) == {}
    assert led("scan", "scan.xmp", leaders=["scan"]) == {"scan.xmp": "scan"}


# Folders


def test_of_a_shot_in_a_folder_only_the_leading_image_is_found(folder: Path) -> None:
    touch(folder, "p/b.CR2", "p/b.JPG", "p/b.xmp", "p/a.dng", "p/a.nef", "p/c.jpg", "p/q/b.cr2")
    assert found("p") == ["p/a.dng", "p/b.JPG", "p/c.jpg", "p/q/b.cr2"]
    both = ["p/a.dng", "p/a.nef", "p/b.CR2", "p/b.JPG", "p/c.jpg", "p/q/b.cr2"]
    assert found("p", pairs="both") == both


def test_a_raw_photo_is_found_if_the_filters_skip_its_developed_image(folder: Path) -> None:
    touch(folder, "p/a.CR2", "p/a.JPG", "p/b.JPG")
    assert found("p", include=("*.cr2",)) == ["p/a.CR2"]
    assert found("p", exclude=("*.jpg",)) == ["p/a.CR2"]
    assert found("p", include=("a*",)) == ["p/a.JPG"]


def test_skipped_companions_have_a_reason_and_lone_ones_have_no_image_suffix(folder: Path) -> None:
    touch(folder, "p/a.CR2", "p/a.JPG", "p/a.mov", "p/b.mov", "p/n.txt")
    skipped: dict[str, str] = {}
    list(Finder(["p"], on_skip=skipped.__setitem__))
    belongs = "companion: belongs to a.JPG"
    assert skipped == {
        "p/a.CR2": belongs, "p/a.mov": belongs,
        "p/b.mov": "no image suffix", "p/n.txt": "no image suffix",
    }  # fmt: skip
    skipped.clear()
    list(Finder(["p"], Filters(pairs="both"), on_skip=skipped.__setitem__))
    assert set(skipped.values()) == {"no image suffix"}


def test_companions_are_skipped_with_all_files_too(folder: Path) -> None:
    touch(folder, "p/a.heic", "p/a.MOV", "p/a.aae", "p/a.heic.xmp", "p/b.mov", "p/n.txt")
    assert found("p", all_files=True) == ["p/a.heic", "p/b.mov", "p/n.txt"]
    assert len(found("p", all_files=True, pairs="both")) == 6


def test_a_folder_named_like_an_image_is_in_no_shot(folder: Path) -> None:
    touch(folder, "p/a.cr2/x.jpg", "p/a.jpg", "p/b.jpg/y.jpg", "p/b.cr2")
    wanted = ["p/a.cr2", "p/a.jpg", "p/b.cr2", "p/b.jpg", "p/a.cr2/x.jpg", "p/b.jpg/y.jpg"]
    assert found("p") == wanted


# Patterns, and files that are named


def test_of_a_shot_that_a_pattern_matches_only_the_leading_image_is_found(folder: Path) -> None:
    touch(folder, "p/IMG_1.CR2", "p/IMG_1.JPG", "p/IMG_1.xmp", "p/IMG_1 (2).CR2", "p/q/IMG_1.DNG")
    assert found("p/*.*") == ["p/IMG_1 (2).CR2", "p/IMG_1.JPG"]
    assert found("p/**/*.??[2gG]") == ["p/IMG_1 (2).CR2", "p/IMG_1.JPG", "p/q/IMG_1.DNG"]
    assert found("p/*.CR2") == ["p/IMG_1 (2).CR2", "p/IMG_1.CR2"]
    assert found("p/*.*", exclude=("*.jpg", "*.xmp")) == ["p/IMG_1 (2).CR2", "p/IMG_1.CR2"]
    assert len(found("p/*.*", pairs="both")) == 4


def test_files_that_are_named_are_always_found(folder: Path) -> None:
    touch(folder, "p/a.CR2", "p/a.JPG", "p/a.xmp")
    assert found("p/a.CR2") == ["p/a.CR2"]
    assert found("p/a.CR2", "p/a.JPG", "p/a.xmp") == ["p/a.CR2", "p/a.JPG", "p/a.xmp"]
    assert found(listed=("p/a.JPG", "p/a.CR2")) == ["p/a.JPG", "p/a.CR2"]


def test_a_named_raw_photo_is_found_once_beside_its_folder(folder: Path) -> None:
    touch(folder, "p/a.CR2", "p/a.JPG", "p/b.CR2")
    assert found("p/a.CR2", "p") == ["p/a.CR2", "p/a.JPG", "p/b.CR2"]
    assert found("p", "p/a.CR2", "p/b.CR2") == ["p/a.JPG", "p/b.CR2", "p/a.CR2"]
    assert found("p", "p/*.CR2") == ["p/a.JPG", "p/b.CR2", "p/a.CR2"]
    assert found("p", "p", "p/a.JPG") == ["p/a.JPG", "p/b.CR2"]
    assert found("p", "p/a.CR2", pairs="both") == ["p/a.CR2", "p/a.JPG", "p/b.CR2"]


def test_of_a_shot_in_an_archive_only_the_leading_image_is_found(folder: Path) -> None:
    with zipfile.ZipFile("p.zip", "w") as archive:
        for name in ("p/a.CR2", "p/a.JPG", "p/a.xmp", "p/b.CR2"):
            archive.writestr(name, b"")
    url = "zip://{}::p.zip".format
    assert found("zip://p.zip") == [url("p/a.JPG"), url("p/b.CR2")]
    assert found(url("p/*")) == [url("p/a.JPG"), url("p/b.CR2")]
    assert found("zip://p.zip", url("p/a.CR2")) == [*map(url, ("p/a.JPG", "p/b.CR2", "p/a.CR2"))]
    assert len(found("zip://p.zip", pairs="both")) == 3


def test_shards_agree_on_the_images(folder: Path) -> None:
    touch(folder, *(f"p/{i}.{suffix}" for i in range(40) for suffix in ("JPG", "CR2", "xmp")))
    whole = [source.path for source in Finder(["p"])]
    shards = [list(Shard(n, 3).of(Finder(["p"]))) for n in (1, 2, 3)]
    joined = sorted((s for shard in shards for s in shard), key=lambda s: s.position or 0)
    assert [source.path for source in joined] == whole == [f"p/{i}.JPG" for i in range(40)]
    assert [source.position for source in joined] == list(range(40))


def test_an_unknown_choice_of_pairs_is_refused() -> None:
    with pytest.raises(InputError, match="pairs must be first or both, not 'all'"):
        Filters(pairs="all")  # type: ignore[arg-type]
