"""The examples of services are valid, and run a command line that mnv2 accepts."""

from __future__ import annotations

import plistlib
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mnv2cli.cli.watch import watch

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "watch"


def is_accepted(line: list[str], tmp_path: Path) -> bool:
    (tmp_path / "drop").mkdir()
    assert line[0].endswith("/bin/mnv2") and line[1] == "watch"
    context = watch.make_context("watch", [str(tmp_path / "drop"), *line[3:]])
    return context.params["dest"] == line[line.index("--into") + 1]


def test_the_unit_of_systemd_is_valid(tmp_path: Path) -> None:
    text = (EXAMPLES / "mnv2-watch.service").read_text()
    start = next(line for line in text.splitlines() if line.startswith("ExecStart="))
    assert is_accepted(shlex.split(start.partition("=")[2]), tmp_path)
    if not shutil.which("systemd-analyze"):
        pytest.skip("needs systemd-analyze")
    unit = tmp_path / "mnv2-watch.service"
    unit.write_text(text.replace("%h/.local/bin/mnv2", sys.executable))  # it must exist
    command = ["systemd-analyze", "verify", "--user", "--man=no", str(unit)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    if "initialize manager" in checked.stderr:
        command.remove("--user")  # there is no session of a user here
        checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert str(unit.name) not in checked.stderr


def test_the_property_list_of_launchd_is_valid(tmp_path: Path) -> None:
    with open(EXAMPLES / "mnv2-watch.plist", "rb") as file:
        found = plistlib.load(file)
    assert found["Label"] == "mnv2-watch" and found["RunAtLoad"] is True
    assert found["KeepAlive"] == {"SuccessfulExit": False}
    assert is_accepted(found["ProgramArguments"], tmp_path)


@pytest.mark.parametrize("name", ["service", "plist"])
def test_the_documentation_names_the_example(name: str) -> None:
    page = (EXAMPLES.parents[1] / "docs" / "watch.md").read_text(encoding="utf-8")
    assert f"examples/watch/mnv2-watch.{name}" in page
