"""The terminal, by rich."""

from __future__ import annotations

from rich.console import Console


class PlainConsole(Console):
    """A console that reports a closed pipe as the error it is; rich would exit by itself."""

    def on_broken_pipe(self) -> None:
        """Let the command line decide."""
        raise BrokenPipeError
