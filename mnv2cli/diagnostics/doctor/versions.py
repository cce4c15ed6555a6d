"""The versions of this program and its libraries."""

from __future__ import annotations

import platform
from collections.abc import Iterator

from mnv2cli import __version__
from mnv2cli.diagnostics.doctor.check import Check
from mnv2cli.system.packages import installed_version

_NEEDED = ("keras", "tensorflow", "numpy", "pillow", "pillow-heif", "pandas", "click")


def check_versions() -> Iterator[Check]:
    """Yield checks of the versions of this program and its libraries."""
    group = "Versions"
    yield Check(group, "mnv2", "ok", f"{__version__}, Python {platform.python_version()}")
    found = {name: installed_version(name) for name in _NEEDED}
    missing = [name for name, number in found.items() if not number]
    text = ", ".join(f"{name} {number or 'missing'}" for name, number in found.items())
    advice = "Reinstall mnv2: pip install --force-reinstall mnv2cli" if missing else ""
    yield Check(group, "libraries", "fail" if missing else "ok", text, advice)
    if number := installed_version("ai-edge-litert"):
        yield Check(group, "LiteRT", "ok", f"ai-edge-litert {number}")
    else:
        yield Check(
            group,
            "LiteRT",
            "warn",
            f"not installed on {platform.system()} {platform.machine()}; has wheels for Linux "
            "(x86_64, aarch64), macOS (arm64) and Windows (AMD64)",
            "Runs use the slower keras engine. If your platform has a wheel: pip install "
            "ai-edge-litert",
        )
