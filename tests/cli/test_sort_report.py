"""``mnv2 sort --report``: the plan as a page, before it is applied."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from mnv2cli.images.reader import ImageReader
from mnv2cli.reporting.content import Content
from mnv2cli.reporting.write import write_report
from tests.reporting.helpers import report_data
from tests.sorting.trees import draw_fish

Invoke = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("fake_engine")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder ``photos``: three fish, a snake with a sidecar, and no image."""
    monkeypatch.chdir(tmp_path)
    return draw_fish(tmp_path)


def targets(data: Any) -> dict[str, str]:
    """Return the folder where each photo of a page goes."""
    rows = data["rows"]
    names = [*data["targets"], ""]
    return {name: names[at] for name, at in zip(rows["name"], rows["target"], strict=True)}


def test_a_preview_shows_the_plan_and_changes_nothing(folder: Path, invoke: Invoke) -> None:
    done = invoke("sort", "photos", "--into", "sorted", "--dry-run", "--report", "plan.html")
    assert done.exit_code == 4, done.output
    assert "Written    plan.html, " in done.stderr
    assert not Path("sorted").exists()
    data = report_data(Path("plan.html"))
    goals = targets(data)
    assert set(goals) == {"0.png", "1.png", "2.png", "3.png", "bad.jpg"}  # no companion
    assert goals["0.png"] == goals["1.png"] == "fish" and goals["bad.jpg"] == ""
    assert data["categories"] and data["rows"]["category"]
    assert max(data["rows"]["count"]) == 5
    assert len(data["errors"]) == 1 and data["urls"] == {}
    assert data["title"] == "Plan for sorted"


def test_links_lead_to_where_photos_are_moved(folder: Path, invoke: Invoke) -> None:
    page = folder.parent / "pages" / "plan.html"
    page.parent.mkdir()
    command = ("sort", "photos", "--into", "sor ted", "--move", "--report", "pages/plan.html")
    assert invoke(*command, "--dry-run").exit_code == 4
    assert report_data(page)["urls"] == {}
    again = invoke(*command)
    assert again.exit_code == 2 and "name another file for --report" in again.stderr
    assert not Path("sor ted").exists()
    page.unlink()
    assert invoke(*command).exit_code == 4
    data = report_data(page)
    number = data["rows"]["name"].index("0.png")
    assert data["urls"][str(number)] == "./../sor%20ted/fish/0.png"
    assert Path("sor ted/fish/0.png").is_file() and not (folder / "0.png").exists()
    assert len(data["urls"]) == 4  # bad.jpg stays


def test_results_are_shown_with_the_plan(folder: Path, invoke: Invoke) -> None:
    assert invoke("classify", "photos", "-o", "labels.csv", "--top", "1").exit_code == 4
    command = ("sort", "--from", "labels.csv", "--into", "sorted", "--by", "label")
    done = invoke(*command, "--report", "plan.html", "--threshold", "1")
    assert done.exit_code == 4, done.output
    data = report_data(Path("plan.html"))
    assert targets(data)["0.png"] == "unsure"
    assert "is below 1" in data["notes"]["0"] and data["results"] == "labels.csv"
    assert data["urls"] == {}  # copies
    again = invoke(*command, "--report", "again.html", "--threshold", "1")
    assert again.exit_code == 4
    assert "already" in report_data(Path("again.html"))["notes"]["0"]


def test_a_plan_from_a_file_has_no_labels(folder: Path, invoke: Invoke) -> None:
    assert invoke("sort", "photos", "--into", "sorted", "--plan", "plan.csv").exit_code == 4
    command = ("sort", "--apply", "plan.csv", "--into", "sorted", "--report", "plan.html")
    assert invoke(*command).exit_code == 0
    data = report_data(Path("plan.html"))
    assert targets(data)["0.png"] == "fish" and not any(data["rows"]["count"])
    assert data["results"] == ""


def test_sorting_again_shows_where_photos_go(folder: Path, invoke: Invoke) -> None:
    assert invoke("sort", "photos", "--into", "sorted").exit_code == 4
    command = ("sort", "--refresh", "--into", "sorted", "--threshold", "1")
    done = invoke(*command, "--report", "plan.html")
    assert done.exit_code == 0, done.output
    data = report_data(Path("plan.html"))
    assert set(targets(data).values()) == {"unsure"}
    assert len(data["urls"]) == 4 and all("/unsure/" in url for url in data["urls"].values())


@pytest.mark.parametrize("command", ["sort photos --into sorted", "evaluate set"])
def test_photos_are_decoded_once_for_labels_and_thumbnails(
    command: str, folder: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "bad.jpg").unlink()
    (folder.parent / "set").mkdir()
    shutil.copytree(folder, "set/fish")

    def again(reader: ImageReader, path: str) -> bytes:
        raise AssertionError(f"{path} is decoded again")

    def write(content: Content, *others: Any) -> None:
        assert not any(each.record.thumbnail for each in content.entries)  # in memory
        write_report(content, *others)

    monkeypatch.setattr(ImageReader, "thumbnail", again)
    monkeypatch.setattr("mnv2cli.cli.report_job.write_report", write)
    done = invoke(*command.split(), "--report", "page.html")
    assert done.exit_code == 0, done.output
    text = Path("page.html").read_text()
    assert 'id="missing">{}<' in text and "UklGR" in text  # base64 of RIFF, as WebP starts


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--report", "plan.csv"), "ends in .html"),
        (("--report", "none/plan.html"), "does not exist"),
        (("--report", "a.html", "--plan", "a.html"), "would overwrite 'a.html'"),
        (("--report", "./a.html", "--plan", "a.html"), "would overwrite 'a.html'"),
        (("--report", "link/a.html", "--plan", "a.html"), "would overwrite 'a.html'"),
    ],
)
def test_a_report_that_cannot_be_written_is_an_error_before_any_work(
    arguments: tuple[str, ...], reason: str, folder: Path, invoke: Invoke
) -> None:
    Path("link").symlink_to(".")
    done = invoke("sort", "photos", "--into", "sorted", *arguments)
    assert done.exit_code == 2 and reason in done.stderr
    assert not Path("sorted").exists() and not Path("a.html").exists()
