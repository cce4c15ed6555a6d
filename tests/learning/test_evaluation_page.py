"""The page of an evaluation: it is well formed, self-contained, and shows any name."""

from __future__ import annotations

import base64
import io
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnv2cli.errors import InputError
from mnv2cli.images.options import ImageOptions
from mnv2cli.learning.evaluation import Evaluation, Omitted, Scored, assess
from mnv2cli.learning.evaluation_page.drawings import text
from mnv2cli.learning.evaluation_page.page import MOST_MISTAKES, check_report, write_report
from mnv2cli.learning.targets import Target
from tests.conftest import draw

EVIL = '<script>alert("x")</script>&\x1b[31m'
VOID = {"meta", "img", "br"}
OPTIONAL_END = {"th", "td", "dt", "dd"}


class Page(HTMLParser):
    """Checks that elements are nested, and collects them."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.pictures: list[str] = []
        self.shown = ""
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        values = dict(attrs)
        assert not any(name.startswith("on") for name in values)
        assert {"src", "href"} & set(values) <= {"src"}
        if tag == "img":
            self.pictures.append(values["src"] or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open[-1] != tag and self.open[-1] in OPTIONAL_END:
            self.open.pop()
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.shown += data


def evaluation(paths: list[str], names: tuple[str, ...], wrong: int) -> Evaluation:
    """Return an evaluation of photos in turn of each class; the first ones are wrong."""
    count = len(names)
    truth = np.arange(len(paths)) % count
    scores = np.full((len(paths), count), 0.1 / count, np.float32)
    best = np.where(np.arange(len(paths)) < wrong, (truth + 1) % count, truth)
    scores[np.arange(len(paths)), best] = 0.9
    targets = tuple(Target(name, frozenset({i}), "class", name) for i, name in enumerate(names))
    scored = Scored(tuple(paths), truth, scores, names, targets, count)
    omitted = Omitted((("broken\udcff.jpg", EVIL),), {EVIL: 2}, ("loose.jpg",))
    return assess(scored, EVIL, "2 classes", omitted)


def written(tmp_path: Path, found: Evaluation) -> str:
    path = tmp_path / "eval.html"
    write_report(str(path), found, "photos", ImageOptions())
    return path.read_bytes().decode()


def test_the_page_is_well_formed_and_needs_no_network(tmp_path: Path) -> None:
    photo = draw(tmp_path / "a <b>&.jpg")
    content = written(tmp_path, evaluation([str(photo)] * 30, ("cat", EVIL), 3))
    page = Page(content)
    assert not page.open
    assert "script" not in page.tags and "link" not in page.tags and "://" not in content
    assert '<script>alert("x")</script>' in page.shown  # as text
    assert "\x1b" not in content and "broken\ufffd.jpg" in page.shown
    assert page.tags.count("svg") == 2
    assert "1 photo could not be read" in page.shown and "2 photos in folders" in page.shown


def test_the_worst_mistakes_are_small_pictures(tmp_path: Path) -> None:
    photo = draw(tmp_path / "red.jpg", (250, 0, 0), (3000, 2000))
    count = MOST_MISTAKES + 10
    page = Page(written(tmp_path, evaluation([str(photo)] * count, ("cat", "dog"), count)))
    assert len(page.pictures) == MOST_MISTAKES
    data = base64.b64decode(page.pictures[0].removeprefix("data:image/jpeg;base64,"))
    assert len(data) < 10_000
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.size == (176, 176)
        assert picture.convert("RGB").getpixel((9, 9))[0] > 240  # type: ignore[index]


def test_a_photo_that_is_gone_has_no_picture(tmp_path: Path) -> None:
    page = Page(written(tmp_path, evaluation(["gone.jpg"] * 4, ("cat", "dog"), 1)))
    assert not page.pictures and "no picture" in page.shown


def test_many_classes_show_those_that_are_confused_most(tmp_path: Path) -> None:
    names = tuple(f"class {number}" for number in range(120))
    content = written(tmp_path, evaluation(["a.jpg"] * 240, names, 5))
    assert "the 6 of 120 classes" in Page(content).shown
    assert len(content) < 1_000_000


def test_an_evaluation_without_mistakes_has_a_page(tmp_path: Path) -> None:
    page = Page(written(tmp_path, evaluation(["a.jpg"] * 4, ("cat", "dog"), 0)))
    assert "every photo is right" in page.shown


def test_text_from_bytes_that_are_not_utf8_is_shown() -> None:
    assert text("a\udcff<\0>") == "a\ufffd&lt;\ufffd&gt;"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("eval.txt", "ends in .html"),
        ("https://example.org/eval.html", "ends in .html"),
        ("missing/eval.html", "'missing' does not exist"),
        ("folder.html", "folder"),
        ("old.html", "already exists"),
    ],
)
def test_a_report_that_cannot_be_written_is_an_error_before_the_run(
    name: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "old.html").write_text("old")
    with pytest.raises(InputError, match=reason):
        check_report(name, force=False)
    if name == "old.html":
        check_report(name, force=True)
