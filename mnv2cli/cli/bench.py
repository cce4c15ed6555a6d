"""``mnv2 bench``: measure how fast this machine is, compared with other scripts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from mnv2cli.cli.grouping import section
from mnv2cli.cli.options.model import network_options
from mnv2cli.cli.terminal.help import ExampleCommand

if TYPE_CHECKING:
    from mnv2cli.diagnostics.bench.results import BenchResults
    from mnv2cli.models.options import ModelOptions

EXAMPLES = (
    ("measure on photos", "mnv2 bench photos"),
    ("measure on drawn images, for a script", "mnv2 bench --json > bench.json"),
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
    help="Images per measurement; a smaller set is repeated.",
)
@_measuring(
    "--rounds",
    type=click.IntRange(1, 20),
    default=2,
    metavar="N",
    advanced=True,
    help="Repeat everything N times; the best result of each case counts.",
)
@_measuring(
    "--accurate",
    is_flag=True,
    help="Also measure the preferred engine with --accurate.",
)
@_measuring(
    "--json",
    "as_json",
    is_flag=True,
    help="Print all figures as JSON.",
)
@network_options
def bench(
    paths: tuple[str, ...],
    images: int,
    rounds: int,
    accurate: bool,
    as_json: bool,
    model: ModelOptions,
) -> None:
    """Measure decoding, inference and whole runs, on your images or drawn ones.

    Each engine and precision is compared with the usual tutorial's loop and a batched Keras
    script: "x loop" and "x batch" are the ratios of images per second. "whole s" is the time in
    seconds from process start to end. Each case runs in a separate process. This takes several
    minutes.

    Exit codes: 0 if everything was measured; 1 if a case failed.
    """
    from rich.text import Text

    from mnv2cli.cli.terminal.console import PlainConsole
    from mnv2cli.cli.terminal.text import printable
    from mnv2cli.diagnostics.bench.measure import measure_machine
    from mnv2cli.diagnostics.bench.workload import check_accurate, resolve_model

    console = PlainConsole(stderr=True, highlight=False)

    def warning(text: str) -> None:
        console.print(Text(f"Warning: {printable(text)}", style="yellow"), soft_wrap=True)

    if accurate:
        check_accurate(model)
    model = resolve_model(model, warning)  # also checks the options
    with console.status("Measuring …") as status:

        def notice(case: str) -> None:
            status.update(Text(f"{printable(case)} …"))

        measured = measure_machine(
            paths, model, images=images, rounds=rounds, accurate=accurate, notice=notice
        )
    if as_json:
        click.echo(json.dumps(measured.as_object(), indent=1))
    else:
        _print(measured)


def _print(measured: BenchResults) -> None:
    from rich import box
    from rich.table import Table

    from mnv2cli.cli.terminal.console import PlainConsole
    from mnv2cli.diagnostics.bench.cases import title_of

    console = PlainConsole(highlight=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(f"{measured.cores} cores", no_wrap=True)
    for name in ("images/s", "x loop", "x batch", "whole s", "peak MB"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, result in measured.results.items():
        is_mnv2 = name.startswith("mnv2 ")
        table.add_row(
            title_of(name),
            _number(result.rate, 1),
            _number(measured.ratio(name, "tutorial"), 1) if is_mnv2 else "",
            _number(measured.ratio(name, "batched"), 1) if is_mnv2 else "",
            _number(result.seconds, 1),
            _number(result.megabytes, 0),
            style="bold" if is_mnv2 else "",
        )
    console.print(table)
    for engine, limit in measured.as_object()["limits"].items():
        console.print(
            f"mnv2 {engine} reaches {limit['reached']:.0%} of its limit, "
            f"{limit['images_per_second']:.1f} images/s for decoding and inference alone.",
            soft_wrap=True,
        )
    for line in measured.advice():
        console.print(line, markup=False)


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:,.{digits}f}"
