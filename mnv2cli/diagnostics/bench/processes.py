"""Run cases and commands in separate processes, and measure their time and peak memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from time import perf_counter

from mnv2cli.diagnostics.bench.results import Result
from mnv2cli.diagnostics.bench.workload import Workload
from mnv2cli.errors import Mnv2Error


def run_case(name: str, case: str, workload: Workload) -> Result:
    """Run a case's function in a new process.

    Args:
        name: The name of the result.
        case: The name of the case.
        workload: The workload of the case.

    Raises:
        Mnv2Error: The case fails.
    """
    line = [sys.executable, "-m", "mnv2cli.diagnostics.bench", case, workload.to_json()]
    output, seconds, megabytes = _run(name, line)
    timing = json.loads(output.splitlines()[-1])
    return Result(name, timing["images"] / timing["seconds"], seconds, megabytes, timing["images"])


def run_command(name: str, path: str, workload: Workload) -> Result:
    """Classify a path with the ``mnv2`` command, as users run it.

    Args:
        name: The name of the result.
        path: A folder or an image.
        workload: The network and engine.

    Raises:
        Mnv2Error: The command fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out.csv")
        line = [sys.executable, "-m", "mnv2cli", "classify", path, "-q", "-o", out]
        _, seconds, megabytes = _run(name, line + _command_options(workload))
    return Result(name, None, seconds, megabytes)


def _command_options(workload: Workload) -> list[str]:
    model, engine = workload.model, workload.engine
    values = {
        "engine": engine.name,
        "precision": engine.precision,
        "model": model.name or None,
        "alpha": model.alpha,
        "size": model.size,
        "weights": model.weights,
        "calibrate": engine.calibrate or None,
    }
    given = [f"--{name}={value}" for name, value in values.items() if value is not None]
    return [*given, "--accurate"] if model.accurate else given


def _run(name: str, line: list[str]) -> tuple[str, float, float | None]:
    """Run a process; return its output, its seconds from start to end and its peak megabytes."""
    start = perf_counter()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=errors, text=True)
        output = process.stdout.read() if process.stdout else ""
        megabytes: float | None = None
        if hasattr(os, "wait4"):
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
            megabytes = usage.ru_maxrss / unit
        process.wait()
        if process.stdout:
            process.stdout.close()
        seconds = perf_counter() - start
        if process.returncode:
            errors.seek(0)
            text = errors.read().decode(errors="replace").strip().splitlines()
            last = (
                [line for line in text if line.startswith("Error: ")]
                or text[-1:]
                or ["no error message"]
            )
            raise Mnv2Error(f"cannot measure {name}: {last[0].removeprefix('Error: ')}")
    return output, seconds, megabytes
