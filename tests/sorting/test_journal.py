"""Journals are read back and checked, as anything may have written them."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path

import pytest

from mnv2cli.errors import InputError, JournalError, OutputError
from mnv2cli.journals.file import Journal, journals
from mnv2cli.sorting.actions import Plan
from mnv2cli.sorting.apply import apply
from mnv2cli.sorting.journal_reader import read_journal
from mnv2cli.sorting.plan_file import read_plan, write_plan
from mnv2cli.sorting.undo import undo
from tests.sorting.trees import plan_of, record, records, write


@pytest.mark.parametrize(
    "target",
    ["../evil.jpg", "/etc/evil.jpg", "a/../../evil.jpg", "", ".mnv2/x", "a//b", "a\0b", "./a"],
)
def test_a_journal_cannot_leave_the_destination(src: Path, tmp_path: Path, target: str) -> None:
    dest = tmp_path / "dest"
    apply(plan_of(records(src)[:1], dest))
    journal = Path(journals(str(dest))[0])
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    for line in lines:
        if "do" in line:
            line["target"] = target
    with journal.open("r+") as file:  # in place, because its inode is checked
        file.write("".join(json.dumps(line) + "\n" for line in lines))
        file.truncate()
    with pytest.raises(JournalError, match="is damaged in line"):
        undo(str(dest))


@pytest.mark.parametrize(
    "content",
    [b"", b"{}\n", b"[]\n", b'{"mnv2": 2}\n', b"\xff\xfe\n", b"[" * 100_000,
     b'{"mnv2": 1}\nx\n{}\n',
     b'{"mnv2": 1}\n{"what": 1}\n', b'{"mnv2": 1}\n{"done": 3}\n', b'{"mnv2": 1}\n{"do": 1}\n'],
)  # fmt: skip
def test_damaged_journals_are_one_clear_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / ".mnv2" / "x.jsonl"
    write(path, content)
    with pytest.raises(JournalError, match=r"x\.jsonl"):
        undo(str(tmp_path))


def test_an_incomplete_line_is_ignored_and_removed(src: Path, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    apply(plan_of(records(src), dest))
    journal = Path(journals(str(dest))[0])
    with journal.open("ab") as file:
        file.write(b'{"do": 99, "how": "mo')
    assert len(read_journal(str(journal)).entries) == 5
    undo(str(dest))
    assert not dest.exists()


JOURNAL = """\
{"mnv2":1,"time":1795614018.5,"file":1,"dest":DEST,"made_dest":[DEST],"dest_times":{ROOT:[3,4]}}
{"begin":1795614018.6}
{"times":DEST,"atime":1,"mtime":2}
{"times":SRC,"atime":1400000000000000000,"mtime":1400000000000000000}
{"made":"cat"}
{"do":1,"how":"move","source":"SRC/a.jpg","target":"cat/a.jpg","size":5,"sha256":DIGEST,\
"mtime":1500000000000000000,"atime":1500000000000000000}
{"do":2,"how":"move","source":"SRC/a.xmp","target":"cat/a.xmp","size":5,"sha256":DIGEST,\
"mtime":1500000000000000000,"atime":1500000000000000000,"photo":"SRC/a.jpg"}
{"do":3,"how":"symlink","source":"SRC/b.jpg","target":"cat/b.jpg","size":5,"sha256":DIGEST,\
"mtime":1500000000000000000,"atime":1500000000000000000,"text":"../../src/b.jpg"}
{"do":4,"how":"copy","source":"SRC/c.jpg","target":"cat/c.jpg","size":5,"sha256":DIGEST,\
"mtime":1500000000000000000,"atime":1500000000000000000}
{"done":[1,2,3]}
{"void":4,"why":"no such file or directory"}
{"end":true}
"""
"""The format on disk: its keys never change, even if names in the code do."""


@pytest.mark.skipif(os.sep != "/", reason="its paths are those of POSIX")
def test_journals_of_earlier_versions_are_read_and_undone(tmp_path: Path) -> None:
    src, dest = tmp_path / "src", tmp_path / "dest"
    for name in ("a.jpg", "a.xmp"):
        write(dest / "cat" / name, "photo")
    write(src / "b.jpg", "photo")
    (dest / "cat" / "b.jpg").symlink_to("../../src/b.jpg")
    text = JOURNAL.replace("DIGEST", f'"{hashlib.sha256(b"photo").hexdigest()}"')
    for name, path in (("DEST", dest), ("ROOT", tmp_path), ("SRC", src)):
        text = re.sub(rf'(?<!"){name}', json.dumps(str(path)), text).replace(name, str(path))
    journal = write(dest / ".mnv2" / "20260101-000000-000000000.jsonl", text)
    state = read_journal(str(journal))
    assert [entry.method for entry in state.entries.values()] == ["move"] * 2 + ["symlink", "copy"]
    assert (state.done, state.void, state.open, state.ended) == ({1, 2, 3}, {4}, [], True)
    assert state.entries[2].photo == str(src / "a.jpg")
    assert state.entries[3].text == "../../src/b.jpg" and state.made == ["cat"]
    outcome, _ = undo(str(dest), trust=True)
    assert (outcome.done, outcome.failed) == (3, [])
    assert sorted(os.listdir(src)) == ["a.jpg", "a.xmp", "b.jpg"] and not dest.exists()
    assert (src / "a.jpg").stat().st_mtime == 1_500_000_000


def test_the_keys_of_journal_lines_never_change(tmp_path: Path) -> None:
    src, dest = tmp_path / "src", tmp_path / "dest"
    write(src / "a.jpg", "photo")
    write(src / "a.xmp", "notes")
    apply(plan_of([record(src / "a.jpg")], dest))
    lines = [json.loads(line) for line in Path(journals(str(dest))[0]).read_text().splitlines()]
    announced = ["do", "how", "source", "target", "size", "sha256", "mtime", "atime"]
    assert [list(line) for line in lines] == [
        ["mnv2", "time", "file", "dest", "made_dest", "dest_times"],
        ["begin"], ["times", "atime", "mtime"], ["times", "atime", "mtime"], ["made"],
        announced, [*announced, "photo"], ["done"], ["end"],
    ]  # fmt: skip
    assert lines[5]["how"] == "move" and lines[7] == {"done": [1, 2]}


def test_errors_without_a_text_of_the_system_still_have_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise OSError("unplugged")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(OutputError, match=r"cannot write the journal .*: unplugged"):
        Journal(str(tmp_path / "a.jsonl"), {})
    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(JournalError, match=r"cannot read the journal .*: unplugged"):
        read_journal(str(tmp_path / "a.jsonl"))
    with pytest.raises(InputError, match=r"cannot read the plan .*: unplugged"):
        read_plan(str(tmp_path / "plan.csv"), str(tmp_path))
    with pytest.raises(OutputError, match=r"cannot write .*: unplugged"):
        write_plan(Plan(str(tmp_path)), str(tmp_path / "plan.csv"))
