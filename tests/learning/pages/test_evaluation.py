"""The page of an evaluation: its panel is well formed, and it shows any photo and any name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from mnv2cli.learning.dataset import Example
from mnv2cli.learning.evaluation import Evaluation, Omitted, Scored, assess
from mnv2cli.learning.judged import judge
from mnv2cli.learning.pages.evaluation import evaluation_content, evaluation_panel
from mnv2cli.learning.pages.html import text
from mnv2cli.learning.targets import Target
from mnv2cli.records import Prediction, Record
from mnv2cli.reporting.places import Places
from mnv2cli.reporting.thumbnails import make_thumbnails
from mnv2cli.reporting.write import ReportTarget, write_report
from tests.conftest import draw
from tests.learning.pages.panels import PanelHtml
from tests.reporting.helpers import report_data

EVIL = '<script>alert("x")</script>&\x1b[31m'


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
    records = [
        Record(path, (Prediction("", names[b], 0.9),)) for path, b in zip(paths, best, strict=True)
    ]
    examples = [Example(path, names[t]) for path, t in zip(paths, truth, strict=True)]
    photos = judge(
        [*examples, Example("broken\udcff.jpg", names[0])],
        [*records, Record("broken\udcff.jpg", error=EVIL)],
        scored,
    )
    return replace(assess(scored, EVIL, "2 classes", omitted), photos=photos)


def panel(found: Evaluation) -> PanelHtml:
    return PanelHtml("".join(evaluation_panel(found)))


def test_the_panel_is_well_formed_and_shows_names_as_text() -> None:
    html = "".join(evaluation_panel(evaluation(["a <b>&.jpg"] * 30, ("cat", EVIL), 3)))
    found = PanelHtml(html)
    assert not found.open
    assert not {"script", "link", "style", "img", "iframe"} & set(found.tags)
    assert "://" not in html and "\x1b" not in html
    assert '<script>alert("x")</script>' in found.shown  # as text
    assert "broken\ufffd.jpg" in found.shown
    assert found.tags.count("svg") == 2
    assert "1 photo could not be read" in found.shown and "2 photos in folders" in found.shown
    assert "3 photos are predicted wrongly" in found.shown and "Look at the folder" in found.shown


def test_all_photos_have_their_class_and_whether_they_are_right(tmp_path: Path) -> None:
    found = evaluation([f"{number}.jpg" for number in range(200)], ("cat", "dog"), 70)
    entries = evaluation_content(found, "photos").entries
    assert len(entries) == 201
    assert [each.right for each in entries] == [False] * 70 + [True] * 130 + [None]
    assert [each.truth for each in entries[:2]] == ["cat", "dog"]
    assert entries[0].record.predictions[0].label == "dog"
    assert entries[200].record.error == EVIL and entries[200].truth == "cat"


def test_a_photo_that_is_gone_is_on_the_page_without_a_thumbnail(tmp_path: Path) -> None:
    photo = draw(tmp_path / "red.jpg", (250, 0, 0), (3000, 2000))
    content = evaluation_content(
        evaluation([str(photo), "gone.jpg"], ("cat", "dog"), 1), str(tmp_path / "photos")
    )
    assert content.title == "Evaluation of photos"
    path, places = tmp_path / "eval.html", Places()
    made = list(make_thumbnails([each.record for each in content.entries], places))
    assert isinstance(made[0], bytes) and len(made[0]) < 10_000
    assert isinstance(made[1], str) and made[1]
    write_report(content, ReportTarget(str(path)), places, made)
    data = report_data(path)
    assert data["rows"]["name"] == ["red.jpg", "gone.jpg", "broken\udcff.jpg"]
    assert data["rows"]["right"] == [0, 1, -1]
    assert [data["names"][truth] for truth in data["rows"]["truth"]] == ["cat", "dog", "cat"]
    assert data["errors"] == {"2": EVIL}


def test_many_classes_show_those_that_are_confused_most() -> None:
    names = tuple(f"class {number}" for number in range(120))
    html = "".join(evaluation_panel(evaluation(["a.jpg"] * 240, names, 5)))
    assert "the 6 of 120 classes" in PanelHtml(html).shown
    assert len(html) < 100_000


def test_an_evaluation_without_mistakes_has_a_panel() -> None:
    assert "every photo is right" in panel(evaluation(["a.jpg"] * 4, ("cat", "dog"), 0)).shown


def test_text_from_bytes_that_are_not_utf8_is_shown() -> None:
    assert text("a\udcff<\0>") == "a\ufffd&lt;\ufffd&gt;"
