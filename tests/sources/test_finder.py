from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mnv2cli.sources.finder import Finder
from mnv2cli.sources.options import Filters


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def found(*inputs: str | Path, **options: object) -> list[str]:
    return [s.path for s in Finder(map(str, inputs), Filters(**options))]  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_files_of_a_folder_come_before_subfolders_in_natural_order(folder: Path) -> None:
    touch(folder, "p/b10.jpg", "p/b9.JPG", "p/a/1.png", "p/a/x/2.png", "p/a2/3.gif", "p/n.txt")
    assert found("p") == ["p/b9.JPG", "p/b10.jpg", "p/a/1.png", "p/a/x/2.png", "p/a2/3.gif"]


def test_names_are_joined_to_inputs_as_given(folder: Path) -> None:
    touch(folder, "p/a.jpg")
    assert found("./p/") == ["./p/a.jpg"]
    assert found(folder / "p") == [str(folder / "p" / "a.jpg")]
    assert found("p/../p/a.jpg") == ["p/../p/a.jpg"]


def test_no_recursive_stays_in_the_folder(folder: Path) -> None:
    touch(folder, "p/a.jpg", "p/q/b.jpg")
    assert found("p", recursive=False) == ["p/a.jpg"]


def test_hidden_names_are_skipped_unless_requested(folder: Path) -> None:
    touch(folder, "p/.a.jpg", "p/.thumbs/b.jpg", "p/c.jpg")
    assert found("p") == ["p/c.jpg"]
    assert found("p", hidden=True) == ["p/.a.jpg", "p/c.jpg", "p/.thumbs/b.jpg"]
    assert found("p/.thumbs") == ["p/.thumbs/b.jpg"]


def test_all_files_includes_every_suffix_and_named_files_are_always_included(folder: Path) -> None:
    touch(folder, "p/a.jpg", "p/b.txt", "p/c")
    assert found("p") == ["p/a.jpg"]
    assert found("p", all_files=True) == ["p/a.jpg", "p/b.txt", "p/c"]
    assert found("p/b.txt") == ["p/b.txt"]


def test_linked_folders_are_followed_only_on_request_and_never_in_loops(folder: Path) -> None:
    touch(folder, "p/a.jpg", "other/b.jpg")
    (folder / "p/link").symlink_to(folder / "other")
    (folder / "p/up").symlink_to(folder / "p")
    (folder / "p/file.jpg").symlink_to(folder / "other/b.jpg")
    assert found("p") == ["p/a.jpg", "p/file.jpg"]
    assert found("p", follow_links=True) == ["p/a.jpg", "p/file.jpg", "p/link/b.jpg"]


@pytest.mark.parametrize(
    ("include", "exclude", "wanted"),
    [
        (("IMG_*",), (), ["p/img_1.jpg", "p/2023/img_3.jpg"]),
        (("2023/*",), (), ["p/2023/img_3.jpg", "p/2023/x.png"]),
        (("**/*.PNG",), (), ["p/2023/x.png", "p/2023/deep/y.png"]),
        (("2023/**/*.png",), (), ["p/2023/x.png", "p/2023/deep/y.png"]),
        ((), ("deep",), ["p/img_1.jpg", "p/2023/img_3.jpg", "p/2023/x.png"]),
        ((), ("2023",), ["p/img_1.jpg"]),
        ((), ("2023/*.png", "img_1*"), ["p/2023/img_3.jpg", "p/2023/deep/y.png"]),
        (("*.png",), ("deep",), ["p/2023/x.png"]),
    ],
)
def test_patterns_select_files(
    folder: Path, include: tuple[str, ...], exclude: tuple[str, ...], wanted: list[str]
) -> None:
    touch(folder, "p/img_1.jpg", "p/2023/img_3.jpg", "p/2023/x.png", "p/2023/deep/y.png")
    assert found("p", include=include, exclude=exclude) == wanted


def test_patterns_apply_to_named_files(folder: Path) -> None:
    touch(folder, "p/a.jpg", "p/b.jpg", "thumbs/c.jpg")
    assert found("p/a.jpg", "p/b.jpg", exclude=("b*",)) == ["p/a.jpg"]
    assert found("p/a.jpg", "thumbs/c.jpg", exclude=("thumbs/*",)) == ["p/a.jpg"]
    assert found(folder / "p/a.jpg", include=("p/*.jpg",)) == [str(folder / "p/a.jpg")]
    # Folders above an input are not matched, whether it is a file or a folder.
    assert found("thumbs/c.jpg", "thumbs", exclude=("thumbs",)) == ["thumbs/c.jpg"]


def test_patterns_apply_to_lists(folder: Path) -> None:
    touch(folder, "p/a.JPG", "p/b.txt", "c.txt", "d.jpg")
    listed = ["p/a.JPG", "p/b.txt", "c.txt", "gone.jpg", "./d.jpg"]
    skipped: dict[str, str] = {}
    sources = Finder([], Filters(include=("*.jpg",)), skipped.__setitem__, listed)
    assert [s.path for s in sources] == ["p/a.JPG", "gone.jpg", "./d.jpg"]
    assert skipped == dict.fromkeys(("p/b.txt", "c.txt"), "excluded by --include or --exclude")
    sources = Finder([], Filters(exclude=("*.txt", "p/*")), listed=listed)
    assert [s.path for s in sources] == ["gone.jpg", "./d.jpg"]
    assert [s.path for s in Finder([], listed=listed)] == listed  # all are tried without a filter


def test_globs_are_expanded_as_in_a_shell(folder: Path) -> None:
    touch(folder, "p/a10.jpg", "p/a9.jpg", "p/b.txt", "p/q/c.jpg", "p/q/.h.jpg", "p/[x].jpg")
    assert found("p/a*") == ["p/a9.jpg", "p/a10.jpg"]
    assert found("p/*.txt") == ["p/b.txt"]
    assert found("p/[ab]9.jpg") == ["p/a9.jpg"]
    assert found("*/q") == ["p/q/c.jpg"]
    assert found("p/*/c.jpg") == ["p/q/c.jpg"]
    assert found("**/*.jpg") == ["p/[x].jpg", "p/a9.jpg", "p/a10.jpg", "p/q/c.jpg"]
    assert found("p/**") == ["p/[x].jpg", "p/a9.jpg", "p/a10.jpg", "p/b.txt", "p/q/c.jpg"]
    assert found(f"{folder}/p/q/*") == [f"{folder}/p/q/c.jpg"]
    assert found("**/q") == ["p/q/c.jpg"]
    assert found("p/*/") == ["p/q/c.jpg"]
    assert found("p/nothing*") == []
    assert found("nowhere/*/x") == []


def test_a_file_whose_name_has_glob_characters_is_taken_literally(folder: Path) -> None:
    touch(folder, "a[1].jpg", "a1.jpg")
    assert found("a[1].jpg") == ["a[1].jpg"]


@pytest.mark.parametrize(
    ("inputs", "wanted"),
    [
        (["p", "p"], ["p/a.jpg", "p/q/b.jpg"]),
        (["p", "p/a.jpg"], ["p/a.jpg", "p/q/b.jpg"]),
        (["p/a.jpg", "p"], ["p/a.jpg", "p/q/b.jpg"]),
        (["p/q", "p"], ["p/q/b.jpg", "p/a.jpg"]),
        (["p", "p/q"], ["p/a.jpg", "p/q/b.jpg"]),
        (["p/a.jpg", "./p/a.jpg", "p/../p/a.jpg"], ["p/a.jpg"]),
        (["p", "link/a.jpg"], ["p/a.jpg", "p/q/b.jpg"]),
        (["p", "p/n.txt"], ["p/a.jpg", "p/q/b.jpg", "p/n.txt"]),
        (["p", "p/q/.h.jpg"], ["p/a.jpg", "p/q/b.jpg", "p/q/.h.jpg"]),
    ],
)
def test_a_file_given_twice_is_found_once(
    folder: Path, inputs: list[str], wanted: list[str]
) -> None:
    touch(folder, "p/a.jpg", "p/q/b.jpg", "p/n.txt", "p/q/.h.jpg")
    (folder / "link").symlink_to(folder / "p")
    assert found(*inputs) == wanted


def test_hard_links_are_separate_files(folder: Path) -> None:
    touch(folder, "a.jpg")
    os.link("a.jpg", "b.jpg")
    assert found("a.jpg", "b.jpg", ".") == ["a.jpg", "b.jpg"]


def test_a_folder_named_like_an_image_is_reported_and_walked(folder: Path) -> None:
    touch(folder, "p/x.jpg/a.jpg", "p/b.jpg")
    assert found("p") == ["p/b.jpg", "p/x.jpg", "p/x.jpg/a.jpg"]


def test_a_folder_that_cannot_be_listed_is_an_error_source(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(folder, "p/a.jpg", "p/q/b.jpg", "p/r/c.jpg")
    scandir = os.scandir

    def refuse(path: str) -> Iterator[os.DirEntry[str]]:
        if str(path).endswith("q"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    sources = list(Finder(["p"]))
    assert [s.path for s in sources] == ["p/a.jpg", "p/q", "p/r/c.jpg"]
    assert sources[1].error == "folder cannot be listed: permission denied"


def test_folders_are_listed_on_demand(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(folder, *(f"p/{i}/a.jpg" for i in range(50)))
    listed: list[str] = []
    scandir = os.scandir

    def record(path: str) -> Iterator[os.DirEntry[str]]:
        listed.append(str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", record)
    sources = iter(Finder(["p"]))
    assert next(sources).path == "p/0/a.jpg"
    assert listed == ["p", "p/0"]
    assert len(list(sources)) == 49


def test_every_skipped_file_is_reported_with_a_reason(folder: Path) -> None:
    touch(folder, "p/a.txt", "p/.h.jpg", "p/skip.jpg", "p/b.jpg", "p/no.png")
    (folder / "p/l").symlink_to(folder)
    skipped: dict[str, str] = {}
    options = Filters(exclude=("skip*",), include=("*.jpg",))
    list(Finder(["p", "p/b.jpg", "x*", "p/no.png"], options, skipped.__setitem__))
    assert skipped == {
        "p/a.txt": "no image suffix",
        "p/.h.jpg": "hidden",
        "p/skip.jpg": "excluded by --exclude",
        "p/no.png": "excluded by --include or --exclude",
        "p/l": "symbolic link to a folder",
        "p/b.jpg": "given twice",
        "x*": "pattern matches nothing",
    }


def test_listed_names_are_never_patterns(folder: Path) -> None:
    touch(folder, "a1.jpg")
    sources = Finder(["a[1].jpg"], listed=["b[1].jpg", "a*"])
    assert [s.path for s in sources] == ["a1.jpg", "b[1].jpg", "a*"]


def test_a_named_file_in_a_folder_that_cannot_be_listed_is_found(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(folder, "p/q/b.jpg")
    scandir = os.scandir

    def refuse(path: str) -> Iterator[os.DirEntry[str]]:
        if str(path).endswith("q"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert found("p", "p/q/b.jpg") == ["p/q", "p/q/b.jpg"]
    (source,) = Finder(["p/q/*.jpg"])
    assert source.error == "folder cannot be listed: permission denied"


def test_folders_that_link_to_each_other_are_walked_once(folder: Path) -> None:
    for i in range(5):
        touch(folder, f"p/{i}/{i}.jpg")
    for i in range(5):
        for j in range(5):
            (folder / f"p/{i}/to{j}").symlink_to(folder / f"p/{j}")
    names = sorted(Path(path).name for path in found("p", "p/3", follow_links=True))
    assert names == [f"{i}.jpg" for i in range(5)]


def test_invalid_names_are_sources() -> None:
    assert found("a\0b", "x" * 5000, "") == ["a\0b", "x" * 5000, ""]
