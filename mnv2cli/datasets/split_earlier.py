"""Where earlier splits put photos: these stay in their sets, whatever comes later."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from mnv2cli.datasets.split_sets import SETS
from mnv2cli.learning.dataset import Example
from mnv2cli.sorting.contents import Contents
from mnv2cli.sorting.destination import EarlierRuns
from mnv2cli.sorting.placed import Placed, placed_files


@dataclass
class Earlier:
    """What is in a destination.

    Attributes:
        sets: The set of each of the photos to split that earlier splits put there, by its path.
        others: The photos in the destination that are not among those to split, each with the
            class that it is in; ``origin`` is where it came from.
        set_of: The set of each of these, by its path.
    """

    sets: dict[str, str] = field(default_factory=dict)
    others: list[Example] = field(default_factory=list)
    set_of: dict[str, str] = field(default_factory=dict)


def find_earlier(dest: str, photos: Sequence[Example], root: str) -> Earlier:
    """Return what earlier splits put into a destination, by its journals.

    A photo that the user moved there to another set since is in that set.

    Args:
        dest: The destination.
        photos: The photos to split.
        root: The folder that they were found in; empty for none.
    """
    whole = os.path.abspath(dest)
    placed = [
        each
        for each in placed_files(whole)
        if not each.is_companion and _parts(each.target) is not None
    ]
    found = Earlier()
    if not placed:
        return found
    runs, contents = EarlierRuns(whole), Contents()
    known = {each.source: each for each in placed}
    given = set()
    for photo in photos:
        source = os.path.abspath(photo.path)
        given.add(source)
        if source not in known:
            continue
        target = runs.target(source)
        if not target:
            target = runs.dragged(source, _size(source), contents) or known[source].target
        parts = _parts(target) or _parts(known[source].target)
        if parts:
            found.sets[photo.path] = parts[0]
    for each in placed:
        path = each.path(whole)
        if each.source in given or not os.path.exists(path):
            continue
        name, label = _parts(each.target) or ("", "")
        found.others.append(Example(path, label, origin=_as_found(each, root)))
        found.set_of[path] = name
    return found


def _parts(target: str) -> tuple[str, str] | None:
    """Return the set and the class of a target; None if it is in neither."""
    parts = target.split("/")
    return (parts[0], parts[1]) if len(parts) > 2 and parts[0] in SETS else None


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except (OSError, ValueError):
        return -1


def _as_found(placed: Placed, root: str) -> str:
    """Return the path of a photo as it was found below a folder, for --group-by."""
    folder = os.path.abspath(root or os.curdir)
    own = folder.rstrip(os.sep) + os.sep
    if placed.source.startswith(own):
        return os.path.join(root, placed.source[len(own) :])
    return placed.source
