"""What the user sees on stderr: notices, progress and the summary."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from rich.text import Text

from mnv2cli.cli.terminal.console import PlainConsole
from mnv2cli.cli.terminal.native_messages import hide_native_messages
from mnv2cli.cli.terminal.summary import Line, format_summary
from mnv2cli.cli.terminal.text import printable
from mnv2cli.inference.report import Report
from mnv2cli.records import Record

if TYPE_CHECKING:
    from rich.status import Status
    from tqdm import tqdm


class Screen:
    """A run's voice on stderr.

    Args:
        quiet: Say nothing but errors.
        verbose: Also show what is skipped and what cannot be read, as it is met, and let the
            libraries' own messages through.
    """

    def __init__(self, *, quiet: bool, verbose: bool) -> None:
        if not verbose:
            hide_native_messages()
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")  # a sign that a terminal lacks is no failure
        self._quiet = quiet
        self._verbose = verbose
        self._console = PlainConsole(stderr=True, highlight=False, quiet=quiet)
        self._bar: tqdm[Any] | None = None
        self._download_bar: tqdm[Any] | None = None
        self._status: Status | None = None

    def notice(self, text: str, style: str = "dim") -> None:
        """Say something by the way."""
        with self.printing():
            self._console.print(Text(printable(text), style=style), soft_wrap=True)

    @property
    def verbose(self) -> bool:
        """Whether each thing is shown, not only how many."""
        return self._verbose

    def lines(self, lines: list[Line]) -> None:
        """Show what a run came to: a name, a text and a style for each line."""
        if not self._console.is_terminal:  # into a log: a line each, not filled up with blanks
            for name, text, _ in lines:
                self._console.print(f"{name:10} {printable(text)}", soft_wrap=True, markup=False)
            return
        from rich.table import Table

        table = Table.grid(padding=(0, 1, 0, 0))
        table.add_column(width=10, style="bold")
        table.add_column()
        for name, text, style in lines:
            table.add_row(name, Text(printable(text), style=style))
        self._console.print(table)

    @contextmanager
    def counting(self, name: str, total: int) -> Iterator[Callable[[int], None]]:
        """Show how far a piece of work of known length is; yields what is called with each step."""
        from tqdm import tqdm

        with tqdm(
            desc=name, total=total, unit=" files", file=sys.stderr, leave=False,
            disable=True if self._quiet else None, dynamic_ncols=True, mininterval=0.2,
        ) as bar:  # fmt: skip

            def step(count: int) -> None:
                bar.update(count)

            yield step

    def warning(self, text: str) -> None:
        """Say what changes results; a quiet run says it too."""
        with self.printing():
            console = PlainConsole(stderr=True, highlight=False)
            console.print(Text(f"Warning: {printable(text)}", style="yellow"), soft_wrap=True)

    def skipped(self, path: str, reason: str) -> None:
        """Show what is skipped, if the run is verbose."""
        if self._verbose:
            self.notice(f"left out  {path}: {reason}")

    @contextmanager
    def loading(self, name: str) -> Iterator[None]:
        """Show that the network is being loaded, as long as it is."""
        if self._verbose:
            self.notice(f"loading {name}")
        if self._console.is_terminal and not (self._quiet or self._verbose):
            self._status = self._console.status(Text(f"Loading {printable(name)} …"))
            self._status.start()
        try:
            yield
        finally:
            self._end_download()
            if self._status is not None:
                self._status.stop()
                self._status = None

    def status(self, text: str) -> None:
        """Show what the run is doing before its first image: a spinner, or a line if verbose."""
        if self._verbose:
            self.notice(text)
        elif self._status is not None:
            self._status.update(Text(printable(text)))

    def download(self, name: str, done: int, total: int | None) -> None:
        """Show how a download goes."""
        if self._download_bar is None:
            from tqdm import tqdm

            if self._status is not None:
                self._status.stop()  # a bar and a spinner do not share a line
            self.notice(f"Downloading {name}, once")
            self._download_bar = tqdm(
                desc="weights", total=total, unit="B", unit_scale=True, unit_divisor=1024,
                file=sys.stderr, disable=True if self._quiet else None, dynamic_ncols=True,
            )  # fmt: skip
        self._download_bar.update(done - self._download_bar.n)
        if done == total:
            self._end_download()

    def _end_download(self) -> None:
        if self._download_bar is not None:
            self._download_bar.close()
            self._download_bar = None
            if self._status is not None:
                self._status.start()

    @contextmanager
    def progress(
        self, count: Callable[[Event], int | None] | None, done: int = 0
    ) -> Iterator[Callable[[Record], None]]:
        """Show progress; yields what is to be called with each record.

        Args:
            count: Counts the images in the background, or None if nobody can.
            done: Images that were done before.
        """

        def report(record: Record) -> None:
            if record.error and self._verbose:
                self.notice(f"error     {record.path}: {record.error}", "red")

        if self._quiet or not sys.stderr.isatty():  # nobody looks: the library is not imported
            yield report
            return
        from tqdm import tqdm

        stopping = Event()
        with tqdm(
            unit=" images", file=sys.stderr, dynamic_ncols=True, smoothing=0.1, mininterval=0.2,
            initial=done,
        ) as bar:  # fmt: skip
            self._bar = bar

            def advance(record: Record) -> None:
                bar.update()
                report(record)

            def set_total() -> None:
                total = count(stopping) if count else None
                if total is not None and not stopping.is_set():
                    bar.total = total

            if count:
                Thread(target=set_total, daemon=True, name="mnv2-count").start()
            try:
                yield advance
            finally:
                stopping.set()
                self._bar = None
                bar.leave = False

    @contextmanager
    def printing(self, *, to_stdout: bool = False) -> Iterator[None]:
        """Clear the progress bar while something is printed to the same terminal."""
        if self._bar is None or (to_stdout and not sys.stdout.isatty()):
            yield
            return
        from tqdm import tqdm

        with tqdm.external_write_mode(file=sys.stderr):
            yield

    def summary(
        self,
        report: Report,
        engine: str,
        output: str | None,
        *,
        interrupted: bool = False,
        resume_command: str = "",
    ) -> None:
        """Show what the run came to, and the command that resumes it."""
        lines = format_summary(
            report, engine, output, interrupted=interrupted, resume_command=resume_command
        )
        if output is None and self._console.is_terminal and sys.stdout.isatty():
            self._console.print()
        self.lines(lines)
