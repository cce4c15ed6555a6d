"""Tag runs in tests: files change as a tag run changes them, with a journal, and are undone."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from mnv2cli.journals.file import Journal, journals, new_journal
from mnv2cli.journals.folder import prepare
from mnv2cli.journals.removal import clean_up, pass_on_state
from mnv2cli.journals.tag_journal import (
    ChangeEntry,
    FileState,
    How,
    TagState,
    line_of,
    read_tag_journal,
)


def state_of(path: Path) -> FileState:
    """Return what a file is."""
    content, status = path.read_bytes(), path.stat()
    digest = hashlib.sha256(content).hexdigest()
    return FileState(
        len(content), digest, status.st_mtime_ns, status.st_atime_ns, status.st_mode & 0o777
    )


def tag(root: Path, changes: dict[Path, bytes | None], *, clock: float = 0) -> str:
    """Write files as a tag run does, or delete them for None; return its journal.

    What was there before is in ``.mnv2/NAME.tag.originals``, one after the other.
    """
    header = prepare(str(root))
    path = new_journal(str(root), "tag")
    journal = Journal(path, header)
    kept = b""
    folders = {file.parent for file in changes} - {Path(each) for each in header["dest_times"]}
    for folder in sorted(folders):
        status = folder.stat()
        times = {"atime": status.st_atime_ns, "mtime": status.st_mtime_ns}
        journal.append([{"times": str(folder), **times}])
    for number, (file, content) in enumerate(changes.items(), 1):
        before = state_of(file) if file.exists() else None
        where = None
        if before:
            old = file.read_bytes()
            where = (len(kept), len(old), False)
            kept += old
        Path(originals_of(path)).write_bytes(kept)
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


def originals_of(journal: str) -> str:
    return journal.removesuffix(".jsonl") + ".originals"


def untag(root: Path) -> list[str]:
    """Undo the last tag run in a folder that is not undone; return the paths that were kept."""
    path = next(p for p in reversed(journals(str(root), "tag")) if not read_tag_journal(p).tidied)
    state, kept = read_tag_journal(path), Path(originals_of(path)).read_bytes()
    journal = Journal(path)
    journal.append([{"undoing": True}])
    failed = []
    for entry in state.remaining:
        journal.append([{"undo": entry.number}])
        file = _found(root, entry, state)
        if file is None:
            failed.append(entry.path)
            journal.append([{"kept": entry.number, "why": "has changed"}])
            continue
        if entry.before is None:
            file.unlink()
        else:
            assert entry.kept is not None
            start, length, _ = entry.kept
            temp = file.with_name(f".{file.name}.mnv2")
            temp.write_bytes(kept[start : start + length])
            temp.chmod(entry.before.mode)
            os.utime(temp, ns=(entry.before.atime, entry.before.mtime))
            temp.replace(file)
        journal.append([{"undone": [entry.number]}])
    for folder, times in state.times.items():
        with suppress(OSError):
            os.utime(folder, ns=times)
    journal.append([{"tidied": True}])
    journal.close()
    if failed:
        return failed
    os.unlink(originals_of(path))
    if not state.is_needed():
        pass_on_state(str(root), path, state.header)
        os.unlink(path)
        clean_up(str(root), state.header)
    return []


def _found(root: Path, entry: ChangeEntry, state: TagState) -> Path | None:
    """Return where a changed file is now."""
    place = str(root / entry.path)
    places = [place]
    for old, new in state.moves:
        if old == place:
            place = new
            places.insert(0, new)
    if entry.after is None:
        return Path(place)
    for each in map(Path, places):
        if each.is_file() and state_of(each).sha256 == entry.after.sha256:
            return each
    return None
