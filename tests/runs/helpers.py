"""Runs over the album, files as SIGKILL leaves them, and runs in separate processes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

from mnv2cli.results.check import log_path
from tests.cli.test_process import ENVIRONMENT, FAKE, start

Invoke = Callable[..., Result]


def run(invoke: Invoke, output: str, *args: str, code: int = 4) -> Result:
    result = invoke("classify", "album", "-q", "-k", "2", "-o", output, *args)
    assert result.exit_code == code, result.stderr
    return result


def events(output: Path) -> list[str]:
    log = Path(log_path(str(output))).read_text().splitlines()
    return [json.loads(line)["event"] for line in log]


def cut(output: Path, whole: bytes, end: int) -> None:
    """Leave a file as SIGKILL does: truncated to ``end`` bytes, with a log without an end."""
    output.write_bytes(whole[:end])
    log = Path(log_path(str(output)))
    log.write_text(log.read_text().splitlines()[0] + "\n")


def run_to_end(*args: str) -> int:
    """Run to the end, and return the exit code."""
    command = [sys.executable, "-c", FAKE.format(delay=0), *args]
    return subprocess.run(command, capture_output=True, check=False, env=ENVIRONMENT).returncode


def run_and_signal(args: list[str], output: Path, rows: int, number: int) -> tuple[int, str]:
    """Start a slow run, send a signal once some rows exist; return its exit code and stderr."""
    process = start(0.03, *args)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if output.exists() and output.read_bytes().count(b"\n") > rows:
            break
        time.sleep(0.01)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    return process.returncode, stderr
