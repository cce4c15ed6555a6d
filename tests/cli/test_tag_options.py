"""``mnv2 tag`` refuses options that it would ignore, and names the way out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from mnv2cli.tagging.xmp.read import read_keywords
from tests.conftest import FakeEngine, draw
from tests.learning.learned_models import use_colours, write_model
from tests.sorting.trees import snapshot

Invoke = Callable[..., Result]


@pytest.fixture
def inputs(
    tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, fake_engine: FakeEngine
) -> Path:
    """Return a folder with a photo, results of it and a plan for it."""
    monkeypatch.chdir(tmp_path)
    draw(tmp_path / "photos" / "0.png", (0, 9, 0))
    for args in (
        ["classify", "photos", "-q", "--category", "-o", "r.csv"],
        ["tag", "photos", "--plan", "plan.csv"],
    ):
        result = invoke(*args)
        assert result.exit_code == 0, result.output
    return tmp_path


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["photos", "--from", "r.csv"], "PATH, --from and --apply cannot be combined"),
        (["photos", "--apply", "plan.csv"], "PATH, --from and --apply cannot be combined"),
        (["--from", "r.csv", "--apply", "plan.csv"], "PATH, --from and --apply cannot"),
        (["--files-from", "r.csv", "--from", "r.csv"], "PATH, --from and --apply cannot"),
        ([], "Name images or folders, or a list of them with --files-from."),
        (["nowhere"], "nowhere"),
        (["photos", "-0"], "-0/--null requires --files-from."),
        (["photos", "--dry-run", "--plan", "p.csv"], "--dry-run cannot be combined with --plan"),
        (["photos", "--plan", "plan.csv"], "'plan.csv' already exists: name another file"),
        (["photos", "--plan", "gone/p.csv"], "'gone/p.csv': the folder 'gone' does not exist"),
        (["photos", "--prefix", "auto|"], "'auto|' has '|', which separates levels"),
        (["photos", "--refresh", "--remove"], "--refresh cannot be combined with --remove"),
        (["photos", "--touch"], "--touch requires --embed"),
        (
            ["photos", "--embed", "--sidecar-style", "photo.xmp"],
            "--sidecar-style cannot be combined with --embed",
        ),
        (["https://example.org/a.jpg"], "cannot tag 'https://example.org/a.jpg': it is not on"),
        (["photos", "--into", "x"], "Sidecars go beside their photos"),
        (["photos", "--max-tags", "0"], "Invalid value for '--max-tags'"),
        (["photos", "--threshold", "80"], "for 80%, use 0.8"),
        (["photos", "--what", "node"], "Invalid value for '--what'"),
    ],
)
def test_options_that_cannot_be_combined_are_refused(
    inputs: Path, invoke: Invoke, args: list[str], error: str
) -> None:
    before = snapshot(inputs)
    result = invoke("tag", *args)
    assert result.exit_code == 2 and snapshot(inputs) == before
    assert error in result.stderr


@pytest.mark.parametrize(
    "options",
    [
        ["--embed"],
        ["--refresh"],
        ["--remove"],
        ["--what", "label"],
        ["--threshold", "0.5"],
        ["--max-tags", "1"],
        ["--hierarchy"],
        ["--touch"],
        ["--prefix", ""],
        ["--categories", "r.csv"],
        ["--sidecar-style", "photo.jpg.xmp"],
        ["--plan", "new.csv"],
        ["--no-recursive"],
        ["-0"],
        ["--fit", "pad"],
        ["--model", "mobilenet_v2"],
        ["--threads", "1"],
    ],
)
def test_options_that_a_plan_decides_are_refused(
    inputs: Path, invoke: Invoke, options: list[str]
) -> None:
    before = snapshot(inputs)
    result = invoke("tag", "--apply", "plan.csv", *options)
    assert result.exit_code == 2 and snapshot(inputs) == before
    name = "--null" if options == ["-0"] else options[0]
    assert f"{name} cannot be combined with --apply: the plan decides" in result.stderr


@pytest.mark.parametrize(
    "options",
    [
        ["--include", "*.jpg"],
        ["--recursive"],
        ["--fit", "crop"],
        ["--isolate"],
        ["--alpha", "1.0"],
        ["--refresh-weights"],
        ["--engine", "keras"],
        ["--batch-size", "1"],
    ],
)
def test_options_of_classifying_are_refused_for_results(
    inputs: Path, invoke: Invoke, options: list[str]
) -> None:
    result = invoke("tag", "--from", "r.csv", *options)
    assert result.exit_code == 2
    assert f"{options[0]} cannot be combined with --from: no image is class" in result.stderr


@pytest.mark.parametrize(
    "options",
    [
        ["--what", "label"],
        ["--threshold", "0.5"],
        ["--max-tags", "1"],
        ["--prefix", "auto/"],
        ["--hierarchy"],
        ["--categories", "r.csv"],
        ["--sidecar-style", "photo.xmp"],
        ["--accurate"],
        ["--fit", "crop"],
        ["--threads", "1"],
    ],
)
def test_options_of_writing_are_refused_for_removing(
    inputs: Path, invoke: Invoke, options: list[str]
) -> None:
    result = invoke("tag", "photos", "--remove", *options)
    assert result.exit_code == 2
    assert f"{options[0]} cannot be combined with --remove: no keyword is wr" in result.stderr


def test_a_model_from_the_environment_is_not_refused(
    inputs: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MNV2_MODEL", "mobilenet_v2")  # not given on the command line
    for args in (["--apply", "plan.csv"], ["--from", "r.csv"], ["photos", "--remove"]):
        assert invoke("tag", *args, "--dry-run", "-v").exit_code in (0, 3)


@pytest.fixture
def own_model(inputs: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a model with the classes red, green and blue; green requires 0.99."""
    use_colours(monkeypatch)
    draw(inputs / "photos" / "1.png", (150, 9, 0))
    draw(inputs / "photos" / "2.png", (130, 150, 0))
    (inputs / "photos" / "0.png").unlink()
    return write_model(inputs / "mine.keras", thresholds={"green": 0.99})


def test_a_model_of_the_user_writes_its_labels_from_its_own_thresholds(
    own_model: Path, invoke: Invoke
) -> None:
    result = invoke("tag", "photos", "--model", "mine.keras")
    assert result.exit_code == 0, result.output
    assert read_keywords(Path("photos/1.png.xmp").read_bytes()).subjects == ("red",)
    assert not Path("photos/2.png.xmp").exists()
    assert "Unsure     1 photo: no label scores 0.99; " in result.stderr
    assert invoke("tag", "photos", "--model", "mine.keras", "--threshold", "0.5").exit_code == 0
    assert read_keywords(Path("photos/2.png.xmp").read_bytes()).subjects == ("green",)


def test_a_model_of_the_user_has_no_categories(own_model: Path, invoke: Invoke) -> None:
    args = ("tag", "photos", "--model", "mine.keras")
    for what in ("category", "both"):
        result = invoke(*args, "--what", what)
        assert result.exit_code == 2
        assert (
            f"--what {what} requires ImageNet's classes, and mine.keras has its own"
            in result.stderr
        )
    Path("mine.toml").write_text('[tags]\nrename = { red = "rot" }\n[fish]\nname = "Fisch"\n')
    result = invoke(*args, "--categories", "mine.toml")
    assert result.exit_code == 2 and "The section [tags] can be used." in result.stderr
    Path("mine.toml").write_text('[tags]\nrename = { red = "rot" }\n')
    assert invoke(*args, "--categories", "mine.toml", "--what", "label").exit_code == 0
    assert read_keywords(Path("photos/1.png.xmp").read_bytes()).subjects == ("rot",)


def test_a_file_of_lists_that_is_not_valid_is_refused(inputs: Path, invoke: Invoke) -> None:
    Path("mine.toml").write_text('[tags]\nblok = ["fish"]\n')
    result = invoke("tag", "photos", "--categories", "mine.toml")
    assert result.exit_code == 2 and "did you mean 'block'?" in result.stderr


@pytest.mark.parametrize("args", [["photos"], ["--from", "results.csv"]])
def test_names_of_the_lists_that_no_keyword_can_have_are_warned_of(
    inputs: Path, invoke: Invoke, args: list[str]
) -> None:
    assert invoke("classify", "photos", "-q", "--category", "-o", "results.csv").exit_code == 0
    Path("mine.toml").write_text(
        '[tags]\nblock = ["tenhc", "FISH", "animal"]\nrename = { "xyzzy" = "x" }\n'
    )
    result = invoke("tag", *args, "-q", "--categories", "mine.toml")
    assert result.exit_code == 0
    assert result.stderr == (
        "Warning: [tags] has 'tenhc', which is not a label, category or node; "
        "did you mean 'tench'?\n"
        "Warning: [tags] has 'xyzzy', which is not a label, category or node\n"
    )
