"""Options of the command agree with those of Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from mnv2cli.cli.classify import classify
from mnv2cli.images.options import DEFAULT_MAX_PIXELS, LONGEST_TIMEOUT, ImageOptions


def test_the_limits_are_the_same_on_the_command_line() -> None:
    options = {option.name: option for option in classify.params}
    assert options["max_pixels"].default == DEFAULT_MAX_PIXELS
    assert options["timeout"].type.max == LONGEST_TIMEOUT  # type: ignore[attr-defined]
    assert options["timeout"].default == ImageOptions().timeout


@pytest.mark.parametrize(
    "args",
    [
        ("classify", "photos"),
        ("sort", "photos", "--into", "out"),
        ("undo", "photos"),
        ("merge", "a.csv", "-o", "b.csv"),
    ],
)
def test_quiet_and_verbose_are_refused_together(
    photos: Path, invoke: Callable[..., Result], args: tuple[str, ...]
) -> None:
    result = invoke(*args, "-q", "-v")
    assert result.exit_code == 2 and not Path("out").exists()
    assert result.stderr.endswith("Error: --quiet cannot be combined with --verbose.\n")


@pytest.mark.parametrize("options", [[], ["-o", "-"]])
def test_force_without_a_file_is_refused(
    photos: Path, invoke: Callable[..., Result], options: list[str]
) -> None:
    result = invoke("classify", "photos", "--force", *options)
    assert result.exit_code == 2 and result.stdout == ""
    assert result.stderr.endswith("Error: --force requires -o or --report.\n")


@pytest.mark.parametrize("args", [("classify", "photos"), ("models", "path")])
def test_an_error_in_an_environment_variable_names_it(
    photos: Path,
    invoke: Callable[..., Result],
    monkeypatch: pytest.MonkeyPatch,
    args: tuple[str, ...],
) -> None:
    monkeypatch.setenv("MNV2_MODEL", "resnet")
    result = invoke(*args)
    assert result.exit_code == 2
    assert "for the environment variable MNV2_MODEL: 'resnet' is not one of" in result.stderr
    result = invoke("classify", "photos", "--model", "other")
    assert "for '--model': 'other' is not one of" in result.stderr


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (("photos",), "No such command 'photos'. Did you mean: mnv2 classify photos?"),
        (("my photos",), "No such command 'my photos'. Did you mean: mnv2 classify 'my photos'?"),
        (("help",), "No such command 'help'. Did you mean: mnv2 --help?"),
        (("help", "sort"), "No such command 'help'. Did you mean: mnv2 sort --help?"),
        (("models", "help"), "No such command 'help'. Did you mean: mnv2 models --help?"),
        (("classify", "-top", "3"), "No such option '-top'. Did you mean '--top'?"),
        (("classify", "-verbose"), "No such option '-verbose'. Did you mean '--verbose'?"),
        (("classify", "--cat"), "No such option '--cat'. Did you mean '--category'?"),
        (("classify", "-x"), "No such option '-x'."),
        (("classify", "--parquet"), "No such option '--parquet'. Use -f parquet."),
        (("merge", "--json"), "No such option '--json'. Use -f json."),
    ],
)
def test_what_users_type_first_leads_to_what_exists(
    photos: Path, invoke: Callable[..., Result], args: tuple[str, ...], error: str
) -> None:
    photos.with_name("my photos").mkdir()
    result = invoke(*args)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == f"Error: {error}"
