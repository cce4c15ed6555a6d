"""Behaviour that requires a separate process: imports, signals, pipes, and the terminal."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import draw

HEAVY = {"numpy", "pandas", "keras", "tensorflow", "PIL", "pyarrow", "h5py", "rich", "tqdm"}

# The command line with the fake network of the tests, which sleeps {delay} seconds per batch.
# Tests that run in the background inherit an ignored SIGINT, and so would their children.
FAKE = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from tests.conftest import FakeEngine
import mnv2cli.inference.classifier, mnv2cli.cli
class Slow(FakeEngine):
    def predict(self, batch):
        time.sleep({delay})
        return super().predict(batch)
mnv2cli.inference.classifier.open_engine = lambda *args, **kwargs: Slow()
mnv2cli.inference.classifier.available = lambda model, **kwargs: model
mnv2cli.cli.run()
"""
ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def python(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *args], capture_output=True, text=True, check=False, env=ENVIRONMENT
    )


def start(delay: float, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", FAKE.format(delay=delay), *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )


@pytest.mark.parametrize("args", [["--help"], ["classify", "--help"], ["--version"], ["classify"]])
def test_help_imports_no_heavy_library(args: list[str]) -> None:
    code = (
        "import sys, json\nfrom mnv2cli.cli import main\n"
        f"try: main({args!r})\n"
        "except SystemExit: print('MODULES', *sys.modules)"
    )
    result = python("-c", code)
    modules = result.stdout.rpartition("MODULES")[2].split()
    assert "click" in modules
    assert not HEAVY & set(modules)
    assert not any(name.endswith(("elsewhere.description", "elsewhere.facts")) for name in modules)


def test_the_package_imports_no_heavy_library() -> None:
    result = python("-c", "import sys, mnv2cli; mnv2cli.Classifier; print(*sys.modules)")
    assert not (HEAVY - {"numpy"}) & set(result.stdout.split())
    assert python("-c", "import mnv2cli; mnv2cli.nonsense").stderr.strip().endswith("'nonsense'")


def test_python_m_runs_the_command() -> None:
    assert python("-m", "mnv2cli", "--version").stdout.startswith("mnv2 ")


STARTING = """
import runpy, signal, sys
signal.signal(signal.SIGINT, signal.{handler})
class CtrlC:
    def find_spec(self, name, path=None, target=None):
        if name in ("click", "mnv2cli.cli", "mnv2cli.errors"):
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, CtrlC())
sys.argv = ["mnv2", "--version"]
runpy.run_module("mnv2cli", run_name="__main__")
"""


def test_ctrl_c_while_the_command_line_is_imported_ends_quietly() -> None:
    result = python("-c", STARTING.format(handler="default_int_handler"))
    assert (result.returncode, result.stdout, result.stderr) == (130, "", "")


def test_an_ignored_ctrl_c_is_ignored_while_the_command_line_is_imported() -> None:
    result = python("-c", STARTING.format(handler="SIG_IGN"))
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("mnv2 ")


def test_ctrl_c_after_the_start_is_handled_as_usual() -> None:
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import mnv2cli.cli, mnv2cli.__main__\n"
        "mnv2cli.cli.run = lambda: print(signal.getsignal(signal.SIGINT).__name__)\n"
        "mnv2cli.__main__.run()"
    )
    assert python("-c", code).stdout == "default_int_handler\n"


@pytest.mark.parametrize(
    ("format", "start"), [("csv", "path,status,label_1"), ("table", "Labels by mobilenet_v2")]
)
def test_a_closed_pipe_ends_the_run_quietly(tmp_path: Path, format: str, start: str) -> None:
    for i in range(300):
        draw(tmp_path / f"{i}.bmp", (i % 256, 0, 0), (4, 4))
    command = f"{sys.executable} -c '{FAKE.format(delay=0)}' classify {tmp_path} -q -f {format}"
    result = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{command} | head -1"],
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(start)


@pytest.mark.parametrize("source", ["-", "fifo"])
def test_sigint_ends_a_run_that_waits_for_its_list(tmp_path: Path, source: str) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    out = tmp_path / "out.csv"
    process = subprocess.Popen(
        [sys.executable, "-c", FAKE.format(delay=0), "classify", "-o", str(out),
         "--files-from", "-" if source == "-" else str(fifo)],
        stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT,
    )  # fmt: skip
    assert process.stdin is not None
    path = draw(tmp_path / "a.png")
    with open(fifo, "wb") if source == "fifo" else process.stdin as stream:
        stream.write(os.fsencode(path) + b"\n")
        stream.flush()
        deadline = time.monotonic() + 60
        while not out.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    process.stdin.close()
    process.stderr.close()  # type: ignore[union-attr]
    assert len(out.read_text().splitlines()) == 2


def test_closed_streams_cause_no_traceback(tmp_path: Path) -> None:
    draw(tmp_path / "a.png")
    command = f"{sys.executable} -c '{FAKE.format(delay=0)}' classify {tmp_path}"
    for closing, code, rows, message in [
        ("2>&-", 0, 2, ""),
        (
            ">&-",
            1,
            0,
            "Error: cannot write results: standard output is closed\nName a file with -o.\n",
        ),
    ]:
        result = subprocess.run(
            ["bash", "-c", f"{command} {closing}"],
            capture_output=True, text=True, check=False, env=ENVIRONMENT,
        )  # fmt: skip
        assert result.returncode == code
        assert len(result.stdout.splitlines()) == rows
        assert result.stderr == message


@pytest.mark.parametrize("format", ["csv", "json", "jsonl"])
def test_sigint_leaves_a_readable_file_and_exits_130(tmp_path: Path, format: str) -> None:
    for i in range(100):
        draw(tmp_path / f"{i}.png", (i, 0, 0), (4, 4))
    out = tmp_path / f"out.{format}"
    process = start(0.2, "classify", str(tmp_path), "-o", str(out))
    deadline = time.monotonic() + 60
    while not (out.exists() and out.stat().st_size > 300) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in stderr and "interrupted" in stderr and stdout == ""
    text = out.read_text()
    if format == "json":
        count = len(json.loads(text))
    elif format == "csv":
        count = len(list(csv.DictReader(text.splitlines())))
    else:
        count = len([json.loads(line) for line in text.splitlines()])
    assert 0 < count < 100
    assert f"Images     {count} in " in stderr and ", then interrupted\n" in stderr


def test_an_interrupted_run_cleans_up_and_does_not_wait_for_libraries(tmp_path: Path) -> None:
    draw(tmp_path / "a.png")
    busy = (
        "import atexit, pathlib, threading, time\n"
        f"atexit.register(pathlib.Path({str(tmp_path / 'clean')!r}).touch)\n"
        "def open_slowly(*args, **kwargs):\n"
        "    threading.Thread(target=time.sleep, args=(600,)).start()\n"
        "    print('loading', file=sys.stderr, flush=True)\n"
        "    time.sleep(600)\n"
        "mnv2cli.inference.classifier.open_engine = open_slowly\n"
    )
    before, run, _ = FAKE.format(delay=0).rpartition("mnv2cli.cli.run()")
    process = subprocess.Popen(
        [sys.executable, "-c", before + busy + run, "classify", str(tmp_path)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
    )  # fmt: skip
    assert process.stderr is not None and process.stderr.readline() == "loading\n"
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (130, "Interrupted.\n")
    assert (tmp_path / "clean").exists()


def test_a_full_disk_is_one_clear_error(tmp_path: Path) -> None:
    draw(tmp_path / "a.png")
    process = start(0, "classify", str(tmp_path), "-q", "-o", "/dev/full", "-f", "csv")
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert stderr.splitlines()[0] == (
        "Error: cannot write results to '/dev/full': no space left on device"
    )


def test_fifos_and_devices_do_not_hang_the_run(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "f.jpg")
    (tmp_path / "z.jpg").symlink_to("/dev/zero")
    process = start(0, "classify", str(tmp_path), "-q")
    stdout, _ = process.communicate(timeout=60)
    assert process.returncode == 4
    assert [row["error"] for row in csv.DictReader(stdout.splitlines())] == [
        "not a regular file: a named pipe",
        "not a regular file: a device",
    ]


def test_messages_of_c_libraries_are_shown_only_with_verbose(tmp_path: Path) -> None:
    draw(tmp_path / "a.png")
    noisy = FAKE.replace("time.sleep({delay})", "import os; os.write(2, b'E0000 noise')")
    for flags, shown in [((), False), (("-v",), True)]:
        result = python("-c", noisy, "classify", str(tmp_path), *flags)
        assert ("E0000 noise" in result.stderr) == shown
        assert "Images     1 in" in result.stderr
