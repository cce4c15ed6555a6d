"""Where the progress bar and the summary appear: never over rows, never over a pager."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_process import ENVIRONMENT, FAKE
from tests.conftest import draw

BAR = " images/s]"  # the end of tqdm's bar


class Terminal:
    """A pseudo-terminal of 80 by 24."""

    def __init__(self) -> None:
        self._controller, self.file = pty.openpty()
        fcntl.ioctl(self.file, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))

    def text(self) -> str:
        """Return the text written to it, without colours, once all writers have ended."""
        os.close(self.file)
        data = b""
        try:
            while block := os.read(self._controller, 1 << 16):
                data += block
        except OSError:  # Linux reports the end as an error
            pass
        os.close(self._controller)
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", data.decode())


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    yield Terminal()


def classify(folder: Path, stderr: int, **stdout: object) -> str:
    """Classify 40 images slowly enough for the bar; return standard output if it is a pipe."""
    for i in range(40):
        draw(folder / f"{i}.bmp", (i, 0, 0), (4, 4))
    done = subprocess.run(
        [sys.executable, "-c", FAKE.format(delay=0.1), "classify", folder, "-f", "csv"],
        stderr=stderr,
        check=False,
        env={**ENVIRONMENT, "TERM": "xterm", "COLUMNS": "80"},
        **{"stdout": subprocess.PIPE, **stdout},  # type: ignore[call-overload]
    )
    assert done.returncode == 0
    return (done.stdout or b"").decode()


def test_no_bar_is_drawn_while_rows_go_through_a_pipe(tmp_path: Path, terminal: Terminal) -> None:
    rows = classify(tmp_path, terminal.file)
    shown = terminal.text()
    assert len(rows.splitlines()) == 41
    assert BAR not in shown and "Loading" not in shown
    assert "Images     40 in " in shown


def test_no_bar_is_drawn_while_rows_go_to_the_terminal(tmp_path: Path, terminal: Terminal) -> None:
    classify(tmp_path, terminal.file, stdout=terminal.file)
    shown = terminal.text()
    assert BAR not in shown and shown.count(".bmp,ok,") == 40


@pytest.mark.parametrize("target", ["rows.csv", "/dev/null"])
def test_a_bar_is_drawn_while_rows_go_to_a_file(
    tmp_path: Path, terminal: Terminal, target: str
) -> None:
    with open(tmp_path / target, "wb") as file:
        classify(tmp_path / "photos", terminal.file, stdout=file)
    assert BAR in terminal.text()


def test_ctrl_c_shows_that_current_images_are_finished(tmp_path: Path, terminal: Terminal) -> None:
    for i in range(200):
        draw(tmp_path / f"{i}.bmp", (i, 0, 0), (4, 4))
    output = tmp_path / "rows.csv"
    process = subprocess.Popen(
        [sys.executable, "-c", FAKE.format(delay=0.2), "classify", tmp_path, "-o", output],
        stderr=terminal.file,
        env={**ENVIRONMENT, "TERM": "xterm"},
    )
    deadline = time.monotonic() + 60
    while not (output.exists() and output.stat().st_size > 300) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    lines = terminal.text().replace("\r", "\n").split("\n")
    assert "Finishing current images; press Ctrl-C again to stop now." in lines
    assert [line for line in lines if line][-1] == "Interrupted."


def test_no_summary_is_drawn_over_a_pager(tmp_path: Path, terminal: Terminal) -> None:
    tty.setraw(terminal.file)  # as less does
    classify(tmp_path, terminal.file)
    assert terminal.text() == ""
