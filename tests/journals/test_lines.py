"""Journals of both kinds are read safely, as anybody may have written them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mnv2cli.errors import JournalError
from mnv2cli.journals.file import kind_of
from mnv2cli.journals.tag_journal import read_tag_journal
from mnv2cli.journals.unfinished import unfinished_targets
from mnv2cli.sorting.journal_reader import read_journal

SHA = "0" * 64
STATE = {"size": 1, "sha256": SHA, "mtime": 1, "atime": 1, "mode": 0o644}
TAG: dict[str, Any] = {"do": 1, "how": "replace", "path": "a", "before": STATE, "after": STATE}
TAG["kept_at"] = [0, 0, False]
SORT = {"do": 1, "how": "move", "source": "/a", "target": "a", "sha256": SHA, "size": 1}
SORT |= {"mtime": 1, "atime": 1}
HUGE, INFINITE, LONE = 10**30, float("inf"), "/\ud800"


def _read(folder: Path, name: str, lines: list[Any]) -> object:
    journal = folder / ".mnv2" / name
    journal.parent.mkdir(exist_ok=True)
    journal.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return (read_tag_journal if kind_of(name) == "tag" else read_journal)(str(journal))


@pytest.mark.parametrize("name", ["a.jsonl", "a.tag.jsonl"])
@pytest.mark.parametrize(
    "more",
    [
        {"time": INFINITE},
        {"time": HUGE},
        {"time": float("nan")},
        {"time": -1},
        {"time": True, "dest": 5},
        {"dest": "/\0"},
        {"made_dest": ["/\0"]},
        {"made_dest": [LONE]},
        {"dest_times": {"/a": [HUGE, 1]}},
        {"dest_times": {LONE: [1, 1]}},
        {"dest_times": {"/a": [1, 1.5]}},
    ],
)
def test_a_hostile_header_is_damage(tmp_path: Path, name: str, more: dict[str, Any]) -> None:
    header = {"mnv2": 1, "time": 0}
    _read(tmp_path, name, [header])
    with pytest.raises(JournalError, match="damaged in line 1"):
        _read(tmp_path, name, [{**header, **more}])
    if "time" not in more:
        more = {"made_dest": [], "dest_times": {}, **more}
        with pytest.raises(JournalError, match="damaged in line 2"):
            _read(tmp_path, name, [header, {"inherit": more}])


HOSTILE: list[dict[str, Any]] = [
    {"done": [INFINITE]},
    {"undone": [INFINITE]},
    {"undo": INFINITE},
    {"void": INFINITE, "why": ""},
    {"kept": INFINITE, "why": ""},
    {"times": "/a", "atime": INFINITE, "mtime": 1},
    {"times": "/a", "atime": 1, "mtime": HUGE},
    {"times": "/\0", "atime": 1, "mtime": 1},
    {"times": LONE, "atime": 1, "mtime": 1},
    {"times": 5, "atime": 1, "mtime": 1},
]
HOSTILE_TAG: list[dict[str, Any]] = [
    {**TAG, "path": "\ud800/a"},
    {**TAG, "kept_at": [HUGE, 0, False]},
    *({**TAG, "before": {**STATE, name: HUGE}} for name in ("size", "mtime", "atime", "mode")),
    {"temps": ["\ud800"]},
    {"moved": [["/a", LONE]]},
    {"moved": [], "sort": LONE},
]
HOSTILE_SORT: list[dict[str, Any]] = [
    *({**SORT, name: HUGE} for name in ("do", "size", "mtime", "atime")),
    *({**SORT, name: LONE} for name in ("source", "target", "link", "text", "photo")),
    {**SORT, "mtime": True},
    {"made": "\ud800"},
]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        *(("a.jsonl", line) for line in [*HOSTILE, *HOSTILE_SORT]),
        *(("a.tag.jsonl", line) for line in [*HOSTILE, *HOSTILE_TAG]),
    ],
)
def test_a_hostile_line_is_damage(tmp_path: Path, name: str, line: dict[str, Any]) -> None:
    first = [{"mnv2": 1, "time": 0}, TAG if "tag" in name else SORT]
    _read(tmp_path, name, first)
    with pytest.raises(JournalError, match="damaged in line 3"):
        _read(tmp_path, name, [*first, line])


@pytest.mark.parametrize("line", [*HOSTILE[:5], {**SORT, "target": "\0"}, {"done": 5}])
def test_the_damaged_journal_of_a_sort_has_no_unfinished_moves(
    tmp_path: Path, line: dict[str, Any]
) -> None:
    (tmp_path / ".mnv2").mkdir()
    journal = tmp_path / ".mnv2" / "a.jsonl"
    journal.touch()
    header = {"mnv2": 1, "time": 0, "file": journal.stat().st_ino}
    _read(tmp_path, "a.jsonl", [header, SORT])
    assert unfinished_targets(str(journal)) == {str(tmp_path / "a")}
    journal.write_text("".join(json.dumps(each) + "\n" for each in (header, SORT, line)))
    assert unfinished_targets(str(journal)) == set()
