"""``mnv2 similar`` as users type it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.conftest import draw

Invoke = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("fake_engine")


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache, for a network that has no weights here."""
    monkeypatch.setattr("mnv2cli.inference.feature_store.cache_key", lambda classifier: "fake")
    monkeypatch.setenv("MNV2_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder ``photos``: images of four colours, and a text file."""
    monkeypatch.chdir(tmp_path)
    photos = tmp_path / "photos"
    for i, colour in enumerate([(200, 0, 0), (180, 20, 0), (0, 200, 0), (0, 0, 200)]):
        draw(photos / f"{i}.png", colour)
    draw(tmp_path / "red.png", (200, 0, 0))
    (photos / "bad.jpg").write_text("no image")
    return photos


def paths(text: str) -> list[str]:
    return [row["path"] for row in csv.DictReader(io.StringIO(text))]


def test_the_most_similar_image_comes_first(folder: Path, invoke: Invoke) -> None:
    result = invoke("similar", "red.png", "--in", "photos", "--top", "2")
    assert result.exit_code == 4
    assert result.stdout.splitlines()[:2] == ["path,score,error", "photos/0.png,1.0,"]
    assert paths(result.stdout) == ["photos/0.png", "photos/1.png", "photos/bad.jpg"]
    assert "Searched   4 images" in result.stderr and "Unreadable 1 image" in result.stderr


def test_a_table_shows_neighbours_and_unreadable_images(folder: Path, invoke: Invoke) -> None:
    result = invoke("similar", "red.png", "--in", "photos", "-f", "table", "-k", "1")
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["Most", "like", "red.png", "Score"],
        ["photos/0.png", "1.000"],
        ["photos/bad.jpg", "not", "an", "image:", "a", "text", "file"],
    ]


def test_the_photo_is_not_among_its_results(folder: Path, invoke: Invoke) -> None:
    result = invoke("similar", "./photos/../photos/0.png", "--in", "photos", "--in", "red.png")
    assert paths(result.stdout)[0] == "red.png"
    assert "photos/0.png" not in paths(result.stdout)


def test_several_photos_have_a_column_for_the_query(folder: Path, invoke: Invoke) -> None:
    result = invoke(
        "similar", "red.png", "photos/2.png", "--in", "photos", "-k", "1", "-f", "jsonl"
    )
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["query"] for row in rows] == ["red.png", "photos/2.png", None]
    assert rows[0]["path"] == "photos/0.png"
    assert rows[1]["path"] == "photos/1.png"


def test_a_features_file_is_searched_without_its_images(folder: Path, invoke: Invoke) -> None:
    assert invoke("embed", "photos", "-o", "photos.npz", "-q").exit_code == 4
    expected = invoke("similar", "red.png", "--in", "photos").stdout
    for path in folder.iterdir():
        path.unlink()
    result = invoke("similar", "red.png", "--in", "photos.npz")
    assert result.stdout == expected and result.exit_code == 4


def test_features_of_another_network_are_refused(folder: Path, invoke: Invoke) -> None:
    assert invoke("embed", "photos", "-o", "photos.npz", "-q").exit_code == 4
    result = invoke("similar", "red.png", "--in", "photos.npz", "--alpha", "0.5")
    assert result.exit_code == 2
    assert "cannot search 'photos.npz': it was written with the model" in result.stderr


def test_a_file_that_has_no_features_is_refused_before_anything_is_computed(
    folder: Path, invoke: Invoke, tmp_path: Path
) -> None:
    (tmp_path / "photos.npz").write_text("no features")
    result = invoke("similar", "red.png", "--in", "photos.npz")
    assert result.exit_code == 2 and "photos.npz" in result.stderr


def test_filters_apply_to_the_searched_folder_only(folder: Path, invoke: Invoke) -> None:
    result = invoke("similar", "red.png", "--in", "photos", "--include", "2.png")
    assert paths(result.stdout) == ["photos/2.png"] and result.exit_code == 0


def test_a_photo_that_cannot_be_read_is_reported(folder: Path, invoke: Invoke) -> None:
    result = invoke("similar", "photos/bad.jpg", "--in", "photos")
    assert result.exit_code == 3
    assert "none of the photos can be read" in result.stderr
    result = invoke("similar", "photos/bad.jpg", "red.png", "--in", "photos/0.png")
    assert result.exit_code == 4
    assert paths(result.stdout) == ["photos/0.png", "photos/bad.jpg"]


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (("red.png",), "Missing option '--in'"),
        (("--in", "photos"), "Missing argument 'PHOTO...'"),
        (("gone.png", "--in", "photos"), "gone.png"),
        (("red.png", "--in", "gone"), "gone"),
        (("red.png", "--in", "photos", "--top", "0"), "--top"),
        (("red.png", "--in", "photos", "-o", "a.parquet"), "unknown format of 'a.parquet'"),
    ],
)
def test_options_that_cannot_be_used(
    folder: Path, invoke: Invoke, args: tuple[str, ...], error: str
) -> None:
    result = invoke("similar", *args)
    assert result.exit_code == 2 and error in result.stderr


def test_a_folder_without_images_is_an_error(folder: Path, invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert invoke("similar", "red.png", "--in", "empty").exit_code == 3
