"""Run a shell command in a pseudo-terminal and return what its screen shows at the end."""

from __future__ import annotations

import os
import re
import select
import signal
import struct
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

_TOKENS = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|.", re.DOTALL)
_TAB = 8


class Screen:
    """A terminal of unlimited height whose lines do not wrap.

    It supports what progress bars and tables use: carriage return, backspace, tab, colours, moving
    the cursor up and down, and erasing a line or the rest of it.
    """

    def __init__(self) -> None:
        self._lines: list[list[tuple[str, str]]] = [[]]  # style and character
        self._row = self._column = 0
        self._style = ""

    def feed(self, text: str) -> None:
        """Show the output ``text``."""
        for token in _TOKENS.finditer(text):
            if token[2]:
                self._control(token[1], token[2])
            elif not token[0].startswith("\x1b"):
                self._put(token[0])

    def text(self) -> str:
        """Return the lines shown, without trailing spaces."""
        return "\n".join("".join(c for _, c in line).rstrip() for line in self._lines).rstrip("\n")

    def ansi(self) -> str:
        """Return the lines shown, with the escape sequences of their colours."""
        shown = []
        for line in self._lines:
            style = ""
            for wanted, character in line:
                if wanted != style:
                    shown.append("\x1b[0m" + wanted)
                    style = wanted
                shown.append(character)
            shown.append("\x1b[0m\n" if style else "\n")
        return "".join(shown).rstrip("\n")

    def _put(self, character: str) -> None:
        if character == "\n":
            self._move(1)
        elif character == "\r":
            self._column = 0
        elif character == "\b":
            self._column = max(0, self._column - 1)
        elif character == "\t":
            self._column += _TAB - self._column % _TAB
        elif character >= " ":
            line = self._lines[self._row]
            line.extend([("", " ")] * (self._column + 1 - len(line)))
            line[self._column] = (self._style, character)
            self._column += 1

    def _move(self, rows: int) -> None:
        self._row = max(0, self._row + rows)
        self._lines.extend([] for _ in range(self._row + 1 - len(self._lines)))

    def _control(self, arguments: str, command: str) -> None:
        count = int(arguments) if arguments.isdigit() else 1
        if command == "m":
            self._style = "" if arguments in ("", "0") else f"{self._style}\x1b[{arguments}m"
        elif command == "A":
            self._move(-count)
        elif command == "B":
            self._move(count)
        elif command == "K":
            keep = 0 if arguments == "2" else self._column
            del self._lines[self._row][keep:]


def run_in_terminal(
    command: str, folder: Path, env: Mapping[str, str], columns: int = 100, timeout: float = 300
) -> tuple[Screen, int]:
    """Run ``command`` with bash in a terminal, and return its screen and its exit code.

    Raises:
        TimeoutError: It runs longer than ``timeout`` seconds.
    """
    import fcntl  # not on Windows, where tests that need a terminal are skipped
    import pty
    import termios

    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    with subprocess.Popen(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder,
        env={**env, "TERM": "xterm-256color"},
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    ) as process:
        os.close(terminal)
        try:
            output = _read(controller, time.monotonic() + timeout)
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            raise TimeoutError(f"still running after {timeout:.0f} seconds: {command}") from None
        finally:
            os.close(controller)
    screen = Screen()
    screen.feed(output.decode("utf-8", "replace"))
    return screen, process.returncode


def _read(descriptor: int, deadline: float) -> bytes:
    """Read until the last process with the terminal has ended."""
    output = b""
    while True:
        if not select.select([descriptor], [], [], max(0, deadline - time.monotonic()))[0]:
            raise TimeoutError
        try:
            part = os.read(descriptor, 65536)
        except OSError:  # Linux: no process has the terminal open
            return output
        if not part:
            return output
        output += part
