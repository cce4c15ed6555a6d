"""``mnv2 models compile``: compile a network before the first run."""

from __future__ import annotations

import os
from time import perf_counter
from typing import TYPE_CHECKING, get_args

import click

from mnv2cli.cli.models.options import compiled_model_argument, option
from mnv2cli.cli.options.terminal import TerminalOptions, terminal_options
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.cli.terminal.text import print_path
from mnv2cli.engines.options import Precision
from mnv2cli.errors import OutputError

if TYPE_CHECKING:
    from mnv2cli.models import ModelOptions


@click.command(
    "compile",
    cls=ExampleCommand,
    examples=(
        ("compile the default network", "mnv2 models compile"),
        ("compile it to int8", "mnv2 models compile --precision int8 --calibrate photos"),
    ),
)
@compiled_model_argument
@option(
    "--precision",
    type=click.Choice(get_args(Precision)),
    default="float32",
    help="Number format; int8 is faster and requires --calibrate.",
)
@option(
    "--calibrate",
    type=click.Path(exists=True, file_okay=False),
    metavar="DIR",
    help="Folder of typical photos to calibrate int8 on, up to 200.",
)
@terminal_options
def compile_model(
    model: ModelOptions,
    precision: Precision,
    calibrate: str | None,
    terminal: TerminalOptions,
) -> None:
    """Compile a network now, so that the first run starts immediately."""
    if precision == "int8" and not calibrate:
        raise click.UsageError("--precision int8 requires --calibrate DIR.")
    from mnv2cli.engines.cache import cache_folder
    from mnv2cli.engines.litert import LiteRTEngine
    from mnv2cli.engines.mirrored import MirroredEngine
    from mnv2cli.engines.options import EngineOptions
    from mnv2cli.events import RunEvents
    from mnv2cli.inference.classifier import Classifier

    screen = terminal.screen()
    classifier = Classifier(
        model=model,
        engine=EngineOptions("litert", precision, calibrate or ""),
        events=RunEvents(screen.notice, screen.warning, screen.download, screen.status),
    )
    start = perf_counter()
    with screen.loading(classifier.network.name):
        engine = classifier.load()
    engine = engine.engine if isinstance(engine, MirroredEngine) else engine
    assert isinstance(engine, LiteRTEngine)
    if engine.compiled.temporary is not None:
        raise OutputError(
            f"cannot store the compiled model in {cache_folder()}",
            "Set MNV2_CACHE to a writable folder, or use more photos with --calibrate."
            if precision == "int8"
            else "Set MNV2_CACHE to a writable folder.",
        )
    print_path(os.path.dirname(engine.compiled.model))
    screen.notice(
        f"{classifier.network.model} {precision}: ready in {perf_counter() - start:.1f} s"
    )
