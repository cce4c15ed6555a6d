from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import Result

from mnv2cli.cli.classify_job import _count
from mnv2cli.cli.terminal.text import printable, shorten
from mnv2cli.errors import Mnv2Error, WeightsError
from mnv2cli.sources.options import Filters
from tests.conftest import Interrupted, draw

Invoke = Callable[..., Result]

pytestmark = pytest.mark.usefixtures("fake_engine")


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_folder_becomes_csv_on_stdout(photos: Path, invoke: Invoke) -> None:
    result = invoke("classify", "photos", "--top", "2")
    assert result.exit_code == 0
    rows = table(result.stdout)
    assert list(rows[0]) == [
        "path", "status", "label_1", "wnid_1", "score_1", "label_2", "wnid_2", "score_2", "error",
        "model",
    ]  # fmt: skip
    assert [row["path"] for row in rows] == [
        "photos/img2.jpg", "photos/img10.png", "photos/sub/img1.webp",
    ]  # fmt: skip
    assert rows[1]["label_1"] == "brambling" and rows[1]["wnid_1"] == "n01530575"
    assert {row["model"] for row in rows} == {"mobilenet_v2_1.0_224"}
    assert rows[1]["score_1"] == "0.9" and rows[1]["score_2"] == "0.05"
    assert "Images     3 in" in result.stderr and "Skipped    1: no image suffix 1" in result.stderr


def test_quiet_shows_nothing_if_all_images_are_readable(photos: Path, invoke: Invoke) -> None:
    assert invoke("classify", "photos", "-q").stderr == ""


def test_verbose_shows_skipped_and_unreadable_files(photos: Path, invoke: Invoke) -> None:
    (photos / "bad.jpg").write_bytes(b"")
    result = invoke("classify", "photos", "-v")
    assert "skipped    photos/notes.txt: no image suffix" in result.stderr
    assert "unreadable photos/bad.jpg: empty file: zero bytes" in result.stderr
    assert "loading    MobileNetV2 1.0 (224 x 224)" in result.stderr


def test_quiet_shows_each_unreadable_image_as_an_error(photos: Path, invoke: Invoke) -> None:
    (photos / "bad.jpg").write_bytes(b"")
    (photos / "sub" / "text.png").write_text("hello")
    result = invoke("classify", "photos", "-q", "-o", "labels.csv")
    assert result.exit_code == 4
    assert result.stderr == (
        "Error: photos/bad.jpg: empty file: zero bytes\n"
        "Error: photos/sub/text.png: not an image: a text file\n"
    )


@pytest.mark.parametrize(
    "option", ["--categories", "--weights", "--files-from", "", "hard link", "symbolic link"]
)
def test_results_never_overwrite_a_file_that_is_read(
    photos: Path, invoke: Invoke, option: str
) -> None:
    text = '[cats]\nadd = ["cat"]\n'
    Path("read.csv").write_text(text)
    output = "read.csv"
    args = [option, "read.csv"] if option.startswith("--") else ["read.csv"]
    if option.endswith("link"):
        output = "link.csv"
        make = os.link if option.startswith("hard") else os.symlink
        make("read.csv", output)
    result = invoke("classify", "photos", *args, "-o", output, "--force")
    assert result.exit_code == 2
    assert "Error: The results would overwrite the input 'read.csv'." in result.stderr
    assert Path("read.csv").read_text() == text


def test_unreadable_images_are_rows_and_exit_4(photos: Path, invoke: Invoke) -> None:
    (photos / "bad.jpg").write_bytes(b"GIF89a")
    result = invoke("classify", "photos")
    assert result.exit_code == 4
    assert [row["status"] for row in table(result.stdout)] == ["error", "ok", "ok", "ok"]
    assert "Unreadable 1: damaged 1" in result.stderr


@pytest.mark.parametrize("format", ["csv", "json", "jsonl", "parquet"])
def test_the_output_file_has_the_format_of_its_suffix(
    photos: Path, invoke: Invoke, format: str
) -> None:
    result = invoke("classify", "photos", "-o", f"out.{format}")
    assert (result.exit_code, result.stdout) == (0, "")
    path = Path(f"out.{format}")
    if format == "csv":
        paths = [row["path"] for row in table(path.read_text())]
    elif format == "parquet":
        paths = pq.read_table(path)["path"].to_pylist()
    elif format == "json":
        paths = [item["path"] for item in json.loads(path.read_text())]
    else:
        paths = [json.loads(line)["path"] for line in path.read_text().splitlines()]
    assert paths == ["photos/img2.jpg", "photos/img10.png", "photos/sub/img1.webp"]
    assert f"Written    out.{format}" in result.stderr


def test_format_overrides_the_suffix(photos: Path, invoke: Invoke) -> None:
    assert invoke("classify", "photos", "-o", "out.txt", "-f", "json").exit_code == 0
    assert len(json.loads(Path("out.txt").read_text())) == 3


def test_long_writes_a_row_for_each_rank(photos: Path, invoke: Invoke) -> None:
    result = invoke("classify", "photos", "--long", "-k", "3")
    assert [row["rank"] for row in table(result.stdout)] == ["1", "2", "3"] * 3


def test_labels_below_the_minimum_score_are_omitted(photos: Path, invoke: Invoke) -> None:
    rows = table(invoke("classify", "photos", "--min-score", "0.5", "-k", "2").stdout)
    assert all(row["label_1"] and not row["label_2"] for row in rows)


def test_table_shows_labels_errors_and_minimum_scores(photos: Path, invoke: Invoke) -> None:
    (photos / "img3.jpg").write_text("text")
    result = invoke("classify", "photos", "-f", "table", "-k", "2")
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["Labels", "by", "mobilenet_v2_1.0_224"]
    assert lines[1] == ["Image", "Label", "Score"]
    assert lines[2][:6] == ["photos/img2.jpg", "great", "white", "shark", "90.0", "%"]
    assert ["ostrich", "5.0", "%"] in [line[:3] for line in lines]
    assert "not an image: a text file" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80
    result = invoke("classify", "photos", "-f", "table", "--min-score", "0.95")
    assert "no label reaches the minimum score" in result.stdout


def test_lists_are_read_from_a_file_or_stdin(photos: Path, invoke: Invoke) -> None:
    Path("list").write_text("photos/img10.png\n\nphotos/img2.jpg\nmissing.jpg\n")
    for args, data in [(["list"], ""), (["-"], Path("list").read_text())]:
        result = invoke("classify", "--files-from", *args, input=data)
        assert [row["path"] for row in table(result.stdout)] == [
            "photos/img10.png", "photos/img2.jpg", "missing.jpg",
        ]  # fmt: skip
        assert result.exit_code == 4
    result = invoke("classify", "-0", "--files-from", "-", input=b"photos/img2.jpg\0photos/sub\0")
    assert [row["path"] for row in table(result.stdout)] == [
        "photos/img2.jpg", "photos/sub/img1.webp",
    ]  # fmt: skip


def test_paths_and_lists_can_be_combined(photos: Path, invoke: Invoke) -> None:
    result = invoke("classify", "photos/sub", "--files-from", "-", input="photos\n")
    assert len(table(result.stdout)) == 3


def test_globs_and_patterns_select_images(photos: Path, invoke: Invoke) -> None:
    rows = table(invoke("classify", "photos/*.png").stdout)
    assert [row["path"] for row in rows] == ["photos/img10.png"]
    rows = table(invoke("classify", "photos", "--exclude", "sub", "--include", "*.JPG").stdout)
    assert [row["path"] for row in rows] == ["photos/img2.jpg"]
    rows = table(invoke("classify", "photos", "--no-recursive", "--all-files").stdout)
    assert [row["status"] for row in rows] == ["ok", "ok", "error"]


def test_a_missing_path_among_others_is_a_row(photos: Path, invoke: Invoke) -> None:
    result = invoke("classify", "gone.jpg", "photos/img2.jpg")
    assert result.exit_code == 4
    assert [row["error"] for row in table(result.stdout)] == ["no such file", ""]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "Name images or folders"),
        (("nowhere",), "No such file or folder: 'nowhere'."),
        (("nowhere", "nor", "here"), "No such file or folder: 'nowhere' (and 2 more)."),
        (("photos", "-0"), "--files-from"),
        (("photos", "--top", "0"), "--top"),
        (("photos", "--top", "1001"), "--top"),
        (("photos", "--min-score", "-0.1"), "--min-score"),
        (("photos", "--min-score", "80"), "use 0.8."),
        (("photos", "--rollup", "50%"), "use 0.5."),
        (("photos", "--threshold", "0.5"), "--threshold was renamed: use --min-score."),
        (("photos", "-f", "json", "-o", "x.csv"), "use --format csv, or a name that ends in .json"),
        (("photos", "-f", "csv", "-o", "x.JSONL", "--force"), "use --format jsonl, or a name"),
        (("photos", "--retry-errors", "-o", "x.csv"), "--retry-errors requires --resume."),
        (("photos", "--fit", "fill"), "--fit"),
        (("photos", "--alpha", "1.3", "--size", "96"), "no weights are published"),
        (("photos", "--size", "223"), "no weights are published"),
        (("photos", "--weights", "none.h5"), "none.h5"),
        (("photos", "--batch-size", "0"), "--batch-size"),
        (("photos", "-o", "out.xls"), "does not end in .csv, .json"),
        (("photos", "-o", "no/out.csv"), "the folder 'no' does not exist"),
        (("photos", "-o", "photos/img2.jpg", "-f", "csv", "--force"), "named like an image"),
        (("photos", "-o", "out.csv", "-f", "table"), "--format table is for terminals"),
        (("photos", "-f", "parquet"), "--format parquet is not text"),
        (("photos", "--long", "-f", "json"), "--long requires csv or parquet"),
        (("photos", "--files-from", "l.csv", "-o", "l.csv", "--force"), "overwrite the input"),
        (
            ("photos", "--engine", "keras", "--precision", "int8"),
            "--precision int8 requires --engine litert",
        ),
        (("photos", "--calibrate", "photos"), "--calibrate requires --precision int8"),
        (("photos", "--files-from", "none"), "none"),
        (("photos", "--nonsense"), "--nonsense"),
    ],
)
def test_usage_errors_exit_2_before_the_network_loads(
    photos: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch,
    args: tuple[str, ...], message: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(
        "mnv2cli.inference.classifier.open_engine", lambda *_, **__: pytest.fail("loaded")
    )
    Path("l.csv").write_text("photos/img2.jpg")
    result = invoke("classify", *args)
    assert result.exit_code == 2
    assert Path("l.csv").read_text() == "photos/img2.jpg"
    assert message in result.stderr and result.stdout == ""
    assert "Traceback" not in result.stderr


def test_an_output_that_exists_is_refused_without_force(
    photos: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("out.csv").write_text("old")
    with monkeypatch.context() as patch:
        patch.setattr(
            "mnv2cli.inference.classifier.open_engine", lambda *_, **__: pytest.fail("loaded")
        )
        result = invoke("classify", "photos", "-o", "out.csv")
    assert result.exit_code == 2 and "Overwrite it with --force" in result.stderr
    assert Path("out.csv").read_text() == "old"
    assert invoke("classify", "photos", "-o", "out.csv", "--force").exit_code == 0
    assert len(table(Path("out.csv").read_text())) == 3


def test_no_images_exit_3_before_the_network_loads(
    photos: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "mnv2cli.inference.classifier.open_engine", lambda *_, **__: pytest.fail("loaded")
    )
    (photos / "empty").mkdir()
    result = invoke("classify", "photos/empty", "-o", "out.csv")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == "Error: no images found\nThe inputs contain no files.\n"
    assert not Path("out.csv").exists()
    result = invoke("classify", "photos", "--include", "*.gif", "--exclude", "img1*")
    assert result.exit_code == 3 and "To try every file, add --all-files." in result.stderr
    assert invoke("classify", "photos/*.gif").exit_code == 3
    assert invoke("classify", "--files-from", "-", input="").exit_code == 3


def test_a_failure_exits_1_with_its_message(
    photos: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise WeightsError("the weights are not here", "Fetch them.")

    monkeypatch.setattr("mnv2cli.inference.classifier.open_engine", fail)
    Path("out.csv").write_text("old")
    result = invoke("classify", "photos", "-o", "out.csv", "--force")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: the weights are not here\nFetch them.\n"
    assert Path("out.csv").read_text() == "old"


def test_interrupt_exits_130_with_a_readable_file(
    photos: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mnv2cli.inference.classifier.open_engine", lambda *_, **__: Interrupted())
    result = invoke("classify", "photos", "-o", "out.json")
    assert result.exit_code == 130
    assert len(json.loads(Path("out.json").read_text())) == 2
    assert "Images     2 in " in result.stderr and ", then interrupted" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_list_that_is_not_text_is_refused(photos: Path, invoke: Invoke) -> None:
    result = invoke("classify", "photos", "--files-from", "-", input=b"x" * 100_000)
    assert result.exit_code == 2 and "longer than any path" in result.stderr


def test_the_progress_total_is_counted_until_stopped(photos: Path) -> None:
    from threading import Event

    stopping = Event()
    assert _count(("photos",), Filters(), None, stopping) == 3
    stopping.set()
    assert _count(("photos",), Filters(), None, stopping) is None


def test_control_characters_in_names_are_escaped(photos: Path, invoke: Invoke) -> None:
    name = os.fsdecode(b"\x1b[2Jclear\n\xff.jpg")
    draw(photos / name, (5, 5, 5))
    result = invoke("classify", "photos", "-f", "table", "-v")
    assert "\x1b" not in result.stdout + result.stderr
    assert r"\x1b[2Jclear\n\xff.jpg" in result.stdout


def test_text_is_made_printable_and_short() -> None:
    assert printable("caf\u00e9 \u732b") == "caf\u00e9 \u732b"
    assert printable("a\u202eb\u200b") == r"a\u202eb\u200b"
    assert shorten("photos/2024/a.jpg", 9) == "…24/a.jpg"
    assert shorten("\u732b\u732b\u732b", 5) == "…\u732b\u732b"


def test_version_and_help_are_printed(invoke: Invoke) -> None:
    from mnv2cli import __version__

    assert invoke("--version").stdout == f"mnv2 {__version__}\n"
    assert "mnv2 classify photos -o labels.csv" in invoke("--help").stdout


def test_the_text_of_an_error_is_its_message_and_hint() -> None:
    assert str(Mnv2Error("a", "b")) == "a\nb" and str(Mnv2Error("a")) == "a"
