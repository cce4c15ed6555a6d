"""Start the command line: the entry point of ``mnv2`` and ``python -m mnv2cli``.

Importing the command line takes a moment. This module imports nothing else of the package at its
top, so that Ctrl-C is handled from the beginning.
"""

import os
import signal


def run() -> None:
    """Import the command line and run it; until it is imported, Ctrl-C ends the process quietly."""
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if usual:  # not ignored, as by nohup
        signal.signal(signal.SIGINT, lambda number, frame: os._exit(130))
    from mnv2cli.cli import run as run_command_line

    if usual:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run_command_line()


if __name__ == "__main__":
    run()
