"""The command line: one module per command, and its line in :data:`COMMANDS`."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import warnings
from contextlib import suppress
from typing import NoReturn

import click

from mnv2cli import __version__
from mnv2cli.cli.config.apply import NO_CONFIG
from mnv2cli.cli.errors import ErrorGroup
from mnv2cli.cli.terminal.help import LazyCommand
from mnv2cli.cli.terminal.interrupts import exit_code, raise_interrupt
from mnv2cli.errors import ExitCode

COMMANDS = {
    "classify": LazyCommand("mnv2cli.cli.classify:classify", "Label images."),
    "sort": LazyCommand("mnv2cli.cli.sort:sort", "Sort photos into folders by what they show."),
    "undo": LazyCommand("mnv2cli.cli.undo:undo", "Undo a sort or a tag run."),
    "watch": LazyCommand("mnv2cli.cli.watch:watch", "Sort or tag photos as they arrive."),
    "tag": LazyCommand("mnv2cli.cli.tag:tag", "Write keywords that photo programs read."),
    "find": LazyCommand("mnv2cli.cli.find:find", "Find the photos of a dog, or of anything."),
    "report": LazyCommand("mnv2cli.cli.report:report", "Make a page of photos and their labels."),
    "learn": LazyCommand("mnv2cli.cli.learn:learn", "Learn your own classes from a few photos."),
    "evaluate": LazyCommand("mnv2cli.cli.evaluate:evaluate", "Measure a model on labelled photos."),
    "calibrate": LazyCommand("mnv2cli.cli.calibrate:calibrate", "Make a model's scores reliable."),
    "embed": LazyCommand("mnv2cli.cli.embed:embed", "Write the features of images."),
    "similar": LazyCommand("mnv2cli.cli.similar:similar", "Find photos that look like one."),
    "duplicates": LazyCommand("mnv2cli.cli.duplicates:duplicates", "Find copies of photos."),
    "convert": LazyCommand("mnv2cli.cli.convert:convert", "Write or read datasets for training."),
    "summary": LazyCommand("mnv2cli.cli.summary:summary", "Show the figures of results."),
    "select": LazyCommand("mnv2cli.cli.select:select", "Filter results, or query them with SQL."),
    "split": LazyCommand("mnv2cli.cli.split:split", "Split photos into train, val and test."),
    "labels": LazyCommand("mnv2cli.cli.labels:labels", "Show the labels and categories."),
    "models": LazyCommand("mnv2cli.cli.models:models", "List, download and inspect models."),
    "merge": LazyCommand("mnv2cli.cli.merge:merge", "Merge the results of shards."),
    "bench": LazyCommand("mnv2cli.cli.bench:bench", "Measure the speed of this machine."),
    "config": LazyCommand("mnv2cli.cli.config.command:config", "Show what config files set."),
    "doctor": LazyCommand("mnv2cli.cli.doctor:doctor", "Check the installation."),
}
"""The commands, in the order of the help: the most used first."""

EXAMPLES = (
    ("label all photos in a folder", "mnv2 classify photos -o labels.csv"),
    ("copy them into folders such as dog, car and mountain", "mnv2 sort photos --into sorted"),
)


@click.group(
    cls=ErrorGroup,
    lazy=COMMANDS,
    examples=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-V", "--version", message="mnv2 %(version)s")
@click.option("--no-config", is_flag=True, help="Ignore config files; see mnv2 config.")
@click.pass_context
def main(ctx: click.Context, no_config: bool) -> None:
    """Classify and sort whole folders of images with pretrained MobileNetV2. Run mnv2 COMMAND
    --help for the options of a command.
    """
    ctx.meta[NO_CONFIG] = no_config


def run() -> None:
    """Run the command line and exit: the entry point of ``mnv2``."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # libraries warn of unusual images
    if sys.stderr is None:  # closed, as by 2>&-
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, raise_interrupt)
    try:
        main(prog_name="mnv2")
    except KeyboardInterrupt as error:
        _leave(exit_code(error))
    except SystemExit as end:
        _leave(end.code)


def _leave(code: object) -> NoReturn:
    """Exit the process, at once if it was interrupted or a worker thread is blocked."""
    interrupted = code in (ExitCode.INTERRUPTED, ExitCode.TERMINATED)
    if interrupted:
        with suppress(KeyboardInterrupt):
            atexit._run_exitfuncs()  # remove temporary folders; TensorFlow's own exit takes seconds
    if interrupted or any(t.name.startswith("mnv2-work") for t in threading.enumerate()):
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):
                stream.flush()
        os._exit(code if isinstance(code, int) else ExitCode.FAILED)
    sys.exit(code)  # type: ignore[arg-type]
