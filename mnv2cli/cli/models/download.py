"""``mnv2 models download``: download published weights into Keras's cache."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from mnv2cli.cli.models.options import model_argument, option
from mnv2cli.cli.options.terminal import TerminalOptions, terminal_options
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.errors import Mnv2Error, WeightsError
from mnv2cli.models import DEFAULT_MODEL
from mnv2cli.system.messages import count

if TYPE_CHECKING:
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.models import Model, ModelOptions


@click.command(
    cls=ExampleCommand,
    examples=(
        ("prepare to work offline", "mnv2 models download"),
        ("download a small network", "mnv2 models download --alpha 0.35 --size 96"),
        ("use a mirror", "mnv2 models download --from https://mirror.example.org/mobilenet_v2/"),
    ),
)
@model_argument
@option(
    "--all", "every", is_flag=True, help="Download all widths and sizes of MobileNetV2, 250 MB."
)
@option(
    "--from",
    "mirror",
    metavar="URL",
    help="Mirror folder, or the file itself (http, https or file URL).  [default: "
    "MNV2_WEIGHTS_URL, else Keras's host]",
)
@option("--refresh", is_flag=True, help="Download again even if the weights exist.")
@terminal_options
def download(
    model: ModelOptions,
    every: bool,
    mirror: str | None,
    refresh: bool,
    terminal: TerminalOptions,
) -> None:
    """Download published weights into Keras's cache, and check them.

    A file appears in the cache only when it is complete and fits the network. A URL may
    contain a user and password: https://USER:PASSWORD@HOST/.
    """
    if every and (model.alpha is not None or model.size is not None):
        raise click.UsageError("--all cannot be combined with --alpha and --size.")
    if every and model.name not in ("", DEFAULT_MODEL):
        raise click.UsageError(f"--all requires the model {DEFAULT_MODEL}.")
    from mnv2cli.models import open_model
    from mnv2cli.models.registry import family

    screen = terminal.screen()
    chosen = [open_model(model)]
    if every:
        chosen = list(family(DEFAULT_MODEL).variants())
        if mirror and mirror.endswith(family(DEFAULT_MODEL).SUFFIX):
            raise click.UsageError("--all requires a folder: --from names one file.")
    failed: Mnv2Error | None = None
    failures = 0
    for one in chosen:
        try:
            _download(one, mirror, refresh=refresh, screen=screen)
        except WeightsError as error:
            if not every:
                raise
            failed = error
            failures += 1
            screen.warning(f"{one.model}: {error.message}")
    if failed:
        raise WeightsError(
            f"cannot download {failures} of {count(len(chosen), 'weights file')}",
            failed.hint,
        )


def _download(model: Model, mirror: str | None, *, refresh: bool, screen: Screen) -> None:
    from mnv2cli.models.download import Origin, download, mirrored_at
    from mnv2cli.models.registry import families

    if (path := model.find()) and not refresh:
        screen.notice(f"{model.model} already exists: {path}", "")
        return
    if mirror:
        suffixes = tuple(each.SUFFIX for each in families())
        url = mirrored_at(mirror, os.path.basename(model.cached), suffixes)
        origin = Origin(url, model.cached, model.checksum)
    else:
        origin = model.origin
    with screen.loading(model.name):
        download(origin, screen.download, model.check)
    screen.notice(f"{model.model}: {model.cached}", "")
