"""``mnv2 duplicates`` as users type it."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from PIL import Image

from tests.conftest import FakeEngine, Interrupted
from tests.sorting.trees import restore_times, snapshot

Invoke = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("fake_engine")


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache, for a network that has no weights here."""
    monkeypatch.setattr("mnv2cli.inference.feature_store.cache_key", lambda classifier: "fake")
    monkeypatch.setenv("MNV2_CACHE", str(tmp_path_factory.mktemp("cache")))


def photo(path: Path, seed: int = 0, side: int = 240, most: int = 256) -> Path:
    """Write blurred noise, which differs from seed to seed as photos do."""
    path.parent.mkdir(parents=True, exist_ok=True)
    small = np.random.default_rng(seed).random((8, 8, 3)) * most
    image = Image.fromarray(small.astype(np.uint8))
    image.resize((side, side), Image.Resampling.BICUBIC).save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder ``photos``: two photos, copies of one, and a text file."""
    monkeypatch.chdir(tmp_path)
    photos = tmp_path / "photos"
    photo(photos / "img1.png")
    photo(photos / "img2.png", seed=1)
    photo(photos / "web" / "small.jpg", side=120, most=230)
    shutil.copy2(photos / "img1.png", photos / "img1 (1).png")
    (photos / "web" / "small.xmp").write_text("keywords")
    (photos / "img1.xmp").write_text("keywords")  # so the copy's sidecar is not the only one
    (photos / "bad.jpg").write_text("no image")
    restore_times(tmp_path)
    return photos


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_groups_are_written_as_csv_with_the_best_image_first(folder: Path, invoke: Invoke) -> None:
    result = invoke("duplicates", "photos")
    rows = table(result.stdout)
    assert result.exit_code == 4
    assert [(r["group"], r["path"], r["kind"], r["kept"]) for r in rows] == [
        ("1", "photos/img1.png", "", "true"),
        ("1", "photos/img1 (1).png", "exact", "false"),
        ("1", "photos/web/small.jpg", "near", "false"),
        ("", "photos/bad.jpg", "", ""),
    ]
    assert rows[-1]["error"] == "not an image: a text file"
    assert (rows[0]["width"], rows[2]["height"], rows[1]["similarity"]) == ("240", "120", "1.0")
    assert 0.99 < float(rows[2]["similarity"]) <= 1
    assert "Compared   5 images" in result.stderr
    assert "1 exact copy and 1 near in 1 group" in result.stderr
    assert "Unreadable 1 image" in result.stderr


def test_json_has_the_same_rows(folder: Path, invoke: Invoke, tmp_path: Path) -> None:
    assert invoke("duplicates", "photos", "-o", "copies.json").exit_code == 4
    rows = json.loads((tmp_path / "copies.json").read_text())
    assert [row["kept"] for row in rows] == [True, False, False, None]
    assert rows[0]["kind"] is None and rows[1]["kind"] == "exact"
    lines = invoke("duplicates", "photos", "-f", "jsonl").stdout.splitlines()
    assert [json.loads(line) for line in lines] == rows


def test_a_table_shows_groups_and_unreadable_images(folder: Path, invoke: Invoke) -> None:
    result = invoke("duplicates", "photos", "-f", "table", env={"COLUMNS": "100"})
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["Group", "1", "Cosine", "Pixels", "Size"]
    assert lines[1][:5] == ["photos/img1.png", "keep", "240", "x", "240"]
    assert lines[2][2:4] == ["exact", "1.000"] and lines[3][:2] == ["photos/web/small.jpg", "near"]
    assert lines[4:] == [["photos/bad.jpg", "not", "an", "image:", "a", "text", "file"]]


def test_exact_copies_need_no_network(
    folder: Path, invoke: Invoke, fake_engine: FakeEngine
) -> None:
    result = invoke("duplicates", "photos", "--exact")
    assert [row["kind"] for row in table(result.stdout)] == ["", "exact"]
    assert result.exit_code == 0 and not fake_engine.batches


def test_a_copy_is_embedded_once(folder: Path, invoke: Invoke, fake_engine: FakeEngine) -> None:
    invoke("duplicates", "photos", "--no-cache")
    assert sum(fake_engine.batches) == 3


def test_a_higher_threshold_finds_fewer_near_copies(folder: Path, invoke: Invoke) -> None:
    rows = table(invoke("duplicates", "photos", "--threshold", "1").stdout)
    assert "near" not in [row["kind"] for row in rows]


def test_a_plan_is_applied_and_undone(folder: Path, tmp_path: Path, invoke: Invoke) -> None:
    before = snapshot(tmp_path)
    result = invoke("duplicates", "photos", "--write-plan", "plan.csv", "--into", "copies")
    assert result.exit_code == 4
    assert "Wrote the plan to plan.csv: 2 photos and 1 companion" in result.stderr
    assert "To apply it: mnv2 sort --apply plan.csv --into copies" in result.stderr
    plan = table((tmp_path / "plan.csv").read_text())
    assert [(r["target"], r["reason"], r["with"]) for r in plan][0::2] == [
        ("exact/img1 (1).png", "exact copy of photos/img1.png", ""),
        ("near/web/small.xmp", "goes with small.jpg", "photos/web/small.jpg"),
    ]
    assert invoke("sort", "--apply", "plan.csv", "--into", "copies").exit_code == 0
    left = sorted(p.name for p in folder.rglob("*.*"))
    assert left == ["bad.jpg", "img1.png", "img1.xmp", "img2.png"]
    again = invoke("duplicates", "photos", "copies", "--into", "copies", "--write-plan", "p.csv")
    assert len(table(again.stdout)) == 4  # the folder is named, so it is compared
    assert invoke("undo", "copies").exit_code == 0
    for name in ("plan.csv", "p.csv"):
        os.unlink(tmp_path / name)
    restore_times(tmp_path)
    assert snapshot(tmp_path) == before


def test_the_folder_of_copies_is_not_compared_again(folder: Path, invoke: Invoke) -> None:
    args = ("duplicates", "photos", "--into", "photos/copies", "--write-plan")
    invoke(*args, "plan.csv")
    assert invoke("sort", "--apply", "plan.csv", "--into", "photos/copies").exit_code == 0
    result = invoke(*args, "plan2.csv")
    assert [row["path"] for row in table(result.stdout)] == ["photos/bad.jpg"]


def test_links_and_companions_are_not_copies(folder: Path, invoke: Invoke) -> None:
    os.link(folder / "img2.png", folder / "other name.png")
    (folder / "link.png").symlink_to("img2.png")
    shutil.copy(folder / "img2.png", folder / "img2.dng")
    result = invoke("duplicates", "photos", "--exact", "-v")
    assert {row["group"] for row in table(result.stdout)} == {"1"}
    for text in ("link.png: symbolic link", "other name.png: same file as another"):
        assert text in result.stderr
    named = ["photos/img2.png", "photos/img2.dng"]
    assert not table(invoke("duplicates", *named, "--exact").stdout)


def test_a_quiet_run_shows_only_errors(folder: Path, invoke: Invoke) -> None:
    result = invoke("duplicates", "photos", "-q", "-o", "copies.csv")
    assert result.stderr == "Error: photos/bad.jpg: not an image: a text file\n"
    assert not result.stdout


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (("--write-plan", "p.csv"), "--write-plan requires --into DIR."),
        (("--into", "copies"), "--into requires --write-plan PLAN."),
        (("--write-plan", "old.csv", "--into", "copies"), "'old.csv' already exists"),
        (("--write-plan", "p.csv", "--into", "old.csv"), "'old.csv' is a file"),
        (("--exact", "--threshold", "0.9"), "--threshold cannot be combined with --exact."),
        (("--pairs", "both"), "--pairs both cannot be combined"),
        (("-o", "old.csv"), "'old.csv' already exists"),
        (("-o", "copies.txt"), "unknown format of 'copies.txt'"),
        (("-o", "copies.csv", "-f", "json"), "contradicts the name 'copies.csv'"),
        (("--force",), "--force requires -o."),
        (("--csv-safe", "-f", "json"), "--csv-safe requires csv, not json."),
        (("--threshold", "0"), "the score must be above 0"),
    ],
)
def test_options_that_cannot_be_used(
    folder: Path, tmp_path: Path, invoke: Invoke, args: tuple[str, ...], error: str
) -> None:
    (tmp_path / "old.csv").write_text("old")
    before = snapshot(tmp_path)
    result = invoke("duplicates", "photos", *args)
    assert result.exit_code == 2 and error in result.stderr
    assert snapshot(tmp_path) == before


def test_a_folder_without_images_or_a_url_is_refused(tmp_path: Path, invoke: Invoke) -> None:
    assert invoke("duplicates", tmp_path).exit_code == 3
    result = invoke("duplicates", "https://localhost/a.jpg")
    assert result.exit_code == 2 and "it is not on this machine" in result.stderr


def test_an_interrupted_run_writes_nothing(
    folder: Path, tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(5, 9):
        photo(folder / f"{seed}.png", seed)
    engine = Interrupted()
    monkeypatch.setattr("mnv2cli.inference.classifier.open_engine", lambda *a, **k: engine)
    args = ("--write-plan", "plan.csv", "--into", "copies", "--no-cache")
    result = invoke("duplicates", "photos", "-o", "copies.csv", *args)
    assert result.exit_code == 130 and "Interrupted." in result.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["photos"]
