"""Values of config files reach commands, below the command line and variables."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from mnv2cli.cli import main
from mnv2cli.cli.config.options import (
    CONDITIONS,
    ONLY_USER,
    PER_COMMAND,
    SHARED,
    all_commands,
    key_of,
    settable,
)
from tests.conftest import FakeEngine

Invoke = Callable[..., Result]


@pytest.fixture(autouse=True)
def user(photos: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Read config files; the user's does not exist yet."""
    folder = photos.parent / "user"
    folder.mkdir()
    monkeypatch.setenv("MNV2_CONFIG_DIR", str(folder))
    monkeypatch.delenv("MNV2_NO_CONFIG")
    monkeypatch.delenv("MNV2_MODEL", raising=False)
    return folder / "mnv2.toml"


def shown(invoke: Invoke, *args: str) -> dict[tuple[str, str], tuple[Any, str, int | None]]:
    result = invoke("config", "show", *args, "--json")
    assert result.exit_code == 0, result.stderr
    return {
        (row["command"], row["option"]): (row["value"], Path(row["origin"]).name, row["line"])
        for row in json.loads(result.stdout)
    }


def rows(result: Result) -> int:
    assert result.exit_code == 0, result.stderr
    return len(json.loads(result.stdout.splitlines()[0])["predictions"])


def test_each_layer_counts_before_the_ones_below(
    fake_engine: FakeEngine, invoke: Invoke, user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ("classify", "photos", "-q", "-f", "jsonl")
    assert rows(invoke(*run)) == 5
    user.write_text("[classify]\ntop = 4\n")
    assert rows(invoke(*run)) == 4
    assert shown(invoke)["classify", "top"] == (4, "mnv2.toml", 2)
    Path("pyproject.toml").write_text("\n[tool.mnv2.classify]\ntop = 3\n")
    assert rows(invoke(*run)) == 3
    assert shown(invoke)["classify", "top"] == (3, "pyproject.toml", 3)
    Path("mnv2.toml").write_text("classify.top = 6\n")
    assert rows(invoke(*run)) == 6
    assert shown(invoke)["classify", "top"] == (6, "mnv2.toml", 1)
    monkeypatch.setenv("MNV2_CLASSIFY_TOP", "2")
    assert rows(invoke(*run)) == 2
    assert shown(invoke)["classify", "top"] == (2, "MNV2_CLASSIFY_TOP", None)
    assert rows(invoke(*run, "--top", "1")) == 1
    monkeypatch.delenv("MNV2_CLASSIFY_TOP")
    assert rows(invoke("--no-config", *run)) == 5
    assert rows(invoke(*run, "--no-config")) == 5
    monkeypatch.setenv("MNV2_NO_CONFIG", "1")
    assert rows(invoke(*run)) == 5
    assert shown(invoke, "classify", "--all")["classify", "top"] == (5, "default", None)


def test_table_of_a_command_counts_before_shared_keys(invoke: Invoke) -> None:
    Path("mnv2.toml").write_text("size = 96\n[sort]\nsize = 128\n[models.download]\nsize = 160\n")
    values = shown(invoke)
    assert values["classify", "size"] == (96, "mnv2.toml", 1)
    assert values["sort", "size"] == (128, "mnv2.toml", 3)
    assert values["models download", "size"] == (160, "mnv2.toml", 5)


def test_shared_variable_applies_to_each_command(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MNV2_THREADS", "3")
    monkeypatch.setenv("MNV2_EXCLUDE", "*.tmp *.bak")
    monkeypatch.setenv("MNV2_MODEL", "efficientnet_lite0")
    values = shown(invoke)
    assert values["classify", "threads"] == values["sort", "threads"] == (3, "MNV2_THREADS", None)
    assert values["tag", "exclude"] == (["*.tmp", "*.bak"], "MNV2_EXCLUDE", None)
    assert values["tag", "model"] == ("efficientnet_lite0", "MNV2_MODEL", None)
    monkeypatch.setenv("MNV2_THREADS", "many")
    result = invoke("classify", "photos")
    assert result.exit_code == 2
    assert "the environment variable MNV2_THREADS: 'many' is not a valid" in result.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tops = 3", "line 1: unknown key 'tops'. Did you mean 'top'?"),
        ("top = 3", "line 1: 'top' must be in the table of a command, such as [classify]"),
        ("[classify]\ntopp = 3", "line 2: unknown key 'topp' in [classify]. Did you mean 'top'?"),
        ("[clasify]", "line 1: unknown table [clasify]. Did you mean 'classify'?"),
        ("classify = 3", "line 1: 'classify' must be a table, as in [classify]"),
        ('[classify]\ntop = "x"', 'line 2: top = "x": expected a whole number'),
        ("[classify]\ntop = true", "line 2: top = true: expected a whole number"),
        ("[classify]\ntop = 0", "line 2: top = 0: 0 is not in the range"),
        ("[classify]\nmin_score = 40", "line 2: min_score = 40: scores are 0 to 1"),
        ('recursive = "no"', 'line 1: recursive = "no": expected true or false'),
        ('exclude = "a"', 'line 1: exclude = "a": expected a list of texts'),
        ("fit = 3", "line 1: fit = 3: expected a text in quotes"),
        ("[classify]\noutput = 'a'", "line 2: 'output' cannot be set in a config file: a run"),
        ("[classify]\nresume = true", "line 2: 'resume' cannot be set in a config file: it bel"),
        ("force = true", "line 1: 'force' cannot be set in a config file: files would be"),
        ("weights = 'a.h5'", "line 1: 'weights' cannot be set by the config file of a folder"),
        ("model = './a.keras'", "'./a.keras' opens a model file"),
        ("model = 'mobilnet_v2'", "Did you mean 'mobilenet_v2'?"),
        ("max-pixels = 1", "line 1: 'max-pixels' cannot be set by the config file of a folder"),
        ("[classify]\ntop = {a = 1}", "line 2: top = {a = 1}: expected a whole number"),
        ("[classify]\ntop = {}", "line 2: top = {}: expected a whole number"),
        ("[classify.other]", "line 1: unknown table [classify.other]"),
        ("quiet = {}", "line 1: 'quiet' is an option, not a table"),
        ("threshold = 0.5", "'threshold' must be in the table of a command, such as [sort]"),
        ("val = 0.5", "'val' must be in the table of a command, such as [split]"),
        ("categories = '../own.toml'", "line 1: 'categories' cannot be set by the config file of"),
        ("categories = '~/own.toml'", "it opens a file elsewhere"),
        ("categories = 'link.toml'", "it opens a file elsewhere"),
        ("[classify]\ntop = 0x" + "f" * 6_000, "line 2: the number of 'top' is too large"),
        ("a = 1\n[", "line 2: not TOML"),
    ],
)
def test_invalid_file_is_one_clear_line(invoke: Invoke, text: str, message: str) -> None:
    Path("mnv2.toml").write_text(text)
    Path("link.toml").symlink_to(Path.cwd().parent / "user" / "own.toml")
    result = invoke("classify", "photos")
    assert result.exit_code == 2
    assert message in result.stderr.splitlines()[0]
    assert result.stderr.startswith(f"Error: {Path.cwd() / 'mnv2.toml'}")
    assert len(result.stderr.splitlines()) == 2
    assert invoke("config", "show").exit_code == 2
    assert invoke("classify", "--help").exit_code == 0
    assert invoke("--no-config", "classify", "--help-all").exit_code == 0
    assert invoke("config", "path").exit_code == 0


def test_table_of_another_command_is_checked_by_show_alone(
    fake_engine: FakeEngine, invoke: Invoke
) -> None:
    Path("mnv2.toml").write_text("[sort]\nthresold = 0.4\n")
    assert invoke("classify", "photos").exit_code == 0
    result = invoke("config", "show")
    assert result.exit_code == 2
    assert "line 2: unknown key 'thresold' in [sort]. Did you mean 'threshold'?" in result.stderr


def test_project_file_is_announced_unless_quiet(
    fake_engine: FakeEngine, invoke: Invoke, user: Path
) -> None:
    user.write_text("hidden = true\n")
    assert "Using" not in invoke("classify", "photos").stderr
    Path("mnv2.toml").write_text("quiet = true\n[classify]\ntop = 3\n")
    assert invoke("classify", "photos").stderr == "Using mnv2.toml: quiet, top.\n"
    assert invoke("classify", "photos", "-q").stderr == ""


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("quiet = true", ("classify", "photos", "--verbose")),
        ("verbose = true", ("classify", "photos", "--quiet")),
        ("[classify]\nformat = 'table'", ("classify", "photos", "-o", "a.csv")),
        ("[classify]\nformat = 'jsonl'", ("classify", "photos", "-o", "a.csv")),
        ("[classify]\nlong = true", ("classify", "photos", "-o", "a.jsonl")),
        ("csv-safe = true", ("classify", "photos", "-f", "jsonl")),
        ("pairs = 'both'", ("duplicates", "photos", "--exact")),
        ("[duplicates]\nthreshold = 0.9", ("duplicates", "photos", "--exact")),
        ("[sort]\nby = 'label'", ("sort", "photos", "--into", "s", "--template", "{category}")),
        ("[sort]\ntemplate = '{year}'", ("sort", "photos", "--into", "s", "--by", "label")),
        ("[sort]\nrollup = 0.5", ("sort", "photos", "--into", "s", "--by", "label")),
        ("[sort]\nby = 'label'", ("sort", "photos", "--into", "s", "--rollup", "0.5")),
        ("threads = 2", ("sort", "photos", "--into", "s", "--dry-run")),
    ],
)
def test_config_value_gives_way_to_what_was_typed(
    fake_engine: FakeEngine, invoke: Invoke, text: str, args: tuple[str, ...]
) -> None:
    Path("mnv2.toml").write_text(text)
    result = invoke(*args)
    assert result.exit_code == 0, result.stderr


VALUES = {
    "by": "'label'", "categories": "'own.toml'", "category": "true", "csv-safe": "true",
    "embed": "true", "format": "'jsonl'", "images": "'embed'", "label-by": "'category'",
    "max-tags": "2", "min-margin": "0.5", "min-score": "0.5", "move": "true",
    "replace-underscores": "true", "rollup": "0.3", "shard-size": "2", "template": "'{label}'",
    "top": "2", "unknown": "true",
}  # fmt: skip
"""A value for keys that do not apply to every line of their command."""


@pytest.mark.parametrize(
    "line",
    [
        "select r.csv --paths", "select r.csv -0", "select r.csv --max-score 0.4",
        "select r.csv --status error", "select r.csv -f csv", "select r.csv --label fish",
        "select r.csv --sql", "find fish photos", "find fish photos -0", "find --unsure photos",
        "find fish photos -o a.csv", "find fish photos --copy-to dogs", "find fish --from r.csv",
        "watch empty --into s --once", "watch empty --into s --once --by label",
        "watch empty --tag --once", "watch empty -o w.jsonl --once",
        "convert r.csv -o c.json --to coco", "convert r.csv -o d --to imagefolder",
        "convert r.csv -o c.jsonl", "split d0 --into s --no-near",
        "split r.csv --into s --no-near",
        "sort photos --into s --rollup 0.5", "sort --from r.csv --into s",
        "classify photos --long -o a.csv", "tag photos --dry-run",
    ],
)  # fmt: skip
def test_no_single_value_breaks_a_line_that_works(
    fake_engine: FakeEngine, invoke: Invoke, user: Path, tmp_path: Path, line: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("mnv2cli.inference.feature_store.cache_key", lambda classifier: "fake")
    monkeypatch.setenv("MNV2_CACHE", str(tmp_path / "cache"))
    (user.parent / "own.toml").write_text('[spaniels]\nnodes = ["spaniel"]\n')
    assert invoke("classify", "photos", "--category", "-o", "r.csv").exit_code in (0, 4)
    assert invoke("convert", "r.csv", "-o", "d0", "--to", "imagefolder").exit_code in (0, 4)
    args = [*line.split(), *(["select label from results"] if line.endswith("--sql") else [])]
    begin = Path.cwd()
    (begin / "empty").mkdir()
    command = main.get_command(click.Context(main), args[0])
    assert command is not None
    keys = VALUES.keys() & settable(command)
    if "--tag" in args or args[0] == "tag":
        keys -= {"embed"}  # it applies, and needs ExifTool
    for key in ["", *sorted(keys)]:
        user.write_text(f"[{args[0]}]\n{key} = {VALUES[key]}\n" if key else "")
        monkeypatch.chdir(shutil.copytree(begin, tmp_path / f"run-{key}"))
        result = invoke(*args)
        assert result.exit_code in (0, 3, 4), (key, result.stderr)


def test_filters_of_the_user_do_not_break_learning_from_a_list(invoke: Invoke, user: Path) -> None:
    user.write_text("exclude = ['*.tmp']\n")
    Path("labels.csv").write_text("path,label\n")
    result = invoke("learn", "--labels", "labels.csv", "-o", "m.keras")
    assert result.exit_code == 3 and "no photos" in result.stderr
    result = invoke("learn", "--labels", "labels.csv", "-o", "m.keras", "--exclude", "x")
    assert result.exit_code == 2 and "cannot be combined with --labels" in result.stderr


@pytest.mark.parametrize("method", ["--copy", "--symlink"])
def test_method_of_the_user_gives_way(
    fake_engine: FakeEngine, invoke: Invoke, user: Path, method: str
) -> None:
    user.write_text("[sort]\nmove = true\n")
    assert invoke("sort", "photos", "--into", "s", method).exit_code == 0
    assert Path("photos/img2.jpg").exists()
    assert invoke("sort", "photos", "--into", "t").exit_code == 0
    assert not Path("photos/img2.jpg").exists()


def test_typed_model_leaves_the_options_of_the_configured_one(
    invoke: Invoke, user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user.write_text('model = "mobilenet_v2"\nalpha = 0.5\nsize = 96\n')
    assert shown(invoke)["classify", "alpha"][0] == 0.5
    monkeypatch.setenv("MNV2_MODEL", "efficientnet_lite0")
    assert ("classify", "alpha") not in shown(invoke)


def test_error_from_a_config_value_names_file_and_line(invoke: Invoke) -> None:
    Path("mnv2.toml").write_text("[tag]\nwhat = 'category'\nprecision = 'int8'\n[sort]\nsize = 7\n")
    result = invoke("sort", "photos", "--into", "s", "--dry-run")
    assert result.exit_code == 2, result.stderr
    assert f"--size is set in {Path.cwd() / 'mnv2.toml'}, line 5." in result.stderr


def test_relative_paths_start_in_the_folder_of_the_file(
    fake_engine: FakeEngine, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("own.toml").write_text('[[categories]]\nname = "x"\nnodes = ["dog"]\n')
    Path("mnv2.toml").write_text('categories = "own.toml"\n')
    monkeypatch.chdir("photos")
    value = shown(invoke)["classify", "categories"][0]
    assert Path(value) == Path.cwd().parent / "own.toml"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[models]\nalpha = 1.0",
            "line 2: there is no command for [models]. Did you mean 'models.",
        ),
        ("[models.downlod]", "line 1: unknown table [models.downlod]. Did you mean 'models.down"),
        ("[split]\nval = true", "line 2: val = true: expected a share such as 0.1"),
        ("[split]\nval = 7.5", "line 2: val = 7.5: '7.5' is neither a share such as 0.1 nor a"),
        ("[split]\ngroup-by = '((a+)+)+!'", "line 2: 'group-by' cannot be set by the config file"),
    ],
)
def test_show_checks_all_tables(invoke: Invoke, text: str, message: str) -> None:
    Path("mnv2.toml").write_text(text)
    result = invoke("config", "show")
    assert result.exit_code == 2
    assert message in result.stderr


def test_share_can_be_a_number_or_a_percentage(invoke: Invoke) -> None:
    Path("mnv2.toml").write_text("[split]\nval = 0.2\ntest = '5%'\n")
    values = shown(invoke)
    assert (values["split", "val"][0], values["split", "test"][0]) == (0.2, "5%")
    Path("mnv2.toml").write_text("[split]\nval = 3\n")
    result = invoke("split", "photos", "--into", "sets", "--no-near", "--dry-run")
    assert "3 for val and 0.1 for test" in result.stderr


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("MNV2_CLASSIFY_TOP", "abc", "'abc' is not a valid value: expected a whole number"),
        ("MNV2_CLASSIFY_TOP", "0", "0 is not in the range"),
        ("MNV2_CLASSIFY_QUIET", "maybe", "'maybe' is not a valid value: expected true or false"),
        ("MNV2_NO_CONFIG", "maybe", "'maybe' is not a valid value: expected true or false"),
    ],
)
def test_variable_of_another_type_is_an_error(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch, name: str, text: str, message: str
) -> None:
    monkeypatch.setenv(name, text)
    result = invoke("classify", "photos")
    assert result.exit_code == 2
    assert f"the environment variable {name}: {message}" in result.stderr


def test_error_that_quotes_a_key_does_not_explain_it(invoke: Invoke, user: Path) -> None:
    user.write_text("[split]\ntest = '10%'\n")
    result = invoke("split", "test", "--into", "sets")
    assert result.exit_code == 2
    assert "'test'" in result.stderr
    assert "is set in" not in result.stderr


def test_user_file_applies_in_its_own_folder(
    fake_engine: FakeEngine, invoke: Invoke, user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user.write_text("max-pixels = 1000000\n")
    photos = Path("photos").resolve()
    monkeypatch.chdir(user.parent)
    result = invoke("classify", str(photos))
    assert result.exit_code == 0, result.stderr
    assert "Using" not in result.stderr
    assert invoke("config", "path").stdout.splitlines()[-1] == f"used     {user}"


def test_path_lists_places_and_their_state(invoke: Invoke, user: Path) -> None:
    user.write_text("[broken")
    Path("mnv2.toml").write_text("")
    Path("pyproject.toml").write_text("[tool.mnv2]\n")
    lines = invoke("config", "path").stdout.splitlines()
    assert [line.split()[0] for line in lines[:1] + lines[-1:]] == ["used", "broken"]
    assert lines[1].startswith("not read") and lines[1].endswith("pyproject.toml")
    assert invoke("config", "path", "--user").stdout == f"{user}\n"


def test_completion_does_not_read_config_files() -> None:
    Path("mnv2.toml").write_text("[broken")
    env = {"_MNV2_COMPLETE": "bash_complete", "COMP_WORDS": "mnv2 sort --by ", "COMP_CWORD": "3"}
    result = CliRunner().invoke(main, [], prog_name="mnv2", env=env)
    assert result.exit_code == 0
    assert "plain,wnid" in result.stdout


def test_every_key_is_an_option_and_no_risky_one_is_settable() -> None:
    keys: set[str] = set()
    with click.Context(main) as ctx:
        for words, command in all_commands(main, ctx):
            keys |= set(settable(command))
            if len(words) == 1:
                shared = settable(command, only_shared=True)
                assert set(shared) <= SHARED
            refused = {key_of(param) for param in command.params} - set(settable(command))
            others = {"labels", "model", *CONDITIONS.get(" ".join(words), ())}
            assert not refused & (SHARED | PER_COMMAND) - others
    assert keys == SHARED | PER_COMMAND
    assert set(ONLY_USER) <= keys
    assert not keys & {"output", "force", "into", "apply", "plan", "dry-run", "from", "yes", "json"}


def test_help_imports_no_config_of_other_commands() -> None:
    Path("mnv2.toml").write_text("[sort]\nthreshold = 0.4\n[classify]\ntop = 2\n")
    script = (
        "import sys\nfrom mnv2cli.cli import main\n"
        "main(['classify', 'missing.jpg'], standalone_mode=False)"
    )
    code = f"""
import sys
try:
    exec({script!r})
except BaseException as error:
    assert 'missing.jpg' in str(error), error
assert not {{'mnv2cli.cli.sort', 'numpy', 'keras'}} & set(sys.modules), sorted(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
