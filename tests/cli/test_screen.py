"""The spinner while a model is loaded, and what `mnv2 doctor` says of the terminal."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from tests.cli.test_process import ENVIRONMENT
from tests.screen import run_in_terminal

SPINNER = """
import sys, time
from mnv2cli.cli.terminal.screen import Screen
screen = Screen(quiet=False, verbose=False)
with screen.loading("MobileNetV2", rows_to_stdout={rows_to_stdout}):
    time.sleep(0.3)
    spins = screen._status is not None
    screen.warning("cannot download it")
    screen.status("Loading another …")
    time.sleep(0.3)
print("spins" if spins else "is still", file=sys.stderr)
"""

DOCTOR = """
import mnv2cli.diagnostics.doctor.examine as examine
examine.examine = lambda show: iter(())
from mnv2cli.cli import main
main(["doctor"], prog_name="mnv2")
"""


def shown(code: str, folder: Path, more: str = "") -> list[str]:
    """Run Python code in a terminal; return the lines of its screen at the end."""
    command = f"{shlex.quote(sys.executable)} -c {shlex.quote(code)} {more}"
    environment = {name: value for name, value in ENVIRONMENT.items() if name != "NO_COLOR"}
    screen, status = run_in_terminal(command, folder, {**environment, "LANG": "C.UTF-8"}, 80)
    assert status == 0, screen.text()
    return screen.text().splitlines()


def test_a_warning_is_a_line_without_the_spinner(tmp_path: Path) -> None:
    code = SPINNER.format(rows_to_stdout=False)
    assert shown(code, tmp_path) == ["Warning: cannot download it", "spins"]


@pytest.mark.parametrize(("more", "last"), [("", "spins"), ("| cat", "is still")])
def test_the_spinner_is_shown_before_rows_on_the_terminal_but_not_beside_a_pipe(
    tmp_path: Path, more: str, last: str
) -> None:
    code = SPINNER.format(rows_to_stdout=True)
    assert shown(code, tmp_path, more) == ["Warning: cannot download it", last]


def test_doctor_reads_the_encoding_of_the_terminal_itself(tmp_path: Path) -> None:
    text = "\n".join(shown(DOCTOR, tmp_path))
    assert "a terminal, 80 columns, utf-8" in text and "warning" not in text
