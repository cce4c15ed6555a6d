"""``mnv2 bench``: how fast this machine is, beside what people do today."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from mnv2cli.cli.grouping import section
from mnv2cli.cli.options import network_options
from mnv2cli.cli.terminal.help import ExampleCommand

if TYPE_CHECKING:
    from mnv2cli.diagnostics.bench import Measured
    from mnv2cli.models.options import ModelOptions

EXAMPLES = (
    ("on your own photos", "mnv2 bench photos"),
    ("on drawn images, for a script", "mnv2 bench --json > bench.json"),
)


_measuring = section("Measuring")


@click.command(
    cls=ExampleCommand,
    examples=EXAMPLES,
)
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(exists=True))
@_measuring(
    "--images",
    type=click.IntRange(1, 100_000),
    default=300,
    metavar="N",
    help="Images for each measurement; fewer are repeated.",
)
@_measuring(
    "--rounds",
    type=click.IntRange(1, 20),
    default=2,
    metavar="N",
    help="Measure everything so often, in turn; the best of each counts.",
)
@_measuring(
    "--json",
    "as_json",
    is_flag=True,
    help="Print all figures as JSON.",
)
@network_options
def bench(
    paths: tuple[str, ...], images: int, rounds: int, as_json: bool, model: ModelOptions
) -> None:  # fmt: skip
    """Measure decoding, inference and all of it, on your images or on drawn ones.

    Every engine and precision that works here is measured beside the usual tutorial's loop and a
    batched Keras script: "x loop" and "x batch" are how many times as many images a second mnv2
    does. "whole s" are seconds from process start to end. Each case runs in a process of its own.
    It takes some minutes.
    """
    from rich.text import Text

    from mnv2cli.cli.terminal.console import PlainConsole
    from mnv2cli.cli.terminal.text import printable
    from mnv2cli.diagnostics.bench import measure
    from mnv2cli.events import RunEvents
    from mnv2cli.inference.classifier import Classifier

    console = PlainConsole(stderr=True, highlight=False)

    def warn(text: str) -> None:
        console.print(Text(f"Warning: {printable(text)}", style="yellow"), soft_wrap=True)

    # Tells what is wrong with the options, and has all cases use the same network.
    chosen = Classifier(model=model, events=RunEvents(warning=warn)).resolve()
    given = {"model": chosen.family, "alpha": model.alpha, "size": model.size}
    given["weights"] = model.weights
    network: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    with console.status("Measuring …") as status:

        def tell(case: str) -> None:
            status.update(Text(f"Measuring {printable(case)} …"))

        measured = measure(paths, network, images=images, rounds=rounds, tell=tell)
    if as_json:
        click.echo(json.dumps(measured.as_object(), indent=1))
    else:
        _print(measured)


_NAMES = {
    "tutorial": "tutorial's loop, one by one",
    "batched": "tf.data and model.predict",
    "decode": "decoding alone",
    "first row": "mnv2, one photo",
}


def _print(measured: Measured) -> None:
    from rich import box
    from rich.table import Table

    from mnv2cli.cli.terminal.console import PlainConsole

    console = PlainConsole(highlight=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(f"{measured.cores} cores", no_wrap=True)
    for name in ("images/s", "x loop", "x batch", "whole s", "peak MB"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, result in measured.results.items():
        ours = name.startswith("mnv2 ")
        shown = _NAMES.get(name, name)
        if name.startswith("infer "):
            shown = f"{name.removeprefix('infer ')}, inference"
        table.add_row(
            shown,
            _number(result.rate, 1),
            _number(measured.ratio(name, "tutorial"), 1) if ours else "",
            _number(measured.ratio(name, "batched"), 1) if ours else "",
            _number(result.seconds, 1),
            _number(result.megabytes, 0),
            style="bold" if ours else "",
        )
    console.print(table)
    for engine, limit in measured.as_object()["limits"].items():
        console.print(
            f"mnv2 {engine} reaches {limit['reached']:.0%} of {limit['images_per_second']:.1f} "
            "images/s, its limit by decoding and inference alone.",
            soft_wrap=True,
        )
    for line in measured.advice():
        console.print(line, markup=False)


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:,.{digits}f}"
