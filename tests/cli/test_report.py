"""``mnv2 report`` and ``classify --report``: what they write, and what they refuse."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from PIL import Image

from mnv2cli.images.renditions import InputAndThumbnail, NetworkInput, Thumbnail
from tests.conftest import Interrupted, draw
from tests.reporting.helpers import report_data

Invoke = Callable[..., Result]

pytestmark = pytest.mark.usefixtures("fake_engine")

PATHS = ["photos/img2.jpg", "photos/img10.png", "photos/sub/img1.webp"]


def data(name: str = "report") -> Any:
    return report_data(Path("report.html"), name)


def paths(page: str = "report.html") -> list[str]:
    report = report_data(Path(page))
    rows = report["rows"]
    return [
        report["folders"][folder] + name
        for folder, name in zip(rows["folder"], rows["name"], strict=True)
    ]


def thumbnails(page: str = "report.html") -> list[bytes | None]:
    found = []
    text = Path(page).read_text()
    for chunk in re.findall(r'class="thumbnails" data-start="\d+">(.*?)</script>', text):
        found += [None if each is None else base64.b64decode(each) for each in json.loads(chunk)]
    return found


def is_image(data: bytes | None) -> bool:
    return data is not None and Image.open(io.BytesIO(data)).format == "WEBP"


@pytest.fixture
def labels(photos: Path, invoke: Invoke) -> Path:
    (photos / "zz-bad.jpg").write_bytes(b"")
    assert invoke("classify", "photos", "-o", "labels.csv").exit_code == 4
    return Path("labels.csv")


def test_a_page_shows_the_photos_of_results(labels: Path, invoke: Invoke) -> None:
    result = invoke("report", "labels.csv")
    assert result.exit_code == 0 and result.stdout == ""
    assert sorted(paths()) == sorted([*PATHS, "photos/zz-bad.jpg"])
    found = dict(zip(paths(), thumbnails(), strict=True))
    assert all(is_image(found[path]) for path in PATHS)
    assert found["photos/zz-bad.jpg"] is None and data()["results"] == "labels.csv"
    assert list(data()["errors"].values()) == ["empty file: zero bytes"]
    assert "Photos     4 in" in result.stderr
    assert "Errors     1 in the results" in result.stderr
    assert re.search(r"Written    report.html, [\d.]+ kB", result.stderr)


@pytest.mark.parametrize("name", ["l.csv", "l.json", "l.jsonl", "l.parquet", "long.csv"])
def test_all_results_are_read(photos: Path, invoke: Invoke, name: str) -> None:
    long = ["--long"] if name == "long.csv" else []
    assert invoke("classify", "photos", "-o", name, *long).exit_code == 0
    assert invoke("report", name).exit_code == 0
    assert paths() == PATHS and all(map(is_image, thumbnails()))


@pytest.mark.parametrize("name", ["f.npz", "f.parquet"])
def test_features_are_photos_without_labels(photos: Path, invoke: Invoke, name: str) -> None:
    assert invoke("embed", "photos", "-o", name, "--no-cache").exit_code == 0
    assert invoke("report", name).exit_code == 0
    assert paths() == PATHS and data()["rows"]["count"] == [0, 0, 0]
    assert all(map(is_image, thumbnails()))


def test_a_page_without_thumbnails_reads_no_photo(labels: Path, invoke: Invoke) -> None:
    shutil.rmtree("photos")
    result = invoke("report", "labels.csv", "--no-thumbnails")
    assert result.exit_code == 0 and "Warning" not in result.stderr
    assert data()["thumbnails"]["kind"] == "none" and not thumbnails()


def test_missing_photos_are_counted_and_the_base_finds_them(labels: Path, invoke: Invoke) -> None:
    os.rename("photos", "moved")
    result = invoke("report", "labels.csv")
    assert result.exit_code == 4
    assert "Warning: 3 photos not found" in result.stderr and "--base DIR" in result.stderr
    assert "Unreadable 3: no such file 3" in result.stderr
    assert set(data("missing").values()) == {"no such file", "empty file: zero bytes"}
    result = invoke("report", "labels.csv", "--base", "moved", "--force")
    assert result.exit_code == 0 and "Warning" not in result.stderr
    assert sum(map(is_image, filter(None, thumbnails()))) == 3
    assert data()["hrefs"][0] == "./moved/"


def test_many_thumbnails_are_files(labels: Path, invoke: Invoke) -> None:
    result = invoke("report", "labels.csv", "--embed-limit", "2")
    assert result.exit_code == 0
    folder = Path(data()["thumbnails"]["folder"])
    assert len(list(folder.rglob("*.webp"))) == 3
    assert "Thumbnails report_files" in result.stderr
    # They are not photos of the user's.
    result = invoke("classify", ".", "-q", "-f", "csv")
    assert "webp" not in result.stdout.replace("photos/sub/img1.webp", "")


def test_a_page_is_overwritten_with_force_alone(labels: Path, invoke: Invoke) -> None:
    Path("report.html").write_text("mine")
    result = invoke("report", "labels.csv")
    assert result.exit_code == 2 and "'report.html' already exists" in result.stderr
    assert Path("report.html").read_text() == "mine"
    assert invoke("report", "labels.csv", "--force").exit_code == 0


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["photos"], "'photos' is a folder, not results\nFirst label the photos: mnv2 classify"),
        (["photos/img2.jpg"], "is an image, not results"),
        (["none.csv"], "'none.csv' does not exist"),
        (["notes.txt"], "cannot read 'notes.txt': its name does not end in"),
        (["labels.csv", "-o", "page.csv"], "name a local file that ends in .html"),
        (["labels.csv", "-o", "none/page.html"], "the folder 'none' does not exist"),
        (["labels.csv", "--no-thumbnails", "--embed-limit", "9"], "--embed-limit cannot be"),
        (["labels.csv", "--no-thumbnails", "--isolate"], "--isolate cannot be combined"),
        (["labels.csv", "--base", "none"], "--base: 'none' does not exist"),
        (["labels.csv", "--base", "labels.csv"], "--base: 'labels.csv' is not a folder"),
    ],
)
def test_nonsense_is_refused(labels: Path, invoke: Invoke, args: list[str], error: str) -> None:
    Path("notes.txt").write_text("hello")
    result = invoke("report", *args)
    assert result.exit_code == 2 and error in result.stderr
    assert not Path("report.html").exists()


def test_results_without_rows_are_refused(labels: Path, invoke: Invoke) -> None:
    labels.write_text(labels.read_text().splitlines()[0] + "\n")
    result = invoke("report", "labels.csv")
    assert result.exit_code == 3 and "'labels.csv' has no rows" in result.stderr


@pytest.mark.parametrize("works", [True, False])
def test_the_page_is_opened_and_a_missing_browser_is_not_an_error(
    labels: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, works: bool
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or works)
    result = invoke("report", "labels.csv", "--open")
    assert result.exit_code == 0
    assert opened == [Path("report.html").absolute().as_uri()]
    assert ("No browser found" in result.stderr) is not works


# classify --report


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record what is made of each image."""
    made: list[str] = []
    for kind in (NetworkInput, Thumbnail, InputAndThumbnail):

        def make(self: Any, image: Any, real: Any = kind.make, name: str = kind.__name__) -> Any:
            made.append(name)
            return real(self, image)

        monkeypatch.setattr(kind, "make", make)
    return made


def test_classify_makes_the_page_of_one_decoding(
    photos: Path, invoke: Invoke, decoded: list[str]
) -> None:
    assert invoke("classify", "photos", "-o", "alone.csv").exit_code == 0
    decoded.clear()
    result = invoke("classify", "photos", "-o", "labels.csv", "--report", "report.html")
    assert result.exit_code == 0 and "Report     report.html" in result.stderr
    assert decoded.count("InputAndThumbnail") == 3 and "Thumbnail" not in decoded
    assert Path("labels.csv").read_bytes() == Path("alone.csv").read_bytes()
    assert paths() == PATHS and all(map(is_image, thumbnails()))
    assert data()["title"] == data()["results"] == "labels.csv"
    both = Path("report.html").read_text()
    assert invoke("report", "labels.csv", "--force").exit_code == 0
    assert (
        data()["rows"]
        == json.loads(
            re.search('id="report">(.*?)</script>', both)[1]  # type: ignore[index]
        )["rows"]
    )


@pytest.mark.parametrize("more", [["--isolate"], ["--embeddings", "f.npz"], ["--shard", "1/1"]])
def test_classify_makes_the_page_with_other_options(
    photos: Path, invoke: Invoke, more: list[str]
) -> None:
    result = invoke("classify", "photos", "-o", "labels.csv", "--report", "report.html", *more)
    assert result.exit_code == 0
    assert paths() == PATHS and all(map(is_image, thumbnails()))


def test_classify_to_stdout_makes_the_page(photos: Path, invoke: Invoke) -> None:
    alone = invoke("classify", "photos")
    result = invoke("classify", "photos", "--report", "report.html")
    assert result.stdout == alone.stdout and result.exit_code == 0
    assert paths() == PATHS and data()["results"] == ""


def test_a_resumed_run_makes_the_page_of_all_rows(
    photos: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, decoded: list[str]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("mnv2cli.inference.classifier.open_engine", lambda *a, **k: Interrupted())
        args = ["classify", "photos", "-o", "labels.csv", "--report", "report.html"]
        result = invoke(*args)
    assert result.exit_code == 130 and not Path("report.html").exists()
    hint = "mnv2 classify photos -o labels.csv --report report.html --resume"
    assert hint in result.stderr
    decoded.clear()
    result = invoke(*args, "--resume")
    assert result.exit_code == 0
    assert sorted(decoded) == ["InputAndThumbnail", "Thumbnail", "Thumbnail"]
    assert paths() == PATHS and all(map(is_image, thumbnails()))
    draw(photos / "new.png", (1, 2, 3))
    assert invoke(*args, "--resume").exit_code == 0  # replaces the page
    assert "photos/new.png" in paths() and len(paths()) == 4


def test_a_resumed_run_replaces_no_other_file(photos: Path, invoke: Invoke) -> None:
    assert invoke("classify", "photos", "-o", "labels.csv").exit_code == 0
    Path("mine.html").write_text("mine")
    args = ["classify", "photos", "-o", "labels.csv", "--resume", "--report", "mine.html"]
    result = invoke(*args)
    assert result.exit_code == 2 and "'mine.html' already exists" in result.stderr
    assert "Name another file" in result.stderr
    assert Path("mine.html").read_text() == "mine"


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["-o", "x.html", "-f", "csv", "--report", "./x.html"], "would overwrite 'x.html'"),
        (["-o", "x.csv", "--report", "page"], "name a local file that ends in .html"),
        (["-o", "x.csv", "--report", "old.html"], "'old.html' already exists"),
    ],
)
def test_classify_refuses_a_page_that_cannot_be(
    photos: Path, invoke: Invoke, args: list[str], error: str
) -> None:
    Path("old.html").write_text("mine")
    result = invoke("classify", "photos", *args)
    assert result.exit_code == 2 and error in result.stderr
    assert not Path("x.csv").exists() and Path("old.html").read_text() == "mine"


def test_force_covers_the_page(photos: Path, invoke: Invoke) -> None:
    Path("old.html").write_text("mine")
    assert invoke("classify", "photos", "--report", "old.html", "--force").exit_code == 0
    assert paths("old.html") == PATHS


@pytest.mark.parametrize(("name", "typed"), [("labels.csv",) * 2, ("my l.csv", "'my l.csv'")])
def test_the_results_are_complete_if_the_page_cannot_be_written(
    photos: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, name: str, typed: str
) -> None:
    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mnv2cli.reporting.write.AtomicFile", full)
    result = invoke("classify", "photos", "-o", name, "--report", "report.html")
    assert result.exit_code == 1
    assert "Error: cannot write 'report.html': no space left on device" in result.stderr
    assert f"The results are complete: run mnv2 report {typed}\n" in result.stderr
    assert len(Path(name).read_text().splitlines()) == 4
