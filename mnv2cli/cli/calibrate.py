"""``mnv2 calibrate``: make the scores of a learned model reliable."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from mnv2cli.cli.grouping import grouped, section
from mnv2cli.cli.options.cache import cache_option
from mnv2cli.cli.options.engine import float_speed_options
from mnv2cli.cli.options.terminal import TerminalOptions, terminal_options
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.cli.types import POSITIVE_SCORE

if TYPE_CHECKING:
    from mnv2cli.engines.options import EngineOptions
    from mnv2cli.learning.calibrate import CalibrateOptions

EXAMPLES = (
    ("calibrate on photos that the model did not learn from",
     "mnv2 calibrate more --model mine.keras"),
    ("let sort be sure only where 99 % are right",
     "mnv2 calibrate more --model mine.keras --precision 0.99"),
    ("keep the model as it was, and write another",
     "mnv2 calibrate more --model mine.keras -o careful.keras"),
)  # fmt: skip


def _options(wanted: float, output: str | None, force: bool, cache: bool) -> CalibrateOptions:
    from mnv2cli.learning.calibrate import CalibrateOptions

    return CalibrateOptions(wanted, output, force, cache)


_calibration = section("Calibration")
_calibrate_options = grouped(
    "options",
    _options,
    _calibration(
        "--precision",
        "wanted",
        type=POSITIVE_SCORE,
        default=0.98,
        metavar="SHARE",
        help="The share of sure photos of each class that should be right.",
    ),
    _calibration(
        "-o",
        "--output",
        type=click.Path(),
        metavar="FILE",
        help="Write the model to FILE.  [default: replace the model]",
    ),
    _calibration("--force", is_flag=True, help="Overwrite FILE if it exists."),
    cache_option,
)


@click.command(cls=ExampleCommand, examples=EXAMPLES)
@click.argument("folder", metavar="[FOLDER]", required=False, type=click.Path())
@section("Photos")(
    "--labels",
    type=click.Path(),
    metavar="FILE",
    help="Use the photos in FILE, a CSV with the columns path and label.",
)
@section("Model")(
    "--model",
    required=True,
    metavar="FILE",
    type=click.Path(),
    help="The model, which mnv2 learn wrote.",
)
@_calibrate_options
@section("Results")("--json", "as_json", is_flag=True, help="Print all figures as JSON.")
@float_speed_options
@terminal_options
def calibrate(
    folder: str | None,
    labels: str | None,
    model: str,
    options: CalibrateOptions,
    as_json: bool,
    engine: EngineOptions,
    terminal: TerminalOptions,
) -> None:
    """Make the scores of a learned model reliable, and store which of them are sure.

    Each subfolder of FOLDER is a class of the model. Photos that the model learned from are
    skipped: it knows them too well.

    A score of 0.8 then means that 80 % of such photos are right, and mnv2 sort --model FILE puts
    photos that are not sure enough for their class into the folder unsure.

    Exit codes: 0 all done, 1 failed, 2 usage error, 3 no images found, 4 done but some images could
    not be read, 130 interrupted, 143 terminated.
    """
    from mnv2cli.cli.calibrate_job import run_calibration, show_calibration
    from mnv2cli.learning.evaluate import EvaluationSet

    if options.force and options.output is None:
        raise click.UsageError("--force requires --output.")
    screen = terminal.screen()
    calibrated = run_calibration(EvaluationSet(folder, labels), model, options, engine, screen)
    if as_json:
        click.echo(json.dumps(calibrated.as_object(), indent=1))
    show_calibration(calibrated, screen, tables=not as_json)
    click.get_current_context().exit(calibrated.return_code)
