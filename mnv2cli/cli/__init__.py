"""The command line: everything that the terminal sees, a file a command.

A command is one module here and one line in :data:`COMMANDS`.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import warnings
from contextlib import suppress
from typing import NoReturn

import click

from mnv2cli import __version__
from mnv2cli.cli.errors import ErrorGroup
from mnv2cli.cli.terminal.help import LazyCommand
from mnv2cli.cli.terminal.interrupts import exit_code, raise_interrupt
from mnv2cli.errors import ExitCode

COMMANDS = {
    "classify": LazyCommand("mnv2cli.cli.classify:classify", "Label every image of a folder."),
    "merge": LazyCommand("mnv2cli.cli.merge:merge", "Join the results of shards."),
    "sort": LazyCommand("mnv2cli.cli.sort:sort", "Put photos into class folders, safely."),
    "undo": LazyCommand("mnv2cli.cli.undo:undo", "Take a sort back."),
    "labels": LazyCommand("mnv2cli.cli.labels:labels", "Show classes, their tree and categories."),
    "models": LazyCommand("mnv2cli.cli.models:models", "List, fetch and look at networks."),
    "bench": LazyCommand("mnv2cli.cli.bench:bench", "Measure how fast this machine is."),
    "doctor": LazyCommand("mnv2cli.cli.doctor:doctor", "See whether all works here."),
}
"""The commands in the order of the help, each with where it is and its line there."""

EXAMPLES = (
    ("the three best labels of every photo in a folder", "mnv2 classify photos --top 3"),
    ("all that a command can do", "mnv2 classify --help"),
)


@click.group(
    cls=ErrorGroup,
    lazy=COMMANDS,
    examples=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-V", "--version", message="mnv2 %(version)s")
def main() -> None:
    """Classify whole folders of images with pretrained Keras MobileNetV2."""


def run() -> None:
    """Run the command line as a process: the entry point of ``mnv2``."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # libraries' notes on odd images are no one's business
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
    """End the process, whatever a thread of ours may hang in."""
    if any(thread.name.startswith("mnv2-work") for thread in threading.enumerate()):
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):
                stream.flush()
        os._exit(code if isinstance(code, int) else ExitCode.FAILED)
    sys.exit(code)  # type: ignore[arg-type]
