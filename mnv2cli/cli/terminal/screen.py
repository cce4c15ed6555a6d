"""What the user sees on stderr: notices, progress and the summary."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from rich.text import Text

from mnv2cli.cli.terminal.console import PlainConsole, has_pager, is_stdout_stored
from mnv2cli.cli.terminal.native_messages import hide_native_messages
from mnv2cli.cli.terminal.summary import Line, format_summary
from mnv2cli.cli.terminal.text import printable
from mnv2cli.inference.report import Report
from mnv2cli.records import Record

if TYPE_CHECKING:
    from rich.status import Status
    from tqdm import tqdm


class Screen:
    """The messages of a command on stderr.

    Args:
        quiet: Show only errors and warnings; an unreadable image is an error.
        verbose: Show each skipped and each unreadable file, and messages of libraries.
    """

    def __init__(self, *, quiet: bool, verbose: bool) -> None:
        if not verbose:
            hide_native_messages()
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")  # the terminal may lack a character
        self._quiet = quiet
        self._verbose = verbose
        self._console = PlainConsole(stderr=True, highlight=False, quiet=quiet)
        self._bar: tqdm[Any] | None = None
        self._download_bar: tqdm[Any] | None = None
        self._status: Status | None = None

    @property
    def quiet(self) -> bool:
        """Whether to show only errors and warnings."""
        return self._quiet

    @property
    def verbose(self) -> bool:
        """Whether to show each file, not only counts."""
        return self._verbose

    def notice(self, text: str, style: str = "dim") -> None:
        """Show a line of information."""
        with self.printing():
            self._console.print(Text(printable(text), style=style), soft_wrap=True)

    def warning(self, text: str) -> None:
        """Show a warning, even in a quiet run."""
        self._show("Warning", text, "yellow")

    def error(self, text: str) -> None:
        """Show an error that does not end the run, even in a quiet run."""
        self._show("Error", text, "red")

    def _show(self, kind: str, text: str, style: str) -> None:
        with self.printing():
            console = PlainConsole(stderr=True, highlight=False)
            console.print(Text(f"{kind}: {printable(text)}", style=style), soft_wrap=True)

    def skipped(self, path: str, reason: str) -> None:
        """Show a skipped file or folder, if the run is verbose."""
        if self._verbose:
            self.notice(f"skipped    {path}: {reason}")

    def unreadable(self, path: str, error: str) -> None:
        """Show an unreadable image, if the run is verbose or quiet; else the summary counts it."""
        if self._verbose:
            self.notice(f"unreadable {path}: {error}", "red")
        elif self._quiet:
            self.error(f"{path}: {error}")

    def lines(self, lines: list[Line]) -> None:
        """Show a summary: a name, a text and a style for each line."""
        if not self._console.is_terminal:  # into a log: without padding or wrapping
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
    def counting(
        self, name: str, total: int, *, rows_to_stdout: bool = False
    ) -> Iterator[Callable[[int], None]]:
        """Show the progress of work on a known number of files.

        Args:
            name: The name of the work, such as ``sorting``.
            total: The number of files.
            rows_to_stdout: Results went to standard output.

        Yields:
            A function to call with the number of files done since its last call.
        """
        from tqdm import tqdm

        with tqdm(
            desc=name, total=total, unit=" files", file=sys.stderr, leave=False,
            disable=not self._may_draw(rows_to_stdout), dynamic_ncols=True, mininterval=0.2,
        ) as bar:  # fmt: skip

            def step(count: int) -> None:
                bar.update(count)

            yield step

    @contextmanager
    def loading(self, name: str, *, rows_to_stdout: bool = False) -> Iterator[None]:
        """Show that the model is being loaded during the block.

        Args:
            name: The network.
            rows_to_stdout: Results will go to standard output.
        """
        if self._verbose:
            self.notice(f"loading    {name}")
        # A spinner ends before the first row, so rows on the terminal itself do not matter.
        rows_to_pipe = rows_to_stdout and not sys.stdout.isatty()
        if self._may_draw(rows_to_pipe) and self._console.is_terminal and not self._verbose:
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
        """Show the progress of a download, in bytes."""
        if self._download_bar is None:
            from tqdm import tqdm

            if self._status is not None:
                self._status.stop()  # a bar and a spinner cannot share a line
            self.notice(f"Downloading {name} (only once)")
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

    def _may_draw(self, rows_to_stdout: bool) -> bool:
        """Return whether a bar or spinner may be drawn.

        Rows on standard output are progress enough where they appear: on the terminal itself, or
        through a pipe whose last program, such as ``head``, ``less`` or ``jq``, may write there.
        """
        if self._quiet or not sys.stderr.isatty():
            return False
        return not rows_to_stdout or is_stdout_stored()

    @contextmanager
    def progress(
        self,
        count: Callable[[Event], int | None] | None,
        done: int = 0,
        *,
        rows_to_stdout: bool = False,
    ) -> Iterator[Callable[[Record], None]]:
        """Show the progress of a run.

        Args:
            count: Counts the images in a background thread until its event is set; None if they
                cannot be counted.
            done: The number of images that have a row from an earlier run.
            rows_to_stdout: Results go to standard output.

        Yields:
            A function to call with each record.
        """

        def report(record: Record) -> None:
            if record.error:
                self.unreadable(record.path, record.error)

        if not self._may_draw(rows_to_stdout):
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
    def printing(self) -> Iterator[None]:
        """Clear the progress bar or spinner while the block prints to the terminal."""
        if self._status is not None and self._download_bar is None:
            self._status.stop()
            yield
            self._status.start()
            return
        if self._bar is None:
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
        """Show the summary of a run and the command that resumes it."""
        if output is None and has_pager():
            return  # it would be drawn over the pager's text
        lines = format_summary(
            report, engine, output, interrupted=interrupted, resume_command=resume_command
        )
        if output is None and self._console.is_terminal and sys.stdout.isatty():
            self._console.print()
        self.lines(lines)
