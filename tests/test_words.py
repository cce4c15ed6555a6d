"""The English of the project, as ``scripts/check_words.py`` checks it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def script(name: str, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, f"scripts/{name}", *args],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def find(monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.syspath_prepend(ROOT / "scripts")
    from check_words import find  # type: ignore[import-not-found, unused-ignore]

    return find


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs Git's list of files")
def test_no_file_has_a_banned_phrase() -> None:
    done = script("check_words.py")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "text",
    [
        "the run is gone " + "on with",
        "x = 1\n# the callback is\n# told of it",
        "it is " + "no file",
        "names say" + " how",
        "in processes of " + "their own",
        "join what is " + "there",
    ],
)
def test_banned_phrases_are_found_over_line_breaks_too(find: object, text: str) -> None:
    assert list(find(text))  # type: ignore[operator]


@pytest.mark.parametrize(
    "text", ["there is no file", "the folder is no longer empty", "resume the run", "its own file"]
)
def test_idiomatic_phrases_are_not_found(find: object, text: str) -> None:
    assert not list(find(text))  # type: ignore[operator]


def test_every_message_is_listed_with_its_place() -> None:
    done = script("list_messages.py", "mnv2cli/cli")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) > 150
    assert any("--retry-errors requires --resume." in line for line in lines)
    assert any(line.startswith("mnv2cli/cli/classify.py:") and "help: " in line for line in lines)
