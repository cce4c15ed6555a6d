"""The files that a plan changes: each once, with what is to be written into it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from mnv2cli.journals.moves import PathKeys
from mnv2cli.journals.tag_journal import check_below
from mnv2cli.system.files import is_within
from mnv2cli.tagging.actions import TagAction
from mnv2cli.tagging.run import TagRun
from mnv2cli.tagging.tags import Tags


@dataclass(frozen=True, slots=True)
class Job:
    """One file to change.

    Attributes:
        name: Its path as the plan has it, for messages.
        path: Its absolute path without links.
        below: Its path for the journal.
        photo: The path of the photo, as the plan has it.
        is_photo: The keywords go into the photo itself.
        tags: What to write; None to remove what earlier runs wrote.
        count: Number of the photos that this file is of.
    """

    name: str
    path: str
    below: str
    photo: str
    is_photo: bool
    tags: Tags | None
    count: int


def jobs_of(actions: Iterable[TagAction], run: TagRun) -> list[Job]:
    """Return the files to change, folder by folder; the others fail.

    Photos that share a sidecar make one job, with the tags of all of them.
    """
    found: dict[str, list[TagAction]] = {}
    keys = PathKeys()
    for action in actions:
        try:
            found.setdefault(_real(action.file, run, keys), []).append(action)
        except (OSError, ValueError) as error:
            run.fail(action.file, error)
            run.progress(1)
    jobs = [
        Job(
            group[0].file,
            path,
            run.below(path),
            group[0].source,
            group[0].method == "embed",
            _merged([action.tags for action in group if action.tags is not None]),
            len(group),
        )
        for path, group in found.items()
    ]
    return sorted(jobs, key=lambda job: (job.is_photo, os.path.dirname(job.path)))


def _real(file: str, run: TagRun, keys: PathKeys) -> str:
    """Return the path of a file without links; raises ValueError if it leads elsewhere."""
    path = keys.key(file)
    if os.path.islink(path):
        path = os.path.realpath(path)
        if not is_within(path, run.real_root):
            raise ValueError(f"is a link to a file outside {run.root!r}")
        if not os.path.exists(path):
            raise ValueError("is a broken link")
    elif not is_within(path, run.real_root):
        raise ValueError(f"is outside {run.root!r}")
    check_below(run.below(path))
    return path


def _merged(tags: list[Tags]) -> Tags | None:
    """Return the tags of photos that share a file."""
    if not tags:
        return None
    first = tags[0]
    if all(other == first for other in tags):
        return first
    keywords: dict[str, str] = {}
    for each in tags:
        for word in each.keywords:
            keywords.setdefault(word.casefold(), word)
    paths = dict.fromkeys(path for each in tags for path in each.paths)
    best = max(tags, key=lambda each: each.score)
    return Tags(tuple(keywords.values()), tuple(paths), best.model, best.score)
