"""Routine messages of native libraries are dropped; everything else on stderr is kept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
INFO = "INFO: Created TensorFlow Lite XNNPACK delegate for CPU."
ONEDNN = "I0000 00:00:1795626091.1   25 port.cc:153] oneDNN custom operations are on."


def run(code: str) -> subprocess.CompletedProcess[str]:
    code = "import os, sys\nfrom mnv2cli.system.native_stderr import *\n" + code
    return subprocess.run(
        [sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, check=False, cwd=ROOT
    )


def test_routine_lines_are_dropped_and_others_kept() -> None:
    code = f"""
with without_routine_messages():
    os.write(2, b"{INFO}\\n")
    with without_routine_messages():
        os.write(2, b"{ONEDNN}\\nE0000 1 port.cc:1] an error\\n")
    print("from Python", file=sys.stderr)
    os.write(2, b"without a line end")
print(", after", file=sys.stderr)
"""
    assert run(code).stderr.splitlines() == [
        "E0000 1 port.cc:1] an error",
        "from Python",
        "without a line end, after",
    ]


def test_messages_are_kept_if_the_block_raises() -> None:
    code = """
with without_routine_messages():
    os.write(2, b"why it failed\\n")
    raise SystemExit(3)
"""
    done = run(code)
    assert (done.returncode, done.stderr) == (3, "why it failed\n")


def test_a_closed_stderr_is_ignored() -> None:
    code = "os.close(2)\nwith without_routine_messages():\n    open('/dev/null').close()\n"
    assert run(code).returncode == 0
