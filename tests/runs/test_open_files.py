"""Results are replaced while no handle of this process is open on them, as Windows requires."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.conftest import draw

HANDLES = Path("/proc/self/fd")
pytestmark = pytest.mark.skipif(not HANDLES.is_dir(), reason="needs /proc to list open files")


def open_paths() -> list[str]:
    found = []
    for handle in HANDLES.iterdir():
        try:
            found.append(os.readlink(handle))
        except FileNotFoundError:  # the handle that lists the folder
            continue
    return found


@pytest.fixture
def replaced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record replaced files; fail if one is open, by its old or its new name."""
    replaced: list[str] = []

    def check(function: Callable[..., None]) -> Callable[..., None]:
        def checked(source: str, target: str) -> None:
            both = {os.path.realpath(source), os.path.realpath(target)}
            assert not both.intersection(open_paths())
            replaced.append(os.path.basename(target))
            function(source, target)

        return checked

    monkeypatch.setattr(os, "replace", check(os.replace))
    return replaced


@pytest.mark.usefixtures("fake_engine")
@pytest.mark.parametrize("format", ["csv", "jsonl"])
@pytest.mark.parametrize("retry", [(), ("--retry-errors",)])
def test_a_resumed_run_replaces_its_results_while_they_are_closed(
    tmp_path: Path,
    invoke: Callable[..., Result],
    replaced: list[str],
    format: str,
    retry: tuple[str, ...],
) -> None:
    folder = tmp_path / "photos"
    for i in range(10, 20):
        draw(folder / f"{i}.png", (i, 9, 0))
    (folder / "15.png").write_text("not an image")
    output = tmp_path / f"labels.{format}"
    assert invoke("classify", folder, "-q", "-o", output).exit_code == 4
    whole = output.read_bytes()
    lines = whole.splitlines(keepends=True)
    output.write_bytes(b"".join([*lines[:3], b"damaged\n", *lines[4:9], lines[9][:9]]))
    draw(folder / "1.png", (1, 9, 0))  # its row comes first, and moves all others
    result = invoke("classify", folder, "-q", "-o", output, "--resume", *retry)
    assert result.exit_code == 4, result.stderr
    assert replaced == [output.name] * 2  # once without the damaged row, once in order
    assert len(output.read_bytes().splitlines()) == len(lines) + 1


@pytest.mark.usefixtures("fake_engine")
def test_merged_results_are_closed_when_they_get_their_name(
    tmp_path: Path, invoke: Callable[..., Result], replaced: list[str]
) -> None:
    for i in range(8):
        draw(tmp_path / "photos" / f"{i}.png", (i, 9, 0))
    shards = [tmp_path / f"{i}.csv" for i in (1, 2)]
    for i, shard in enumerate(shards, 1):
        args = ("classify", tmp_path / "photos", "-q", "-o", shard, "--shard", f"{i}/2")
        assert invoke(*args).exit_code == 0
    for _ in range(2):
        result = invoke("merge", *shards, "-o", tmp_path / "all.csv", "--force")
        assert result.exit_code == 0, result.stderr
    assert replaced.count("all.csv") == 2
