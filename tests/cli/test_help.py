"""Every command is documented: help on one screen, examples, defaults, README and docs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import Result

from mnv2cli.cli import COMMANDS, main
from mnv2cli.cli.terminal.help import ExampleCommand, LazyCommand, LazyGroup
from mnv2cli.cli.terminal.suggest import did_you_mean

ROOT = Path(__file__).parents[2]
DOCS = sorted((ROOT / "docs").rglob("*.md"))
DOCUMENTATION = "\n".join(path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *DOCS])
SCREEN = 40  # lines
WITHOUT_DEFAULT = ("files_from", "calibrate", "output", "shard")


def commands(group: click.Group, *names: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None
        yield (*names, name), command
        if isinstance(command, click.Group):
            yield from commands(command, *names, name)


ALL = list(commands(main))
EACH_COMMAND = pytest.mark.parametrize(
    ("names", "command"), [pytest.param(*c, id=" ".join(c[0])) for c in [((), main), *ALL]]
)
Invoke = Callable[..., Result]


def whole_help(invoke: Invoke, names: tuple[str, ...], command: click.Command) -> str:
    has_more = any(getattr(param, "advanced", False) for param in command.params)
    return invoke(*names, "--help-all" if has_more else "--help", env={"COLUMNS": "80"}).stdout


@EACH_COMMAND
def test_help_fits_one_screen(
    names: tuple[str, ...], command: click.Command, invoke: Invoke
) -> None:
    lines = invoke(*names, "--help", env={"COLUMNS": "80"}).stdout.splitlines()
    assert len(lines) <= SCREEN, "\n".join(lines)
    assert lines[0].startswith("Usage: ") and lines[-2].startswith("  # ")


@EACH_COMMAND
def test_the_whole_help_shows_every_option_and_example(
    names: tuple[str, ...], command: click.Command, invoke: Invoke
) -> None:
    assert isinstance(command, ExampleCommand | LazyGroup)
    assert command.examples and command.help
    shown = whole_help(invoke, names, command)
    assert shown.rstrip().splitlines()[-1].strip() == command.examples[-1][1]
    assert all(line in shown for _, line in command.examples)
    assert max(map(len, shown.splitlines())) <= 100
    for param in command.params:
        if isinstance(param, click.Option) and not param.hidden:
            assert param.help, param
            long = [name for name in param.opts if name.startswith("--")]
            assert any(
                re.search(rf"(^| ){re.escape(name)}\b", shown, re.MULTILINE)
                or name.replace("--", "--[no-]") in shown
                for name in long
            ), param


@EACH_COMMAND
def test_every_option_has_its_default_in_its_help(
    names: tuple[str, ...], command: click.Command
) -> None:
    for param in command.params:
        if isinstance(param, click.Option):
            assert param.help, param
            known = param.required or param.default is not None or "[default" in param.help
            on_demand = param.is_flag or param.multiple or param.name in WITHOUT_DEFAULT
            assert known or on_demand, param


@pytest.mark.parametrize(("names", "command"), [pytest.param(*c, id=" ".join(c[0])) for c in ALL])
def test_every_command_and_option_is_documented(
    names: tuple[str, ...], command: click.Command, invoke: Invoke
) -> None:
    # Without pages below docs/, the help itself is the reference of the options.
    text = DOCUMENTATION if DOCS else DOCUMENTATION + whole_help(invoke, names, command)
    assert f"mnv2 {' '.join(names)}" in text
    for param in command.params:
        if isinstance(param, click.Option) and not param.hidden:
            options = [name for name in param.opts + param.secondary_opts if name[:2] == "--"]
            options += [name.replace("--", "--[no-]") for name in param.opts]
            assert any(name in text for name in options), param


def test_the_commands_and_their_examples_are_listed_by_use(invoke: Invoke) -> None:
    assert list(COMMANDS)[:3] == ["classify", "sort", "undo"]
    shown_by_example = [line.split()[1] for _, line in main.examples]
    assert shown_by_example == [name for name in COMMANDS if name in shown_by_example]
    shown = invoke("--help").stdout
    places = [shown.index(f"\n  {name} ") for name in main.list_commands(click.Context(main))]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (("clasify",), "No such command 'clasify'. Did you mean 'classify'?"),
        (("models", "lst"), "No such command 'lst'. Did you mean 'list'?"),
        (("frobnicate",), "No such command 'frobnicate'."),
        (("classify", "--tpo"), "No such option '--tpo'. Did you mean '--top'?"),
        (("classify", "--quite"), "No such option '--quite'. Did you mean '--quiet'?"),
        (("classify", "--calib"), "No such option '--calib'. Did you mean '--calibrate'?"),
        (("classify", "--nonsense"), "No such option '--nonsense'."),
        (("classify", "--fast"), "No such option '--fast'."),
        (("models", "--fast"), "No such option '--fast'."),
        (("--verison",), "No such option '--verison'. Did you mean '--version'?"),
    ],
)
def test_a_mistyped_name_has_a_suggestion_only_if_one_is_similar(
    invoke: Invoke, args: tuple[str, ...], error: str
) -> None:
    result = invoke(*args)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == f"Error: {error}"


def test_the_most_similar_name_is_suggested() -> None:
    assert did_you_mean("srot", ["short", "sort"]) == " Did you mean 'sort'?"
    assert did_you_mean("x", ["xy"]) == did_you_mean("", ["a"]) == ""


@pytest.mark.parametrize("args", [(), ("models",)])
def test_a_group_without_a_command_shows_its_help(invoke: Invoke, args: tuple[str, ...]) -> None:
    result = invoke(*args)
    assert result.exit_code in (0, 2)  # by the version of click
    assert (result.stdout + result.stderr).rstrip() == invoke(*args, "--help").stdout.rstrip()


def test_a_command_is_added_by_a_module_and_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, invoke: Invoke
) -> None:
    (tmp_path / "mnv2_toy_command.py").write_text(
        "import click\n@click.command()\ndef toy() -> None:\n    click.echo('it ran')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(COMMANDS, "toy", LazyCommand("mnv2_toy_command:toy", "A toy."))
    assert re.search(r"\n  toy +A toy\.", invoke("--help").stdout)
    assert invoke("toy").stdout == "it ran\n"
