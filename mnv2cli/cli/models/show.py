"""``mnv2 models show``: show the layers of a network."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from mnv2cli.cli.models.options import any_model_argument, json_option, option
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.cli.terminal.text import printable
from mnv2cli.system.messages import count

if TYPE_CHECKING:
    from mnv2cli.models import Model, ModelOptions
    from mnv2cli.models.describe import Description


@click.command(
    cls=ExampleCommand,
    examples=(
        ("show the network of the paper", "mnv2 models show mobilenet_v2"),
        ("show your model, and its classes", "mnv2 models show mine.keras"),
        ("write it to a Markdown file", "mnv2 models show --alpha 0.5 --markdown > network.md"),
    ),
)
@any_model_argument
@option("--markdown", is_flag=True, help="Print Markdown.")
@json_option
def show(model: ModelOptions, markdown: bool, as_json: bool) -> None:
    """Show the layers of a network, stage by stage, and the ideas behind it.

    All figures are counted from the Keras model; its weights are not needed. MAdds are the
    multiply-adds for one image.
    """
    if markdown and as_json:
        raise click.UsageError("--markdown cannot be combined with --json.")
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.models import open_model
    from mnv2cli.models.describe import describe_model

    screen = Screen(quiet=False, verbose=False)
    chosen = open_model(model)
    with screen.loading(chosen.name):
        description = describe_model(chosen)
    if as_json:
        click.echo(json.dumps(_as_object(chosen, description), indent=1))
    elif markdown:
        click.echo(_as_markdown(chosen, description))
    else:
        _print(chosen, description)


_COLUMNS = ("Input", "Operator", "Kernel", "Expansion", "Channels", "Repeats", "Stride",
            "Parameters", "MAdds")  # fmt: skip


def _cells(description: Description) -> list[list[str]]:
    rows = []
    for stage in description.stages:
        side = f"{stage.size} x {stage.size} x " if stage.size > 1 else ""
        is_filter = stage.operator not in ("average pool", "dense")
        rows.append(
            [
                f"{side}{stage.inputs}",
                stage.operator,
                f"{stage.kernel} x {stage.kernel}" if stage.operator != "dense" else "-",
                "-" if stage.expansion is None else f"{stage.expansion:g}",
                str(stage.channels),
                str(stage.repeats) if is_filter else "-",
                str(stage.stride) if is_filter else "-",
                f"{stage.parameters:,}" if stage.parameters else "-",
                f"{stage.multiply_adds:,}" if stage.multiply_adds else "-",
            ]
        )
    return rows


def _classes(model: Model) -> str:
    return f"{count(len(model.class_names), 'class', 'classes')}: {', '.join(model.class_names)}"


def _totals(description: Description) -> str:
    text = f"{description.parameters:,} parameters and {description.multiply_adds:,} multiply-adds."
    if description.statistics:
        text += f" The batch norms have another {description.statistics:,} means and variances."
    return text


def _as_object(model: Model, description: Description) -> dict[str, Any]:
    return {
        "model": model.model,
        "name": model.name,
        "size": model.size,
        "parameters": description.parameters,
        "multiply_adds": description.multiply_adds,
        "batch_norm_statistics": description.statistics,
        "stages": [asdict(stage) for stage in description.stages],
        "ideas": dict(model.ideas),
        **({"classes": list(model.class_names)} if model.class_names else {}),
    }


def _as_markdown(model: Model, description: Description) -> str:
    lines = [f"# {model.name}", ""]
    if model.class_names:
        lines += [f"{_classes(model)}.", ""]
    lines += ["| " + " | ".join(_COLUMNS) + " |", "|---|---|" + "---:|" * (len(_COLUMNS) - 2)]
    lines += ["| " + " | ".join(row) + " |" for row in _cells(description)]
    lines += ["", _totals(description), ""]
    lines += [f"- **{title}.** {text}" for title, text in model.ideas]
    return "\n".join(lines)


def _print(model: Model, description: Description) -> None:
    from rich import box
    from rich.padding import Padding
    from rich.table import Table

    from mnv2cli.cli.terminal.console import PlainConsole

    console = PlainConsole(highlight=False)
    wide = console.width >= 100
    short = {"Kernel": "k", "Expansion": "t", "Channels": "c", "Repeats": "n", "Stride": "s"}
    console.print(model.name, style="bold", markup=False)
    if model.class_names:
        console.print(printable(_classes(model)), markup=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for i, name in enumerate(_COLUMNS):
        heading = name if wide else short.get(name, name)
        table.add_column(heading, justify="left" if i < 2 else "right", no_wrap=True)
    for row in _cells(description):
        table.add_row(*row)
    console.print(table)
    if not wide:
        legend = "k: kernel, t: expansion, c: channels, n: repeats, s: stride of the first repeat"
        console.print(legend, style="dim")
    console.print(_totals(description))
    for title, text in model.ideas:
        console.print(f"\n{title}", style="bold")
        console.print(Padding(text, (0, 0, 0, 2)))
