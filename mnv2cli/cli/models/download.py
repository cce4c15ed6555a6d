"""``mnv2 models download``: published weights into Keras's cache."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from mnv2cli.cli.models.options import model_argument, option
from mnv2cli.cli.options import TerminalOptions, terminal_options
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.errors import Mnv2Error, WeightsError
from mnv2cli.models import DEFAULT_MODEL

if TYPE_CHECKING:
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.models import Model, ModelOptions


@click.command(
    cls=ExampleCommand,
    examples=(
        ("before going offline", "mnv2 models download"),
        ("a small one", "mnv2 models download --alpha 0.35 --size 96"),
        ("from a mirror", "mnv2 models download --from https://mirror.example.org/mobilenet_v2/"),
    ),
)
@model_argument
@option("--all", "every", is_flag=True, help="All widths and sizes of MobileNetV2, 250 MB.")
@option(
    "--from",
    "mirror",
    metavar="URL",
    help="The folder of a mirror, or the file itself; http, https or file.  [default: "
    "MNV2_WEIGHTS_URL, else the host that Keras uses]",
)
@option("--refresh", is_flag=True, help="Download again what is already there.")
@terminal_options
def download(
    model: ModelOptions,
    every: bool,
    mirror: str | None,
    refresh: bool,
    terminal: TerminalOptions,
) -> None:
    """Download published weights into Keras's cache, each checked by loading it.

    A file appears in the cache only when it is whole and fits the network.
    """
    if every and (model.alpha is not None or model.size is not None):
        raise click.UsageError("--all is all of them: leave out --alpha and --size.")
    if every and model.name != DEFAULT_MODEL:
        raise click.UsageError(f"--all is about {DEFAULT_MODEL}.")
    from mnv2cli.models import open_model
    from mnv2cli.models.registry import family

    screen = terminal.screen()
    chosen = [open_model(model)]
    if every:
        chosen = list(family(DEFAULT_MODEL).variants())
        if mirror and mirror.endswith(family(DEFAULT_MODEL).SUFFIX):
            raise click.UsageError("--all needs a folder: --from names one file.")
    failed: Mnv2Error | None = None
    for one in chosen:
        try:
            _download(one, mirror, refresh=refresh, screen=screen)
        except WeightsError as error:
            if not every:
                raise
            failed = error
            screen.warning(error.message)
    if failed:
        raise WeightsError("not all weights could be downloaded", failed.hint)


def _download(model: Model, mirror: str | None, *, refresh: bool, screen: Screen) -> None:
    from mnv2cli.models.download import Origin, download, mirrored_at
    from mnv2cli.models.registry import families

    if (path := model.find()) and not refresh:
        screen.notice(f"{model.model} is already there: {path}", "")
        return
    if mirror:
        suffixes = tuple(each.SUFFIX for each in families())
        url = mirrored_at(mirror, os.path.basename(model.cached), suffixes)
        origin = Origin(url, model.cached)
    else:
        origin = model.origin
    with screen.loading(model.name):
        download(origin, screen.download, model.check)
    screen.notice(f"{model.model}: {model.cached}", "")
