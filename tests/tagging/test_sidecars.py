"""Which sidecar a photo has or gets."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mnv2cli.tagging.options import Style
from mnv2cli.tagging.sidecars import Sidecar, Sidecars


def of(folder: Path, names: str, photo: str, style: Style = "full") -> tuple[str, bool, str]:
    for name in names.split():
        (folder / name).touch()
    found = Sidecars(style).of(str(folder / photo))
    assert os.path.dirname(found.path) == str(folder)
    return os.path.basename(found.path), found.exists, found.reason


@pytest.mark.parametrize(
    ("names", "photo", "style", "expected"),
    [
        ("a.jpg", "a.jpg", "full", ("a.jpg.xmp", False, "")),
        ("a.jpg", "a.jpg", "stem", ("a.xmp", False, "")),
        ("a", "a", "stem", ("a.xmp", False, "")),
        ("a.jpg a.jpg.xmp", "a.jpg", "stem", ("a.jpg.xmp", True, "")),
        ("a.jpg a.xmp", "a.jpg", "full", ("a.xmp", True, "")),
        ("a.jpg a.xmp a.jpg.xmp", "a.jpg", "full", ("a.jpg.xmp", True, "")),
        ("a.JPG a.JPG.XMP", "a.JPG", "full", ("a.JPG.XMP", True, "")),
        ("a.JPG A.jpg.xmp", "a.JPG", "full", ("A.jpg.xmp", True, "")),
        ("a.jpg A.XMP", "a.jpg", "full", ("A.XMP", True, "")),
        # The sidecar of a raw photo.
        ("a.jpg a.cr2 a.xmp", "a.jpg", "full", ("a.jpg.xmp", False, "a.xmp belongs to a.cr2")),
        ("a.jpg a.cr2 a.xmp", "a.cr2", "full", ("a.xmp", True, "")),
        ("a.jpg a.cr2", "a.jpg", "stem", ("a.jpg.xmp", False, "a.xmp belongs to a.cr2")),
        ("a.jpg a.cr2", "a.cr2", "stem", ("a.xmp", False, "")),
        ("a.jpg a.cr2 a.xmp a.cr2.xmp", "a.cr2", "full", ("a.cr2.xmp", True, "")),
        ("a.cr2 a.dng a.xmp", "a.dng", "full", ("a.dng.xmp", False, "a.xmp belongs to a.cr2")),
        # Two developed images.
        ("a.jpg a.png", "a.jpg", "stem", ("a.xmp", False, "")),
        ("a.jpg a.png", "a.png", "stem", ("a.png.xmp", False, "a.xmp belongs to a.jpg")),
        ("a.jpg a.png a.xmp", "a.jpg", "full", ("a.xmp", True, "")),
        ("a.jpg a.png a.xmp", "a.png", "full", ("a.png.xmp", False, "a.xmp belongs to a.jpg")),
        # "a.cr2.xmp" has the stem of "a.cr2.jpg", and is the sidecar of "a.cr2".
        ("a.cr2 a.cr2.jpg a.cr2.xmp", "a.cr2.jpg", "full",
         ("a.cr2.jpg.xmp", False, "a.cr2.xmp belongs to a.cr2")),
        ("a.cr2 a.cr2.jpg a.cr2.xmp", "a.cr2", "full", ("a.cr2.xmp", True, "")),
        # Without a suffix, which is an image only where it was given.
        ("photo photo.xmp", "photo", "stem", ("photo.xmp", True, "")),
        (".jpg", ".jpg", "full", (".jpg.xmp", False, "")),
    ],
)  # fmt: skip
def test_the_sidecar_of_a_photo(
    tmp_path: Path, names: str, photo: str, style: Style, expected: tuple[str, bool, str]
) -> None:
    assert of(tmp_path, names, photo, style) == expected


def test_photos_whose_names_differ_in_case_do_not_share_a_sidecar(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    if (tmp_path / "A.jpg").exists():
        pytest.skip("the file system ignores case")
    assert of(tmp_path, "A.jpg a.jpg.xmp", "a.jpg") == ("a.jpg.xmp", True, "")
    assert of(tmp_path, "", "A.jpg") == ("A.jpg.xmp", False, "")


def test_the_sidecar_of_a_link_is_beside_the_link(tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    for folder in (there, here):
        folder.mkdir()
    (there / "a.jpg").touch()
    (there / "a.jpg.xmp").touch()
    try:
        (here / "link.jpg").symlink_to(there / "a.jpg")
    except OSError:
        pytest.skip("symbolic links cannot be created")
    link = str(here / "link.jpg")
    assert Sidecars().of(link) == Sidecar(link + ".xmp", exists=False)


def test_paths_are_as_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jpg").touch()
    (tmp_path / "a.xmp").touch()
    monkeypatch.chdir(tmp_path)
    assert Sidecars().of("a.jpg").path == "a.xmp"
    assert Sidecars().of(os.path.join(".", "a.jpg")).path == os.path.join(".", "a.xmp")
    assert Sidecars().of(os.path.join("gone", "b.jpg")).path == os.path.join("gone", "b.jpg.xmp")


def test_raw_photos_are_led_by_the_image_of_their_stem(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.CR2", "b.jpg", "c.dng", "a.xmp", "d.nef", "d.mov"):
        (tmp_path / name).touch()
    sidecars = Sidecars()
    assert sidecars.raws(str(tmp_path), ["a.jpg", "b.jpg"]) == {"a.jpg": ["a.CR2"]}
    assert sidecars.raws(str(tmp_path), ["a.jpg", "a.CR2", "d.nef"]) == {}
    assert sidecars.has(str(tmp_path), "a.jpg")
    assert not sidecars.has(str(tmp_path), "gone.jpg")
