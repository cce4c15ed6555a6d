"""The code blocks of README.md and docs/, and what they print when they run.

Fences and the comments above them determine what is done with a block:

- ``console``: lines that begin with ``$ `` are commands (``> `` in the lines below continues one),
  the others are their output, as a terminal of 100 columns shows it. Commands must exit with 0.
- ``sh``: a script that must exit with 0; its output is not shown.
- ``python``: a script that must exit with 0. A ``text`` block below it that is marked
  ``<!-- output -->`` is what it prints.
- ``<!-- not run: REASON -->`` above a block: it cannot run here.
- ``<!-- file: NAME -->``: the block is written to this file.
- ``<!-- needs: TOOL -->``: it runs only where this command is installed.

``<!-- made by: SCRIPT -->`` marks a page whose rest a script prints.

The blocks of a page run one after the other in a fresh folder that holds ``photos`` and
``examples/photos``, both with the six photos of ``examples/photos.py``.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.screen import run_in_terminal

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
COLUMNS = 100
LANGUAGES = {"console", "sh", "python", "text", "toml", "json"}
HOME = "/home/you"
"""Shown in place of the folder that the blocks run in."""

_MARKER = re.compile(r"<!-- *(not run|needs|output|file)(?:: *(.*?))? *-->")
_MADE_BY = re.compile(r"(?m)^<!-- made by: (\S+) -->\n\n")
_MASKS = [
    (re.compile(pattern), mask)
    for pattern, mask in (
        (r"\d{8}-\d{6}-\d+|\d{4}-\d\d-\d\d \d\d:\d\d", "TIME"),
        (r"\b\d\d:\d\d:\d\d\b", "TIME"),
        (r"\d[\d,]*(?:\.\d+)+(?:[eE][+-]\d+)?", "#"),
        (r"\b\d+ (ms|s|B|kB|MB|GB|threads?|workers?|cores?)\b", r"# \1"),
        (r"[█▏▎▍▌▋▊▉]+", ""),
        (r"─+", "─"),
        (r"\n[ \t]+", " "),  # a long path moves the end of a line to the next one
        (r"[ \t]+", " "),
    )
]


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes:
        page: The file.
        line: The line of its opening fence, from 1.
        language: The word after the fence.
        text: The lines between the fences, each with its newline.
        markers: The comments above the fence, by their first words.
    """

    page: Path
    line: int
    language: str
    text: str
    markers: dict[str, str]

    @property
    def name(self) -> str:
        """The place of the block, such as ``docs/sort.md:12``."""
        return f"{self.page.relative_to(ROOT).as_posix()}:{self.line}"

    @property
    def runs(self) -> bool:
        """Whether it is a script that can run here."""
        return self.language in ("console", "sh", "python") and "not run" not in self.markers

    @cached_property
    def commands(self) -> list[tuple[str, str]]:
        """The commands of a console block, each with the output below it, as on the page."""
        found: list[tuple[str, str]] = []
        for line in self.text.splitlines(keepends=True):
            if line.startswith("$ "):
                found.append((line, ""))
            elif not found:
                raise ValueError(f"{self.name}: a console block begins with a command, '$ ...'")
            elif line.startswith("> ") and not found[-1][1]:
                found[-1] = (found[-1][0] + line, "")
            else:
                found[-1] = (found[-1][0], found[-1][1] + line)
        return found

    def missing_tool(self) -> str:
        """Return the name of a command that it needs and that is not installed, or ''."""
        needed = filter(None, re.split(r"[ ,]+", self.markers.get("needs", "")))
        return next((tool for tool in needed if not shutil.which(tool)), "")


def pages() -> list[Path]:
    """Return README.md and the pages of docs/, in order."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a page, in order.

    Raises:
        ValueError: A fence is not closed.
    """
    lines = page.read_text(encoding="utf-8").splitlines(keepends=True)
    markers: dict[str, str] = {}
    number = 0
    while number < len(lines):
        line = lines[number].strip()
        number += 1
        marker = _MARKER.fullmatch(line)
        if marker:
            markers[marker[1]] = marker[2] or ""
        elif line.startswith("```"):
            start = number
            while number < len(lines) and lines[number].strip() != "```":
                number += 1
            if number == len(lines):
                raise ValueError(f"{page}:{start}: this block is not closed")
            yield Block(page, start, line[3:], "".join(lines[start:number]), markers)
            number += 1
            markers = {}
        else:
            markers = {}


def mask(text: str) -> str:
    """Return ``text`` without what differs from run to run: figures, widths, line breaks."""
    for pattern, replacement in _MASKS:
        text = pattern.sub(replacement, text)
    return "\n".join(line.strip() for line in text.strip().splitlines())


def environment(python: str = sys.executable) -> dict[str, str]:
    """Return the environment that blocks run in: this Python's commands, and no network."""
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.lower().endswith("_proxy") and name not in ("NO_COLOR", "COLUMNS", "MNV2_MODEL")
    }
    env.pop("MNV2_NO_CONFIG", None)  # pages write config files; whoever runs them has none
    env["MNV2_CONFIG_DIR"] = str(ROOT / "no-config")
    env["PATH"] = os.pathsep.join([str(Path(python).parent), env.get("PATH", "")])
    if (SHARED / "keras").is_dir():
        env["KERAS_HOME"] = str(SHARED / "keras")
        env["MNV2_WEIGHTS_URL"] = "http://127.0.0.1:9/"  # refuses connections
    return env


def make_photos(folder: Path) -> None:
    """Copy the photos of ``examples/photos.py`` to ``photos`` and ``examples/photos``."""
    spec = importlib.util.spec_from_file_location("photos", ROOT / "examples" / "photos.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    for name in ("photos", "examples/photos"):
        script.copy_photos(folder / name)


class PageRun:
    """The blocks of one page, run in order in one folder, as far as requested."""

    def __init__(self, page: Path, folder: Path) -> None:
        self.blocks = list(blocks(page))
        self._folder = folder.resolve()
        self._env = environment()
        self._results: list[str | AssertionError] = []
        make_photos(folder)

    def result(self, index: int) -> str:
        """Return the new text of a block: its commands with their output.

        Raises:
            AssertionError: A command failed; the message shows its output.
        """
        while len(self._results) <= index:
            try:
                self._results.extend(self._run(self.blocks[len(self._results)]))
            except AssertionError as error:
                self._results.append(error)
        result = self._results[index]
        if isinstance(result, AssertionError):
            raise result
        return result

    def _run(self, block: Block) -> list[str]:
        """Run a block; return its text, and that of an output block below it."""
        if "file" in block.markers:
            (self._folder / block.markers["file"]).write_text(block.text, encoding="utf-8")
        if not block.runs or block.missing_tool():
            return [block.text]
        if block.language == "python":
            return self._run_python(block)
        if block.language == "sh":
            self._run_shell("set -e\n" + block.text)
            return [block.text]
        shown = ""
        for lines, _ in block.commands:
            command = "".join(line[2:] for line in lines.splitlines(keepends=True))
            shown += lines + self._run_shell(command)
        return [shown]

    def _run_shell(self, command: str) -> str:
        screen, code = run_in_terminal(command, self._folder, self._env, COLUMNS)
        output = screen.text().replace(str(self._folder), HOME)
        assert code == 0, f"exit code {code} of:\n{command}\n{output}"
        return output + "\n" if output else ""

    def _run_python(self, block: Block) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", block.text],
            cwd=self._folder,
            env=self._env,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        following = self.blocks[len(self._results) + 1 :][:1]
        if following and "output" in following[0].markers:
            return [block.text, done.stdout.replace(str(self._folder), HOME)]
        return [block.text]


def generated(text: str) -> str:
    """Return the text of a page; the part that a script prints, if any, is regenerated."""
    marker = _MADE_BY.search(text)
    if not marker:
        return text
    done = subprocess.run(
        [sys.executable, marker[1]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return text[: marker.end()] + done.stdout


def updated(page: Path, folder: Path, everything: bool = False) -> str:
    """Return the text of a page with the current outputs of its blocks.

    Args:
        page: A Markdown file.
        folder: An empty folder to run its blocks in.
        everything: Also write outputs that differ only in figures.
    """
    run = PageRun(page, folder)
    lines = page.read_text(encoding="utf-8").splitlines(keepends=True)
    for index in reversed(range(len(run.blocks))):
        block, text = run.blocks[index], run.result(index)
        if text != block.text if everything else mask(text) != mask(block.text):
            length = block.text.count("\n")
            lines[block.line : block.line + length] = [text]
    return generated("".join(lines))
