"""``mnv2 find`` as users type it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.conftest import FakeEngine, draw
from tests.reporting.results_files import labelled, write
from tests.sorting.trees import snapshot

Invoke = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("fake_engine")


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache, for a network that has no weights here."""
    monkeypatch.setattr("mnv2cli.inference.feature_store.cache_key", lambda classifier: "fake")
    monkeypatch.setenv("MNV2_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder ``photos``: two fish, a bird with a sidecar, and a text file."""
    monkeypatch.chdir(tmp_path)
    photos = tmp_path / "photos"
    draw(photos / "tench.png", (0, 9, 0))
    draw(photos / "shark.png", (2, 1, 0))
    draw(photos / "brambling.png", (10, 200, 0))
    (photos / "brambling.xmp").write_text("notes")
    return photos


@pytest.mark.parametrize(
    ("args", "found"),
    [
        (["fish", "photos"], ["shark", "tench"]),
        (["fish", "in", "photos"], ["shark", "tench"]),
        (["fish", "bird", "in", "photos"], ["shark", "brambling", "tench"]),
        (["fish", "photos/tench.png", "photos/brambling.png"], ["tench"]),
        (["tench", "photos", "-n", "1"], ["tench"]),
        (["node:shark", "photos"], ["shark"]),
        (["--unsure", "photos", "--min-score", "0.92"], ["brambling", "tench"]),
        (["--unsure", "in", "photos", "--min-score", "0.92", "-n", "1"], ["brambling"]),
    ],
)
def test_paths_of_found_photos_are_printed_the_likeliest_first(
    folder: Path, invoke: Invoke, args: list[str], found: list[str]
) -> None:
    result = invoke("find", *args)
    assert result.exit_code == 0, result.output
    listed = result.stdout.splitlines()
    if "--unsure" in args:  # equal scores
        assert {*listed} <= {"photos/brambling.png", "photos/tench.png"}
        assert len(listed) == len(found)
    else:
        assert listed == [f"photos/{name}.png" for name in found]
    assert "3 searched" in result.stderr or "2 searched" in result.stderr


def test_a_summary_says_how_many_photos_the_limit_left_out(folder: Path, invoke: Invoke) -> None:
    limited = " ".join(invoke("find", "fish", "photos", "-n", "1").stderr.split())
    assert "Found 1 of 2 matching photos (--limit), 3 searched" in limited
    whole = " ".join(invoke("find", "fish", "photos", "-n", "2").stderr.split())
    assert "Found 2 photos, 3 searched" in whole


def test_paths_end_with_nul_on_request(folder: Path, invoke: Invoke) -> None:
    draw(folder / "a\nb.png", (1, 9, 0))
    result = invoke("find", "goldfish", "photos", "-0")
    assert result.stdout_bytes == b"photos/a\nb.png\0"


@pytest.mark.parametrize("format", ["csv", "json", "jsonl"])
def test_other_formats_have_path_name_score_and_label(
    folder: Path, invoke: Invoke, format: str
) -> None:
    result = invoke("find", "fish", "photos", "-f", format, "-n", "1")
    if format == "csv":
        head, row = result.stdout.splitlines()
        assert head == "path,what,score,label"
        assert row.startswith("photos/shark.png,fish,0.95")
        return
    row = json.loads(result.stdout)
    row = row[0] if format == "json" else row
    assert (row["path"], row["what"]) == ("photos/shark.png", "fish")
    assert (round(row["score"], 6), row["label"]) == (0.95, "great white shark")


def test_a_list_is_written_to_a_file_and_not_over_one(folder: Path, invoke: Invoke) -> None:
    assert invoke("find", "fish", "photos", "-o", "fish.txt").exit_code == 0
    assert Path("fish.txt").read_text() == "photos/shark.png\nphotos/tench.png\n"
    assert invoke("find", "bird", "photos", "-o", "fish.txt").exit_code == 2
    assert invoke("find", "bird", "photos", "-o", "fish.txt", "--force").exit_code == 0
    assert Path("fish.txt").read_text() == "photos/brambling.png\n"
    assert invoke("find", "fish", "photos", "-o", "fish.csv", "-0").exit_code == 2


@pytest.mark.parametrize("method", ["copy", "symlink", "hardlink"])
def test_photos_are_put_into_a_folder_and_it_is_undone(
    folder: Path, tmp_path: Path, invoke: Invoke, method: str
) -> None:
    before = snapshot(tmp_path)
    result = invoke("find", "bird", "photos", f"--{method}-to", "birds")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "1 photo and 1 companion into birds" in result.stderr
    placed = sorted(path.name for path in (tmp_path / "birds").iterdir())
    assert placed == [".mnv2", "brambling.png", "brambling.xmp"]
    assert (tmp_path / "birds" / "brambling.png").is_symlink() == (method == "symlink")
    assert invoke("undo", "birds").exit_code == 0
    assert snapshot(tmp_path) == before


def test_nothing_is_overwritten_and_a_second_run_does_nothing(
    folder: Path, tmp_path: Path, invoke: Invoke
) -> None:
    (tmp_path / "fish").mkdir()
    (tmp_path / "fish" / "tench.png").write_text("mine")
    assert invoke("find", "fish", ".", "--copy-to", "fish", "-q").exit_code == 0
    assert (tmp_path / "fish" / "tench.png").read_text() == "mine"
    placed = snapshot(tmp_path / "fish")
    assert "fish/tench (2).png" in {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")}
    again = invoke("find", "fish", ".", "--copy-to", "fish")
    assert again.exit_code == 0 and "nothing new for fish" in again.stderr
    assert snapshot(tmp_path / "fish") == placed


def test_exit_codes_tell_what_happened(folder: Path, tmp_path: Path, invoke: Invoke) -> None:
    none = invoke("find", "violin", "photos", "-o", "v.txt", "--copy-to", "v")
    assert none.exit_code == 3 and "no photo of violin found: 3 photos" in none.stderr
    assert not Path("v.txt").exists() and not Path("v").exists()
    (tmp_path / "empty").mkdir()
    assert "no images found" in invoke("find", "fish", "empty").stderr
    assert invoke("find", "fish", "empty").exit_code == 3
    (folder / "bad.jpg").write_text("text")
    result = invoke("find", "fish", "photos")
    assert result.exit_code == 4 and "Unreadable 1: not an image 1" in result.stderr
    assert len(result.stdout.splitlines()) == 2
    near = invoke("find", "bird", "photos", "--min-score", "0.99")
    assert "The likeliest is photos/brambling.png with a score of 0.9" in near.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "Say what to find, and where, as in: mnv2 find dog photos"),
        (["photos"], "Say what to find in 'photos', as in: mnv2 find dog photos"),
        (["fish"], "Say where to find 'fish', as in: mnv2 find fish photos"),
        (["--unsure"], "as in: mnv2 find --unsure photos"),
        (["in", "photos"], "as in: mnv2 find dog in photos"),
        (["fish", "in"], "after 'in', as in: mnv2 find fish photos"),
        (["fish", "bird", "photos"], "mnv2 find fish bird in photos"),
        (["photos", "fish"], "What to find comes first: mnv2 find fish photos"),
        (["--unsure", "fish", "in", "photos"], "omit fish, or --unsure"),
        (["fish", "photos", "--by", "label"], "--by requires --unsure"),
        (["fishes", "photos"], "'fishes' is not a category, a label or a node"),
        (["birds", "photos"], "Did you mean 'bird'?"),
        (["dgo", "photos"], "Did you mean 'dog'?"),
        (["potters wheel", "photos"], 'Did you mean "potter\'s wheel"?'),
        (["shepherd", "photos"], "Names with this word: German shepherd"),
        (["fish", "nowhere"], "No such file or folder: 'nowhere'"),
        (["fish", "photos", "-0", "-f", "csv"], "cannot be combined with --format"),
        (["fish", "photos", "--copy-to", "a", "--symlink-to", "b"], "choose one method"),
        (["fish", "photos", "--copy-to", "photos/brambling.png"], "is a file: name a folder"),
        (["fish", "photos", "--category", "x"], "Name it first"),
        (["fish", "photos", "--force"], "--force requires -o"),
    ],
)
def test_usage_errors_show_what_to_type_before_the_model_is_loaded(
    folder: Path, invoke: Invoke, fake_engine: FakeEngine, args: list[str], message: str
) -> None:
    result = invoke("find", *args)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not fake_engine.batches


def test_a_folder_may_have_the_name_of_a_label(folder: Path, invoke: Invoke) -> None:
    folder.rename("fish")
    result = invoke("find", "fish", "fish", "-n", "1")
    assert result.stdout == "fish/shark.png\n"


def test_several_meanings_are_said_on_stderr(folder: Path, invoke: Invoke) -> None:
    result = invoke("find", "bird", "photos")
    assert "Finding bird by category (57 classes); also possible: node:bird" in result.stderr
    assert "also possible" not in invoke("find", "node:bird", "photos").stderr
    assert invoke("find", "bird", "photos", "-q").stderr == ""


def test_results_are_searched_from_a_file_and_from_a_pipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, invoke: Invoke, fake_engine: FakeEngine
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [
        labelled("a/1.jpg", ("tabby", 0.6), ("espresso", 0.3)),
        labelled("b/2.jpg", ("tabby", 0.9), ("espresso", 0.05)),
    ]
    results = write(tmp_path / "r.csv", rows)
    assert invoke("find", "tabby", "--from", results).stdout == "b/2.jpg\na/1.jpg\n"
    assert invoke("find", "tabby", "a", "--from", results).stdout == "a/1.jpg\n"
    piped = invoke("find", "tabby", "--from", "-", input=Path(results).read_bytes())
    assert piped.stdout == "b/2.jpg\na/1.jpg\n"
    assert invoke("find", "tabby", "c", "--from", results).exit_code == 3
    assert invoke("find", "taby", "--from", results).exit_code == 2
    size = invoke("find", "tabby", "--from", results, "--fit", "pad")
    assert size.exit_code == 2 and "cannot be combined with --from" in size.stderr
    assert not fake_engine.batches


@pytest.mark.usefixtures("folder")
def test_each_meaning_of_a_name_is_shown_once(invoke: Invoke) -> None:
    result = invoke("find", "crane", "crane", "in", "photos")
    assert result.stderr.splitlines()[0] == (
        "Finding crane by label (2 classes); also possible: crane (n02012849), crane (n03126707)."
    )
    assert invoke("find", "N01482330", "photos").stdout == "photos/shark.png\n"
