"""Every command is documented: help, examples, defaults, and the README."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import Result

from mnv2cli.cli import COMMANDS, main
from mnv2cli.cli.terminal.help import ExampleCommand, LazyCommand, LazyGroup

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def commands(group: click.Group, *names: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None
        yield (*names, name), command
        if isinstance(command, click.Group):
            yield from commands(command, *names, name)


ALL = list(commands(main))


@pytest.mark.parametrize(("names", "command"), [pytest.param(*c, id=" ".join(c[0])) for c in ALL])
def test_every_command_is_documented_with_examples(
    names: tuple[str, ...], command: click.Command, invoke: Callable[..., Result]
) -> None:
    assert isinstance(command, ExampleCommand | LazyGroup)
    assert command.examples and command.help and command.short_help
    whole = any(getattr(param, "advanced", False) for param in command.params)
    shown = invoke(*names, "--help-all" if whole else "--help").stdout
    assert shown.rstrip().splitlines()[-1].strip() == command.examples[-1][1]
    assert max(map(len, shown.splitlines())) <= 100
    assert f"mnv2 {' '.join(names)}" in README
    for param in command.params:
        if not isinstance(param, click.Option):
            continue
        assert param.help, param
        known = param.required or param.default is not None or "[default" in param.help
        on_demand = param.is_flag or param.multiple or param.name in ("files_from", "calibrate")
        assert known or on_demand, param
        options = [name for name in param.opts + param.secondary_opts if name.startswith("--")]
        assert any(name in README for name in options), param


@pytest.mark.parametrize(
    ("args", "near"), [(("clasify",), "classify"), (("models", "lst"), "list")]
)
def test_a_command_that_is_not_there_has_a_near_one_suggested(
    invoke: Callable[..., Result], args: tuple[str, ...], near: str
) -> None:
    result = invoke(*args)
    assert result.exit_code == 2
    wanted = f"Error: No such command {args[-1]!r}."
    if hasattr(click.exceptions, "NoSuchCommand"):  # since click 8.4
        wanted += f" Did you mean {near!r}?"
    assert result.stderr.splitlines()[-1] == wanted
    assert invoke("--help").stdout.count("\n  classify ") == 1


def test_a_command_is_added_by_a_module_and_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, invoke: Callable[..., Result]
) -> None:
    (tmp_path / "mnv2_toy_command.py").write_text(
        "import click\n@click.command()\ndef toy() -> None:\n    click.echo('it ran')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(COMMANDS, "toy", LazyCommand("mnv2_toy_command:toy", "A toy."))
    assert "\n  toy       A toy." in invoke("--help").stdout
    assert invoke("toy").stdout == "it ran\n"


def test_groups_keep_the_order_of_their_commands(invoke: Callable[..., Result]) -> None:
    shown = invoke("--help").stdout
    places = [shown.index(f"\n  {name} ") for name in main.list_commands(click.Context(main))]
    assert places == sorted(places)
