"""Files to compare: links, shots, exact copies, the best of several."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mnv2cli.learning import local_files
from mnv2cli.learning.local_files import ImageFile, exact_copies, find_files
from mnv2cli.records import Source
from tests.sorting.trees import write


def found_in(*paths: Path | str) -> tuple[list[str], dict[str, str], list[tuple[str, str]]]:
    skipped: list[tuple[str, str]] = []
    found = find_files(
        [Source(os.fspath(p)) for p in paths], lambda path, reason: skipped.append((path, reason))
    )
    names = [os.path.basename(file.path) for file in found.files]
    errors = {os.path.basename(path): error for path, error in found.errors.items()}
    return names, errors, [(os.path.basename(path), reason) for path, reason in skipped]


def test_links_and_other_names_of_a_file_are_skipped(tmp_path: Path) -> None:
    photo = write(tmp_path / "a.jpg", "photo")
    os.link(photo, tmp_path / "b.jpg")
    (tmp_path / "c.jpg").symlink_to(photo)
    (tmp_path / "folder").symlink_to(tmp_path)
    names, errors, skipped = found_in(
        photo, tmp_path / "b.jpg", tmp_path / "c.jpg", tmp_path / "folder" / "a.jpg"
    )
    assert names == ["a.jpg"] and not errors
    assert skipped == [
        ("b.jpg", f"same file as another: {photo}"),
        ("c.jpg", "symbolic link"),
        ("a.jpg", f"same file as another: {photo}"),
    ]


def test_a_raw_photo_beside_its_jpeg_is_skipped_even_if_it_is_named(tmp_path: Path) -> None:
    jpeg, raw = write(tmp_path / "a.jpg", "photo"), write(tmp_path / "a.CR2", "photo")
    other = write(tmp_path / "b.CR2", "photo")
    names, _, skipped = found_in(raw, jpeg, other)
    assert names == ["a.jpg", "b.CR2"]
    assert skipped == [("a.CR2", "belongs to another image: a.jpg")]


def test_a_file_that_is_gone_is_an_error(tmp_path: Path) -> None:
    names, errors, _ = found_in(tmp_path / "a.jpg", "nul\0.jpg")
    assert not names
    assert errors["a.jpg"] == "cannot be read: no such file or directory"
    assert "null" in errors["nul\0.jpg"]


def test_only_files_of_equal_size_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    digest = local_files.content_digest

    def noted(path: str) -> str:
        read.append(os.path.basename(path))
        return digest(path)

    monkeypatch.setattr(local_files, "content_digest", noted)
    contents = {"a": "one", "b": "two", "c": "one", "d": "three", "e": "", "f": ""}
    files = []
    for name, content in contents.items():
        path = write(tmp_path / name, content)
        files.append(ImageFile(str(path), len(content), path.stat().st_mtime_ns))
    errors: dict[str, str] = {}
    steps: list[int] = []
    groups = exact_copies(files, errors, steps.append)
    assert [[os.path.basename(file.path) for file in group] for group in groups] == [
        ["a", "c"], ["b"], ["d"], ["e"], ["f"],
    ]  # fmt: skip
    assert read == ["a", "b", "c"] and not errors and sum(steps) == 6


def test_a_file_that_vanishes_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "a", "one")
    errors: dict[str, str] = {}
    files = [ImageFile(str(path), 3, 0), ImageFile(str(tmp_path / "b"), 3, 0)]
    assert exact_copies(files, errors) == [[files[0]]]
    assert list(errors) == [str(tmp_path / "b")]


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (ImageFile("a.jpg", 10, 9, 30, 20), ImageFile("b.jpg", 99, 1, 20, 20)),  # pixels
        (ImageFile("a.jpg", 20, 9, 30, 20), ImageFile("b.jpg", 10, 1, 20, 30)),  # bytes
        (ImageFile("b.jpg", 10, 1, 30, 20), ImageFile("a.jpg", 10, 2, 30, 20)),  # age
        (ImageFile("a.jpg", 10, 1, 30, 20), ImageFile("a (1).jpg", 10, 1, 30, 20)),  # length
        (ImageFile("2/a.jpg", 10, 1), ImageFile("10/a.jpg", 10, 1)),  # natural order
    ],
)
def test_the_best_copy_comes_first(better: ImageFile, worse: ImageFile) -> None:
    assert sorted([worse, better], key=lambda file: file.rank) == [better, worse]
