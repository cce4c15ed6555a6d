"""The program of an isolated decoder: what it answers, imports and may use."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mnv2cli.images import child
from mnv2cli.images.child import serve
from mnv2cli.images.isolated import default_command
from mnv2cli.images.options import ImageOptions
from mnv2cli.images.protocol import from_arguments, to_arguments
from tests.conftest import draw


def test_requests_are_answered_until_they_end(tmp_path: Path) -> None:
    def request(kind: bytes, path: str) -> bytes:
        data = os.fsencode(path)
        return kind + len(data).to_bytes(4, "little") + data

    image = str(draw(tmp_path / "image.png", (10, 20, 30)))
    answers = io.BytesIO()
    requests = request(b"d", image) + request(b"t", image) + request(b"d", str(tmp_path)) + b"d"
    serve(io.BytesIO(requests), answers, 2, ImageOptions(timeout=5))
    error = b"a folder, not an image\0"
    assert answers.getvalue() == (
        b"r" + bytes(4)
        + b"p" + (12).to_bytes(4, "little") + bytes((10, 20, 30)) * 4
        + b"t" + bytes(4)
        + b"e" + len(error).to_bytes(4, "little") + error
    )  # fmt: skip


def test_memory_is_limited_only_in_a_child() -> None:
    code = (
        "import resource, sys; sys.path[:] = sys.argv[1:];"
        "from mnv2cli.images.child import limit_memory; limit_memory(1_000_000);"
        "print(*resource.getrlimit(resource.RLIMIT_AS), *resource.getrlimit(resource.RLIMIT_CORE))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, *sys.path], capture_output=True, text=True, check=True
    )
    limit = child.BASE_BYTES + 1_000_000 * child.BYTES_PER_PIXEL
    limit += child.THREAD_BYTES * (os.cpu_count() or 1)
    assert result.stdout.split() == [str(limit)] * 2 + ["0"] * 2


def test_a_child_imports_only_what_decoding_needs() -> None:
    start, *rest = default_command()
    place = rest.index("-c") + 1
    rest[place] = rest[place].replace("main()", "print(*sys.modules)")
    result = subprocess.run([start, *rest], capture_output=True, text=True, check=True)
    modules = set(result.stdout.split())
    assert "mnv2cli.images.decode" in modules
    assert not modules & {"keras", "tensorflow", "pandas", "ai_edge_litert", "rich", "click"}


@pytest.mark.parametrize(
    "options", [ImageOptions(), ImageOptions("pad", "lanczos", 7, True, True, 1e-5, 1.0)]
)
def test_the_command_line_of_a_child_contains_all_options(options: ImageOptions) -> None:
    assert from_arguments(to_arguments(96, options)) == (96, options)
