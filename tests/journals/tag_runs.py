"""Tag runs in tests: files change as a tag run changes them, with a journal, and are undone."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from mnv2cli.journals.file import Journal, new_journal
from mnv2cli.journals.folder import prepare
from mnv2cli.journals.tag_journal import (
    ChangeEntry,
    FileState,
    How,
    line_of,
)
from mnv2cli.tagging.originals import Originals
from mnv2cli.tagging.undo import undo


def state_of(path: Path) -> FileState:
    """Return what a file is."""
    content, status = path.read_bytes(), path.stat()
    digest = hashlib.sha256(content).hexdigest()
    return FileState(
        len(content), digest, status.st_mtime_ns, status.st_atime_ns, status.st_mode & 0o777
    )


def tag(root: Path, changes: dict[Path, bytes | None]) -> str:
    """Write files as a tag run does, or delete them for None; return its journal.

    Its undo is that of the tool.
    """
    header = prepare(str(root))
    path = new_journal(str(root), "tag")
    journal = Journal(path, header)
    folders = {file.parent for file in changes} - {Path(each) for each in header["dest_times"]}
    for folder in sorted(folders):
        status = folder.stat()
        times = {"atime": status.st_atime_ns, "mtime": status.st_mtime_ns}
        journal.append([{"times": str(folder), **times}])
    for number, (file, content) in enumerate(changes.items(), 1):
        before = state_of(file) if file.exists() else None
        where = None
        if before:
            with Originals(path, create=True) as originals:
                where = originals.keep(file.read_bytes())
        after = None
        temp = file.with_name(f".{file.name}.mnv2")
        if content is not None:
            temp.write_bytes(content)
            is_photo = file.suffix != ".xmp"
            if before and is_photo:
                temp.chmod(before.mode)
                os.utime(temp, ns=(before.atime, before.mtime))
            after = state_of(temp)
        how: How = "create" if before is None else "delete" if after is None else "replace"
        relative = file.relative_to(root).as_posix()
        entry = ChangeEntry(number, how, relative, before, after, where, file.suffix != ".xmp")
        journal.append([line_of(entry)])
        if after:
            temp.replace(file)
        else:
            file.unlink()
        journal.append([{"done": [number]}])
    journal.append([{"end": True}])
    journal.close()
    return path


def untag(root: Path) -> list[tuple[str, str]]:
    """Undo the last tag run in a folder; return what could not be undone, and why."""
    return undo(str(root))[0].failed
