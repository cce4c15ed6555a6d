"""``mnv2 tag`` as users type it: keywords in sidecars and photos, and undo of both."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.cli.fish import THEIRS, fish_with_sidecar, words
from tests.conftest import FakeEngine, Interrupted, draw
from tests.sorting.trees import snapshot

Invoke = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("fake_engine")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder ``photos``: three fish, a snake with a sidecar, and no image."""
    monkeypatch.chdir(tmp_path)
    return fish_with_sidecar(tmp_path)


def sidecars(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.xmp"))


def test_sidecars_get_category_and_label_and_undo_restores_everything(
    folder: Path, tmp_path: Path, invoke: Invoke
) -> None:
    before = snapshot(tmp_path)
    result = invoke("tag", "photos")
    assert result.exit_code == 4 and result.stdout == ""  # one image cannot be read
    assert sidecars(folder) == ["0.png.xmp", "1.png.xmp", "2.png.xmp", "3.xmp"]
    assert words(folder / "0.png.xmp") == ("fish", "tench")
    assert words(folder / "3.xmp") == ("holiday", "reptile", "night snake")
    after = snapshot(folder, journals=False)
    assert all(after[name] == before[name] for name in after if name.endswith((".png", ".jpg")))
    assert "left  photos/bad.jpg: not an image: a text file" in result.stderr
    assert "To undo    mnv2 undo photos\n" in result.stderr
    assert invoke("undo", "photos").exit_code == 0
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("options", [[], ["-v"], ["--refresh"], ["--hierarchy"]])
def test_a_dry_run_changes_nothing(
    folder: Path, tmp_path: Path, invoke: Invoke, options: list[str]
) -> None:
    before = snapshot(tmp_path)
    result = invoke("tag", "photos", "--dry-run", *options)
    assert result.exit_code == 4 and "fish  3" in result.stdout
    assert "│   ├── goldfish  1" in result.stdout and "night snake  1" in result.stdout
    assert (
        "nothing was changed: 4 photos, 6 keywords, into 3 new sidecars and 1 sidecar; 1 left"
        in (result.stdout)
    )
    assert ("photos/0.png.xmp  fish, tench\n" in result.stdout) == ("-v" in options)
    assert snapshot(tmp_path) == before


def test_tagged_photos_are_not_classified_again(
    folder: Path, invoke: Invoke, fake_engine: FakeEngine
) -> None:
    (folder / "bad.jpg").unlink()
    assert invoke("tag", "photos").exit_code == 0
    fake_engine.batches.clear()
    again = invoke("tag", "photos")
    assert again.exit_code == 0 and fake_engine.batches == []
    assert again.stderr == (
        "Tagged     nothing new in photos\n"
        "Skipped    4 photos tagged already; to tag again, add --refresh\n"
    )
    draw(folder / "new" / "4.png", (0, 9, 0))
    more = invoke("tag", "photos")
    assert "1 photo with 2 keywords, 1 new sidecar" in more.stderr
    assert sum(fake_engine.batches) == 1
    assert "mnv2 undo photos\n" in more.stderr  # not that of the subfolder
    assert invoke("undo", "photos").exit_code == 0
    assert not (folder / "new" / "4.png.xmp").exists() and (folder / "0.png.xmp").exists()


def test_refresh_replaces_and_remove_removes_only_what_mnv2_wrote(
    folder: Path, tmp_path: Path, invoke: Invoke, fake_engine: FakeEngine
) -> None:
    assert invoke("tag", "photos", "-q").exit_code == 4
    result = invoke("tag", "photos", "--refresh", "--prefix", "auto/", "--what", "label")
    assert result.exit_code == 4
    assert "4 photos with 4 keywords, 4 sidecars changed" in result.stderr
    assert words(folder / "0.png.xmp") == ("auto/tench",)
    assert words(folder / "3.xmp") == ("holiday", "auto/night snake")
    fake_engine.batches.clear()
    result = invoke("tag", "photos", "--remove")
    assert result.exit_code == 0 and fake_engine.batches == []
    assert "Removed    keywords of 4 photos, 1 sidecar changed, 3 sidecars removed" in result.stderr
    assert "Skipped    1 photo without keywords of mnv2" in result.stderr
    assert sidecars(folder) == ["3.xmp"] and (folder / "3.xmp").read_text() == THEIRS
    assert "nothing new in photos" in invoke("tag", "photos", "--remove").stderr
    assert invoke("undo", "photos").exit_code == 0
    assert words(folder / "0.png.xmp") == ("auto/tench",)


def test_a_preview_of_removing_names_the_files(folder: Path, invoke: Invoke) -> None:
    invoke("tag", "photos", "-q")
    result = invoke("tag", "photos", "--remove", "--dry-run", "-v")
    assert result.exit_code == 0
    assert "photos/3.xmp  keywords removed\n" in result.stdout
    assert (
        "4 photos, keywords removed from 4 sidecars; 1 without keywords of mnv2." in result.stdout
    )


def test_tags_come_from_results(folder: Path, invoke: Invoke, fake_engine: FakeEngine) -> None:
    invoke("classify", "photos", "-q", "--category", "-o", "r.csv")
    fake_engine.batches.clear()
    result = invoke("tag", "--from", "r.csv")
    assert result.exit_code == 4 and fake_engine.batches == []
    assert words(folder / "1.png.xmp") == ("fish", "goldfish")
    assert "Errors     1 image not tagged" in result.stderr
    assert "To undo    mnv2 undo photos\n" in result.stderr
    quiet = invoke("tag", "--from", "r.csv", "-q")
    assert quiet.exit_code == 4
    assert quiet.stderr == "Error: photos/bad.jpg: not an image: a text file\n"


def test_results_without_categories_give_labels_and_one_warning(
    folder: Path, invoke: Invoke
) -> None:
    invoke("classify", "photos", "-q", "-o", "r.jsonl")
    result = invoke("tag", "--from", "r.jsonl", "-q")
    assert words(folder / "1.png.xmp") == ("goldfish",)
    assert result.stderr.splitlines()[0] == (
        "Warning: r.jsonl has no categories, so only labels are written; to get them, classify "
        "again with --category"
    )
    assert result.stderr.count("Warning") == 1
    result = invoke("tag", "--from", "r.jsonl", "--what", "label", "-q")
    assert "Warning" not in result.stderr
    result = invoke("tag", "--from", "r.jsonl", "--what", "category")
    assert result.exit_code == 2
    assert "Error: r.jsonl has no categories: use --what label, or classify" in result.stderr


def test_relative_paths_of_results_from_elsewhere_are_explained(
    folder: Path, tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoke("classify", "photos", "-q", "--category", "-o", "r.csv")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    result = invoke("tag", "--from", "../r.csv")
    assert result.exit_code == 4
    assert "run mnv2 tag there" in result.stderr
    assert not (tmp_path / "elsewhere" / "photos").exists()


def test_an_edited_plan_is_applied(folder: Path, tmp_path: Path, invoke: Invoke) -> None:
    before = snapshot(folder)
    result = invoke("tag", "photos", "--plan", "plan.csv")
    assert result.exit_code == 4 and snapshot(folder) == before
    assert result.stderr.splitlines()[-2:] == [
        "Wrote the plan to plan.csv: 4 photos, 6 keywords, into 3 new sidecars and 1 sidecar; "
        "1 left as it is.",
        "To apply it: mnv2 tag --apply plan.csv",
    ]
    text = (tmp_path / "plan.csv").read_text()
    (tmp_path / "plan.csv").write_text(text.replace("tench", "a fine tench"))
    result = invoke("tag", "--apply", "plan.csv")
    assert result.exit_code == 0
    assert words(folder / "0.png.xmp") == ("fish", "a fine tench")
    assert invoke("undo", "photos").exit_code == 0
    assert snapshot(folder) == before


def test_lists_choose_and_rename_keywords(folder: Path, invoke: Invoke) -> None:
    Path("mine.toml").write_text('[tags]\nblock = ["fish"]\nrename = { tench = "Schleie" }\n')
    assert invoke("tag", "photos", "--categories", "mine.toml", "-q").exit_code == 4
    assert words(folder / "0.png.xmp") == ("Schleie",)
    invoke("classify", "photos", "-q", "--category", "-o", "r.csv")
    result = invoke("tag", "--from", "r.csv", "--categories", "mine.toml", "--refresh", "-q")
    assert result.exit_code == 4
    Path("mine.toml").write_text('[tags]\nblock = ["fish"]\n[fish]\nname = "Fisch"\n')
    result = invoke("tag", "--from", "r.csv", "--categories", "mine.toml")
    assert result.exit_code == 2 and "cannot be combined with --from" in result.stderr
    assert "The section [tags] can be used." in result.stderr


def test_photos_without_a_certain_label_get_no_sidecar(folder: Path, invoke: Invoke) -> None:
    result = invoke("tag", "photos", "--threshold", "0.97")
    assert sidecars(folder) == ["3.xmp"]
    assert "Tagged     nothing new in photos\n" in result.stderr
    assert "Unsure     4 photos: no label scores 0.97; to accept any score, add" in result.stderr
    assert result.stderr.count("left  ") == 1  # of bad.jpg
    assert not (folder / ".mnv2").exists()


def test_a_folder_without_images_is_exit_code_3(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "notes.txt").write_text("a")
    for options in ([], ["--remove"], ["--embed"], ["--dry-run"]):
        result = invoke("tag", tmp_path, *options, env={"PATH": os.environ["PATH"]})
        if result.exit_code == 2 and "ExifTool" in result.stderr:
            continue
        assert result.exit_code == 3 and "no images found" in result.stderr


def test_a_damaged_sidecar_is_left_alone(folder: Path, invoke: Invoke) -> None:
    (folder / "bad.jpg").unlink()
    (folder / "0.png.xmp").write_text("<x:xmpmeta")
    result = invoke("tag", "photos")
    assert result.exit_code in (1, 4)
    assert "0.png.xmp" in result.stderr and (folder / "0.png.xmp").read_text() == "<x:xmpmeta"
    assert words(folder / "1.png.xmp") == ("fish", "goldfish")


def test_a_folder_that_cannot_be_written_is_exit_code_1(
    folder: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".mnv2").write_text("a file")
    result = invoke("tag", "photos", "-q")
    assert result.exit_code in (1, 2) and "it is not a folder" in result.stderr
    assert sidecars(folder) == ["3.xmp"]


def test_an_interrupt_while_classifying_changes_nothing(
    folder: Path, tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "mnv2cli.inference.classifier.open_engine", lambda *args, **kwargs: Interrupted()
    )
    before = snapshot(tmp_path)
    result = invoke("tag", "photos")
    assert result.exit_code == 130
    assert "Stopped before tagging: no file was changed." in result.stderr
    assert snapshot(tmp_path) == before


def test_embedding_without_exiftool_is_refused_before_anything_is_classified(
    folder: Path, invoke: Invoke, fake_engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    result = invoke("tag", "photos", "--embed")
    assert result.exit_code == 2 and fake_engine.batches == []
    assert result.stderr.startswith("Error: ExifTool is not installed\n")
    assert "nstall" in result.stderr.splitlines()[1] and len(result.stderr.splitlines()) == 2


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_hostile_names_are_tagged_and_shown_harmlessly(
    tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = [b"-v.png", b"a\nb.png", b"\x1b[31mred.png", b"caf\xe9.png", b"{x}, y;.png", b"'.png"]
    made = draw(tmp_path / "a.png", (0, 9, 0)).read_bytes()
    (tmp_path / "a.png").unlink()
    for name in names:
        Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name))).write_bytes(made)
    before = snapshot(tmp_path)
    shown = invoke("tag", ".", "--dry-run", "-v")
    assert shown.exit_code == 0 and "\x1b[31m" not in shown.stdout
    result = invoke("tag", ".")
    assert result.exit_code == 0, result.output
    assert "To undo    mnv2 undo .\n" in result.stderr
    for name in names:
        assert Path(os.fsdecode(name + b".xmp")).exists(), name
    assert invoke("tag", ".", "--remove", "-q").exit_code == 0
    assert invoke("tag", ".", "--plan", "plan.csv", "-q").exit_code == 0
    assert invoke("tag", "--apply", "plan.csv", "-q").exit_code == 0
    assert words(os.fsdecode(b"caf\xe9.png.xmp")) == ("fish", "tench")
    (tmp_path / "plan.csv").unlink()
    for _ in range(3):
        assert invoke("undo", ".").exit_code == 0
    assert snapshot(tmp_path) == before


def test_tagging_by_results_imports_no_heavy_library(tmp_path: Path) -> None:
    draw(tmp_path / "a.jpg")
    (tmp_path / "r.csv").write_text(
        f"path,status,label_1,wnid_1,score_1,error\n{tmp_path}/a.jpg,ok,tench,n01440764,0.9,\n"
    )
    code = (
        "import sys\nfrom mnv2cli.cli import main\n"
        f"try: main(['tag', '--from', '{tmp_path}/r.csv', '--what', 'label'])\n"
        "except SystemExit as e: print(int(e.code), 'MODULES', *sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    modules = result.stdout.split()
    assert modules[0] == "0" and words(tmp_path / "a.jpg.xmp") == ("tench",)
    assert not {"numpy", "pandas", "keras", "tensorflow", "PIL", "lxml"} & set(modules)


def test_a_raw_photo_that_comes_later_is_tagged_as_its_photo(
    folder: Path, invoke: Invoke, fake_engine: FakeEngine
) -> None:
    (folder / "bad.jpg").unlink()
    assert invoke("tag", "photos", "-q").exit_code == 0
    (folder / "0.dng").write_bytes(b"raw")
    fake_engine.batches.clear()
    result = invoke("tag", "photos")
    assert sum(fake_engine.batches) == 1
    assert "Tagged     1 photo with 2 keywords, 1 new sidecar" in result.stderr
    assert words(folder / "0.dng.xmp") == ("fish", "tench")
    assert "4 photos tagged already" in result.stderr
    assert "nothing new" in invoke("tag", "photos").stderr
