"""``mnv2 convert`` writes datasets and reads them; so does ``mnv2 classify --format``."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from mnv2cli.datasets.formats import DATASETS, load_dataset_format
from mnv2cli.datasets.read import read_dataset
from mnv2cli.records import Record
from mnv2cli.results.read import read_results
from tests.cli.test_process import ENVIRONMENT
from tests.conftest import FakeEngine, Interrupted, draw
from tests.learning.conftest import fast
from tests.reporting.results_files import labelled, write
from tests.runs.helpers import run_and_signal, run_to_end

Invoke = Callable[..., Result]

__all__ = ["fast"]

FORMATS = list(DATASETS)


def name_of(format: str) -> str:
    return f"made{load_dataset_format(format).suffix}"


@pytest.fixture
def results(photos: Path) -> str:
    """Results of two photos, one without a label and a damaged one, in the current folder."""
    records = [
        labelled("photos/img2.jpg", ("tabby", 0.9), ("espresso", 0.05), category=("cat", 0.95)),
        labelled("photos/img10.png", ("sports car", 0.7), category=("", 0.0)),
        Record("photos/sub/img1.webp", model="m"),
        Record("photos/bad.jpg", error="truncated: 3 of 9 bytes", model="m"),
    ]
    return Path(write(photos.parent / "labels.csv", records)).name


def masked(text: str) -> str:
    """Return a summary without its time."""
    lines = (line.rpartition(" in ")[0] or line for line in text.splitlines())
    return "\n".join(
        line if full.rstrip().endswith(" s") else full
        for line, full in zip(lines, text.splitlines(), strict=True)
    )


@pytest.mark.parametrize("format", FORMATS)
def test_results_become_a_dataset_and_results_again(
    results: str, invoke: Invoke, format: str
) -> None:
    made = invoke("convert", results, "--to", format, "-o", name_of(format))
    assert (made.exit_code, made.stdout) == (4, "")
    how = {
        "copy": "images copied", "embed": "images embedded", "reference": "images referenced",
    }[load_dataset_format(format).images[0]]  # fmt: skip
    assert masked(made.stderr) == (
        "Dataset    2 photos, 2 labels,\n"
        "Errors     1: truncated 1, in the results; omitted\n"
        "No label   1 photo; omitted (--keep-unlabelled writes them)\n"
        f"Written    {name_of(format)}, {format}, {how}"
    )
    back = invoke("convert", name_of(format), "-o", "back.csv")
    assert (back.exit_code, back.stdout) == (0, "")
    assert masked(back.stderr) == (
        f"Dataset    {name_of(format)}, {format}\nPhotos     2\nWritten    back.csv"
    )
    expected = list(read_results(results))[:2]
    found = list(read_results("back.csv"))
    if format == "captions":
        assert sorted(each.predictions[0].label for each in found) == ["sports car", "tabby"]
    else:
        assert found == expected
    printed = invoke("convert", name_of(format), "-f", "jsonl")
    assert [len(json.loads(line)["path"]) > 0 for line in printed.stdout.splitlines()] == [True] * 2


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["labels.csv"], None),
        (["nothing.csv", "-o", "x.csv"], "'nothing.csv' does not exist"),
        (["labels.csv", "-o", "x"], "unknown format of 'x': choose it with --to, such as --to im"),
        (["labels.csv", "--to", "coco"], "Missing option '-o': name the new dataset of format c"),
        (["labels.csv", "--to", "parquet"], "--to parquet is not text: write it to a file with"),
        (["labels.csv", "--to", "json", "-o", "x.csv"], "--to json contradicts the name 'x.csv'"),
        (["labels.csv", "-o", "labels.csv"], "'labels.csv' already exists\nOverwrite it with --f"),
        (["labels.csv", "-o", "labels.csv", "--force"], "'labels.csv' is also the input"),
        (["labels.csv", "--force"], "--force requires -o."),
        (["labels.csv", "-o", "x.csv", "--images", "copy"], "--images requires a dataset as outp"),
        (["labels.csv", "-o", "x.csv", "--prepend", "a"], "--prepend requires a dataset as outpu"),
        (["labels.csv", "-o", "x.csv", "--base", "photos"], "--base requires a dataset as INPUT"),
        (["labels.csv", "-o", "x.csv", "--paths", "original"], "--paths requires a dataset as IN"),
        (["-", "--from", "coco", "-o", "x.csv"], "--from cannot be combined with -: standard inp"),
        (["labels.csv", "--from", "coco", "-o", "x.csv"], "cannot read the dataset 'labels."),
        (["labels.csv", "--to", "coco", "-o", "x"], "'x' must end in .json: a coco dataset is one"),
        (["labels.csv", "--to", "coco", "-o", "photos"], "'photos' is a folder, but the format c"),
        (["labels.csv", "--to", "imagefolder", "-o", "x.json"], "'x.json' is named like a file,"),
        (["labels.csv", "--to", "imagefolder", "-o", "photos"], "'photos' already exists and is"),
        (["labels.csv", "--to", "imagefolder", "-o", "photos/x"], "'photos/x' is in "),
        (["labels.csv", "--to", "imagefolder", "-o", "no/x"], "cannot create 'no/x': the folder"),
        (["labels.csv", "--to", "imagefolder", "-o", "s3://b/x"], "cannot write a dataset to 's3"),
        (["labels.csv", "--to", "imagefolder", "-o", "x", "--force"], "--force would be ignored"),
        (["labels.csv", "--to", "imagefolder", "-o", "x", "--base", "no"], "--base: 'no' does no"),
        (["labels.csv", "--to", "imagefolder", "-o", "x", "--images", "embed"],
         "--images embed is not possible with imagefolder\nChoose copy, hardlink or symlink."),
        (["labels.csv", "--to", "coco", "-o", "x.json", "--blacklist", "a"],
         "--blacklist requires --to captions, not coco"),
        (["labels.csv", "--to", "coco", "-o", "x.json", "--creator", "a"],
         "--creator requires --to croissant, not coco"),
        (["labels.csv", "--to", "coco", "-o", "x.json", "--label-by", "node"],
         "'labels.csv' has no nodes\nUse --label-by label, or classify again with --rollup P."),
        (["photos", "-o", "x.csv"], "'photos' is not a folder of results or of a dataset that mn"),
        (["photos/notes.txt", "-o", "x.csv"], "'photos/notes.txt' is not a file of results or of"),
    ],
)  # fmt: skip
def test_usage_errors_name_the_option_and_write_nothing(
    results: str, photos: Path, invoke: Invoke, args: list[str], message: str | None
) -> None:
    before = sorted(photos.parent.rglob("*"))
    result = invoke("convert", *args)
    assert sorted(photos.parent.rglob("*")) == before
    if message is None:
        assert (result.exit_code, result.stdout) == (0, Path(results).read_text())
        return
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"Error: {message}" in result.stderr


def test_options_of_captions_change_the_texts(results: str, invoke: Invoke) -> None:
    result = invoke(
        "convert", results, "--to", "captions", "-o", "made", "--prepend", "photo", "--append",
        "best", "--blacklist", "Espresso", "--images", "hardlink", "-q",
    )  # fmt: skip
    assert (result.exit_code, result.stderr) == (4, "")
    assert Path("made/images/img2.txt").read_text() == "photo, tabby, best\n"
    assert os.path.samefile("made/images/img2.jpg", "photos/img2.jpg")


def test_category_is_the_label_and_photos_without_are_kept_on_request(
    results: str, invoke: Invoke
) -> None:
    args = ["convert", results, "--to", "imagefolder", "--label-by", "category"]
    assert invoke(*args, "-o", "some").exit_code == 4
    assert invoke(*args, "-o", "all", "--keep-unlabelled").exit_code == 4
    rows = [json.loads(line) for line in Path("all/metadata.jsonl").read_text().splitlines()]
    assert [row["label"] for row in rows] == ["cat", "", ""]
    assert len(Path("some/metadata.jsonl").read_text().splitlines()) == 1


def test_results_come_from_a_pipe(results: str, invoke: Invoke) -> None:
    content = Path(results).read_bytes()
    result = invoke("convert", "-", "--to", "coco", "-o", "made.json", input=content)
    assert result.exit_code == 4
    assert len(list(read_dataset("made.json"))) == 2
    result = invoke("convert", "-", "-f", "csv", input=content)
    assert (result.exit_code, result.stdout_bytes) == (0, content)


def test_dataset_becomes_another_dataset(results: str, invoke: Invoke) -> None:
    assert invoke("convert", results, "--to", "coco", "-o", "made.json").exit_code == 4
    result = invoke("convert", "made.json", "--to", "webdataset", "-o", "tars")
    assert result.exit_code == 0
    assert list(read_dataset("tars")) == list(read_dataset("made.json"))
    result = invoke("convert", "tars", "--to", "coco", "-o", "x.json", "--paths", "dataset")
    assert result.exit_code == 3
    assert "not a file on this machine 2" in result.stderr


def test_missing_photos_are_unreadable_and_named(results: str, invoke: Invoke) -> None:
    os.unlink("photos/img2.jpg")
    result = invoke("convert", results, "--to", "imagefolder", "-o", "made", "-q")
    assert (result.exit_code, result.stderr) == (
        4,
        "Error: photos/img2.jpg: no such file or directory\n",
    )
    os.unlink("photos/img10.png")
    result = invoke("convert", results, "--to", "imagefolder", "-o", "none")
    assert result.exit_code == 3 and not os.path.exists("none")
    assert "If the photos have moved, name their folder with --base DIR." in result.stderr
    made = invoke("convert", results, "--to", "coco", "-o", "made.json")
    assert "Warning: the size of 2 photos, missing or damaged, is unknown" in made.stderr
    back = invoke("convert", "made.json", "-o", "back.csv")
    assert back.exit_code == 0  # it refers to photos that may be elsewhere
    assert "photos/img2.jpg and 1 more do not exist here" in back.stderr


def test_only_results_and_datasets_are_told_apart_by_content(results: str, invoke: Invoke) -> None:
    invoke("convert", results, "--to", "imagefolder-csv", "-o", "made")
    invoke("convert", results, "--to", "coco", "-o", "coco.json")
    invoke("convert", results, "--to", "label-studio", "-o", "tasks.json")
    invoke("convert", results, "-o", "rows.json")
    shown = {
        "made": "Dataset    made, imagefolder-csv",
        "coco.json": "Dataset    coco.json, coco",
        "tasks.json": "Dataset    tasks.json, label-studio",
        "rows.json": "Photos     4 in",
        "made/metadata.csv": "Photos     2 in",
    }
    for path, line in shown.items():
        result = invoke("convert", path, "-o", "back.csv", "--force")
        assert result.stderr.startswith(line), path
        assert result.exit_code == 0
    Path("other.json").write_text('{"a": 1}')
    result = invoke("convert", "other.json", "-o", "x.csv")
    assert result.exit_code == 2 and "is not a file of results or of a dataset" in result.stderr
    Path("empty.json").write_text("[]\n")
    result = invoke("convert", "empty.json", "-o", "x.csv")
    assert result.exit_code == 3 and "'empty.json' has no photos" in result.stderr


def test_class_folders_become_labels_for_learning_and_pages(
    invoke: Invoke, fast: FakeEngine
) -> None:
    for i in range(12):
        draw(Path("photos", ("cat", "dog")[i % 2], f"{i}.png"), (10 + 100 * (i % 2) + i, 0, 0))
    result = invoke("convert", "photos", "-o", "labels.csv")
    assert result.exit_code == 0
    with open("labels.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["path"].split("/")[1], row["label_1"], row["score_1"]) for row in rows} == {
        ("cat", "cat", "1.0"),
        ("dog", "dog", "1.0"),
    }
    learned = invoke("learn", "--labels", "labels.csv", "-o", "mine.keras")
    assert "Learned 2 classes from 12 photos" in learned.stdout + learned.stderr, learned.stderr
    assert invoke("report", "labels.csv", "-o", "page.html").exit_code == 0
    measured = invoke("evaluate", "--labels", "labels.csv", "--json")
    assert json.loads(measured.stdout)["photos"] == 12, measured.stderr


@pytest.mark.parametrize("format", FORMATS)
def test_classify_writes_a_dataset_and_removes_its_rows(
    photos: Path, invoke: Invoke, format: str, fake_engine: FakeEngine
) -> None:
    result = invoke("classify", "photos", "-k", "2", "-f", format, "-o", name_of(format))
    assert (result.exit_code, result.stdout) == (0, "")
    assert "Images     3 in" in result.stderr and f"Written    {name_of(format)}" in result.stderr
    assert ".jsonl" not in result.stderr
    assert sorted(os.listdir()) == [name_of(format), "photos"]
    assert len(list(read_dataset(name_of(format)))) == 3


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["-f", "coco"], "Missing option '-o': name the new dataset of format coco."),
        (["-f", "coco", "-o", "x"], "'x' must end in .json"),
        (["-f", "coco", "-o", "x.json", "--long"], "--long cannot be combined with --format coco"),
        (["-f", "coco", "-o", "x.json", "--shard", "1/2"], "--shard cannot be combined with --fo"),
        (["-f", "coco", "-o", "x.json", "--csv-safe"], "--csv-safe cannot be combined with --for"),
        (["-f", "imagefolder", "-o", "x", "--force"], "--force would be ignored: imagefolder is "),
        (["-f", "imagefolder", "-o", "photos/x"], "'photos/x' is in the folder 'photos', which is"),
    ],
)
def test_classify_refuses_what_no_dataset_has(
    photos: Path, invoke: Invoke, args: list[str], message: str, fake_engine: FakeEngine
) -> None:
    result = invoke("classify", "photos", *args)
    assert result.exit_code == 2 and f"Error: {message}" in result.stderr
    assert os.listdir() == ["photos"] and not fake_engine.batches


def test_classify_of_single_photos_refuses_their_folder_before_it_starts(
    photos: Path, invoke: Invoke, fake_engine: FakeEngine
) -> None:
    result = invoke("classify", "photos/img2.jpg", "-f", "imagefolder", "-o", "photos/x")
    assert result.exit_code == 2 and "among the photos that it is made from" in result.stderr
    assert not fake_engine.batches
    beside = invoke("classify", "photos/img2.jpg", "-f", "coco", "-o", "photos/x.json")
    assert beside.exit_code == 0, beside.stderr


def test_classify_without_readable_photos_keeps_the_rows(
    tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, fake_engine: FakeEngine
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p").mkdir()
    Path("p/bad.jpg").write_text("hello")
    result = invoke("classify", "p/bad.jpg", "-f", "imagefolder", "-o", "made")
    assert result.exit_code == 3 and not os.path.exists("made")
    assert "The rows are in 'made.mnv2.jsonl': --resume continues from" in result.stderr
    again = invoke("classify", "p/bad.jpg", "-f", "imagefolder", "-o", "made")
    assert again.exit_code == 2 and "Continue it with --resume" in again.stderr
    draw(Path("p/bad.jpg"), (1, 0, 0))
    args = ["classify", "p/bad.jpg", "-f", "imagefolder", "-o", "made", "--resume"]
    done = invoke(*args, "--retry-errors")
    assert done.exit_code == 0, done.stderr
    assert sorted(os.listdir()) == ["made", "p"]


def test_interrupted_dataset_resumes_where_it_stopped(
    photos: Path, invoke: Invoke, fake_engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mnv2cli.inference.classifier as module

    monkeypatch.setattr(module, "open_engine", lambda *args, **options: Interrupted())
    args = ["classify", "photos", "-f", "coco", "-o", "made.json"]
    stopped = invoke(*args)
    assert stopped.exit_code == 130 and not os.path.exists("made.json")
    assert "Resume     mnv2 classify" in stopped.stderr or os.path.exists("made.json.mnv2.jsonl")
    monkeypatch.setattr(module, "open_engine", lambda *args, **options: fake_engine)
    result = invoke(*args, "--resume")
    assert result.exit_code == 0 and "Kept       " in result.stderr
    assert len(list(read_dataset("made.json"))) == 3
    assert sorted(os.listdir()) == ["made.json", "photos"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_killed_dataset_resumes_and_equals_an_uninterrupted_one(tmp_path: Path) -> None:
    for i in range(60):
        draw(tmp_path / "p" / f"{i}.bmp", (i, 0, 0), (4, 4))
    args = ["classify", str(tmp_path / "p"), "-q", "-f", "coco", "-o"]
    whole, made = tmp_path / "whole.json", tmp_path / "made.json"
    rows = tmp_path / "made.json.mnv2.jsonl"
    assert run_to_end(*args, str(whole)) == 0
    code, _ = run_and_signal([*args, str(made)], rows, 20, signal.SIGKILL)
    assert code == -signal.SIGKILL and not made.exists()
    assert run_to_end(*args, str(made), "--resume") == 0
    assert list(read_dataset(made)) == list(read_dataset(whole))
    assert sorted(os.listdir(tmp_path)) == ["made.json", "p", "whole.json"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of processes")
@pytest.mark.parametrize("format", ["coco", "imagefolder", "imagefolder-parquet", "webdataset"])
def test_full_disk_leaves_nothing(tmp_path: Path, format: str) -> None:
    records: list[Any] = []
    for i in range(40):
        path = draw(tmp_path / "p" / f"{i}.bmp", (i, 0, 0), (40, 40))
        records.append(labelled(str(path), ("tabby", 0.9)))
    results = write(tmp_path / "labels.csv", records)
    code = (
        "import resource as r, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "import mnv2cli.cli\n"
        "r.setrlimit(r.RLIMIT_FSIZE, (4000, 4000))\n"
        "mnv2cli.cli.run()\n"
    )
    dest = str(tmp_path / name_of(format))
    done = subprocess.run(
        [sys.executable, "-c", code, "convert", results, "--to", format, "-o", dest],
        capture_output=True, text=True, check=False, env=ENVIRONMENT,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("Error: cannot write ") and "Traceback" not in done.stderr
    assert sorted(os.listdir(tmp_path)) == ["labels.csv", "p"]


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux only")
def test_paths_that_are_not_utf8_are_counted(
    invoke: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    draw(tmp_path / "photos" / "a\udcff.png", (1, 2, 3))
    write(tmp_path / "labels.csv", [labelled("photos/a\udcff.png", ("tabby", 0.9))])
    result = invoke("convert", "labels.csv", "--to", "imagefolder", "-o", "ds")
    assert result.exit_code == 0, result.output
    assert "1 path: written with escapes such as \\xff" in result.stderr
