"""``mnv2 sort`` refuses options that it would ignore, and names the way out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import Result

from mnv2cli.cli.types import POSITIVE_SCORE, SCORE
from tests.conftest import FakeEngine, draw
from tests.sorting.trees import snapshot

Invoke = Callable[..., Result]


@pytest.fixture
def inputs(
    tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, fake_engine: FakeEngine
) -> Path:
    """Return a folder with a photo, results of it and a plan for it."""
    monkeypatch.chdir(tmp_path)
    draw(tmp_path / "photos" / "0.png", (0, 9, 0))
    draw(tmp_path / "weights" / "0.png", (0, 9, 0))
    for args in (
        ["classify", "photos", "-q", "--category", "--rollup", "0.5", "-o", "r.csv"],
        ["sort", "photos", "--into", "out", "--plan", "plan.csv"],
    ):
        result = invoke(*args)
        assert result.exit_code == 0, result.output
    return tmp_path


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (["--move"], "--move"),
        (["--copy"], "--copy"),
        (["--by", "label"], "--by"),
        (["--by", "category"], "--by"),  # a default, given explicitly
        (["--template", "{label}"], "--template"),
        (["--rollup", "0.5"], "--rollup"),
        (["--categories", "r.csv"], "--categories"),
        (["--threshold", "0.5"], "--threshold"),
        (["--min-margin", "0"], "--min-margin"),
        (["--min-count", "2"], "--min-count"),
        (["--plan", "new.csv"], "--plan"),
        (["--no-recursive"], "--no-recursive"),
        (["-0"], "--null"),
        (["--fit", "pad"], "--fit"),
        (["--isolate"], "--isolate"),
        (["--model", "mobilenet_v2"], "--model"),
        (["--threads", "1"], "--threads"),
    ],
)
def test_options_that_a_plan_decides_are_refused(
    inputs: Path, invoke: Invoke, options: list[str], name: str
) -> None:
    before = snapshot(inputs)
    result = invoke("sort", "--apply", "plan.csv", "--into", "out", *options)
    assert result.exit_code == 2 and snapshot(inputs) == before
    assert f"{name} cannot be combined with --apply: the plan decides" in result.stderr


def test_options_that_apply_to_a_plan_are_accepted(
    inputs: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MNV2_MODEL", "mobilenet_v2")  # not given on the command line
    args = ("sort", "--apply", "plan.csv", "--into", "out")
    assert invoke(*args, "--dry-run", "-v").exit_code == 0
    assert invoke(*args, "-q").exit_code == 0 and Path("out/fish/0.png").exists()


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (["--include", "*.jpg"], "--include"),
        (["--recursive"], "--recursive"),
        (["--fit", "crop"], "--fit"),
        (["--isolate"], "--isolate"),
        (["--timeout", "5"], "--timeout"),
        (["--alpha", "1.0"], "--alpha"),
        (["--refresh-weights"], "--refresh-weights"),
        (["--engine", "keras"], "--engine"),
        (["--batch-size", "1"], "--batch-size"),
        (["--template", "{year}", "--fit", "pad"], "--fit"),
    ],
)
def test_options_of_classifying_are_refused_for_results(
    inputs: Path, invoke: Invoke, options: list[str], name: str
) -> None:
    before = snapshot(inputs)
    result = invoke("sort", "--from", "r.csv", "--into", "out", *options)
    assert result.exit_code == 2 and snapshot(inputs) == before
    assert f"{name} cannot be combined with --from: no image is classified" in result.stderr


@pytest.mark.parametrize("option", ["--margin", "--min-margin"])
def test_the_former_name_of_the_margin_still_works(
    inputs: Path, invoke: Invoke, option: str
) -> None:
    for margin, folder in (("0.86", "unsure"), ("0.84", "fish")):
        shown = invoke("sort", "photos", "--into", "out", "--dry-run", f"{option}={margin}")
        assert shown.exit_code == 0 and f"└── {folder} " in shown.stdout
    assert "--margin" not in invoke("sort", "--help-all").stdout
    result = invoke("sort", "photos", "--into", "out", option, "80")
    assert "Invalid value for '--min-margin': " in result.stderr


def test_options_that_apply_to_results_are_accepted(inputs: Path, invoke: Invoke) -> None:
    args = ("sort", "--from", "r.csv", "--into", "out", "--dry-run")
    for options in (
        ["--move", "--by", "label", "--threshold", "0.5", "--min-margin", "0.1", "-v"],
        ["--template", "{year}/{label}", "--isolate", "--timeout", "5", "--min-count", "2"],
    ):
        result = invoke(*args, *options)
        assert result.exit_code == 0, result.output


@pytest.mark.parametrize("options", [["--by", "label"], ["--template", "{year}/{wnid}"]])
def test_categories_are_refused_for_folders_without_a_category(
    inputs: Path, invoke: Invoke, options: list[str]
) -> None:
    args = ("sort", "photos", "--into", "out", "--categories", "r.csv")
    result = invoke(*args, *options)
    assert result.exit_code == 2 and not Path("out", "0.png").exists()
    assert "--categories requires folders named by {category}: use --by category" in result.stderr


@pytest.mark.parametrize("option", ["-o", "--output", "--dest"])
def test_other_names_of_the_destination_lead_to_into(
    inputs: Path, invoke: Invoke, option: str
) -> None:
    result = invoke("sort", "photos", option, "x")
    assert result.exit_code == 2
    assert f"No such option '{option}'. The destination goes to --into.\n" in result.stderr


def test_only_one_method_is_accepted(inputs: Path, invoke: Invoke) -> None:
    before = snapshot(inputs)
    for one, other in (("--copy", "--move"), ("--move", "--symlink"), ("--hardlink", "--copy")):
        result = invoke("sort", "photos", "--into", "out", one, other)
        assert result.exit_code == 2 and snapshot(inputs) == before
        assert one in result.stderr and other in result.stderr
        assert "cannot be combined with" in result.stderr and "one method" in result.stderr


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["photos", "sorted"], "mnv2 sort photos --into sorted"),
        (["photos", "more photos", "x"], "mnv2 sort photos 'more photos' --into x"),
        (["photos"], "mnv2 sort photos --into sorted"),
        ([], "mnv2 sort PHOTOS --into sorted"),
        (["--from", "r.csv"], "mnv2 sort --from r.csv --into sorted"),
        (["--files-from", "r.csv"], "mnv2 sort --files-from r.csv --into sorted"),
        (["--apply", "plan.csv", "my photos"], "mnv2 sort --apply plan.csv --into 'my photos'"),
    ],
)
def test_a_missing_destination_shows_the_corrected_command(
    inputs: Path, invoke: Invoke, args: list[str], line: str
) -> None:
    result = invoke("sort", *args)
    assert result.exit_code == 2
    assert "Missing option '--into'" in result.stderr
    assert result.stderr.endswith(f"as in: {line}\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("80", "for 80%, use 0.8."),
        ("50%", "for 50%, use 0.5."),
        ("0.5%", "for 0.5%, use 0.005."),
        ("100", "for 100%, use 1."),
        ("1.5", "'1.5' is not a number from 0 to 1."),
        ("-1", "'-1' is not a number from 0 to 1."),
        ("101%", "'101%' is not a number from 0 to 1."),
        ("nan", "'nan' is not a number from 0 to 1."),
        ("half", "'half' is not a number from 0 to 1."),
    ],
)
def test_percentages_are_refused_with_the_score_to_use(
    inputs: Path, invoke: Invoke, text: str, message: str
) -> None:
    for option in ("--threshold", "--min-margin", "--rollup"):
        result = invoke("sort", "photos", "--into", "out", f"{option}={text}")
        assert result.exit_code == 2 and not Path("out").exists()
        assert f"Invalid value for '{option}': " in result.stderr and message in result.stderr


def test_scores_are_numbers_from_0_to_1() -> None:
    for text, score in (("0", 0.0), ("1", 1.0), ("0.25", 0.25), (" .5 ", 0.5), (1, 1.0)):
        assert SCORE.convert(text, None, None) == score
    with pytest.raises(click.BadParameter, match="must be above 0"):
        POSITIVE_SCORE.convert("0", None, None)


@pytest.mark.parametrize("command", ["sort", "undo", "labels"])
def test_help_fits_one_screen(invoke: Invoke, command: str) -> None:
    shown = invoke(command, "--help", terminal_width=80).stdout.splitlines()
    assert len(shown) <= 40 and max(map(len, shown)) <= 80
    if command == "sort":
        assert "score of their folder's name" in " ".join(" ".join(shown).split())
